#pragma once
// The frames of a room's time line (contract, section 3), serialised once: the same bytes in the store, the log, on every connection.
// The message's serialiser is written by hand, because it is the hot one; a test holds it equal to the described one. Any thread.
#include <optional>
#include <string>
#include <string_view>
#include "loggia/chat/message.hpp"

namespace loggia::chat {

/// `{"ev":…,"room":…,"seq":…,"by":…,"at":…,"data":`; the data and `}` follow.
void open_frame(std::string& out, std::string_view ev, const RoomId& room, std::int64_t seq, const std::optional<UserId>& by, Time at);
void append_message(std::string& out, const Message& message);
/// The frame of message.created and message.edited.
std::string message_frame(std::string_view ev, std::int64_t seq, const std::optional<UserId>& by, Time at, const Message& message);

/// What is left of a message once it is deleted.
Message remains_of(const Message& message);
/// An earlier frame of a message, after an edit or deletion: number, type and reactions stay, text, attachments and mentions are as now.
std::string rewritten_frame(std::string_view frame, const Message& now);

}  // namespace loggia::chat
