#pragma once
// What a mail says of messages that somebody has not read: who wrote where, how many, and where to read it. Never a text of theirs: what is deleted
// could not be taken back from a mail. Pure.
#include <string>
#include <vector>
#include "loggia/ids.hpp"
#include "loggia/kernel/mail.hpp"

namespace loggia::notification {

struct DigestLine {
  RoomId room;
  std::string room_name;  // empty: a direct room
  std::string kind;       // mention, direct, message
  std::string author;     // as others see them
};

/// At least one line. `base`: where links lead. `to`, `id` and `written` are the caller's.
Mail digest(const std::vector<DigestLine>& lines, const std::string& base);

}  // namespace loggia::notification
