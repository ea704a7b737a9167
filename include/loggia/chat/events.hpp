#pragma once
// What chat announces (contract, section 4): `new-messages` carries the time line of each room, keyed by the room; `data` is the whole
// frame of section 3 as it is stored. `read-receipts` carries receipt.moved.
#include <optional>
#include <string>
#include "loggia/ids.hpp"
#include "loggia/kernel/contract.hpp"

namespace loggia::chat {

/// The frame's head; what `data` holds differs by `ev` (section 3).
struct TimelineFrame {
  static constexpr std::string_view topic = "new-messages";
  std::string ev;
  RoomId room;
  std::int64_t seq = 0;
  std::optional<UserId> by;
  Time at{};
  RawJson data;
};
BOOST_DESCRIBE_STRUCT(TimelineFrame, (), (ev, room, seq, by, at, data))

// What `data` of a frame is, by `ev`; of message.created and message.edited it is a Message (message.hpp).

/// message.deleted
struct MessageGone {
  std::int64_t seq = 0;
  MessageId id;
};
BOOST_DESCRIBE_STRUCT(MessageGone, (), (seq, id))
/// pin.added, pin.removed
struct PinMoved {
  std::int64_t seq = 0;
};
BOOST_DESCRIBE_STRUCT(PinMoved, (), (seq))
/// reaction.added, reaction.removed
struct ReactionMoved {
  std::int64_t seq = 0;
  std::string emoji;
  UserId user_id;
};
BOOST_DESCRIBE_STRUCT(ReactionMoved, (), (seq, emoji, user_id))
/// member.joined, member.role
struct MemberStands {
  UserId user_id;
  std::string role;
};
BOOST_DESCRIBE_STRUCT(MemberStands, (), (user_id, role))
/// member.left; `why` is left, removed or banned.
struct MemberGone {
  UserId user_id;
  std::string why;
};
BOOST_DESCRIBE_STRUCT(MemberGone, (), (user_id, why))
/// room.changed: the fields that changed. A topic that was taken away is "", a retention "off".
struct RoomChanged {
  std::optional<std::string> kind, name, topic;
  std::optional<bool> archived;
  std::optional<std::string> retention;
};
BOOST_DESCRIBE_STRUCT(RoomChanged, (), (kind, name, topic, archived, retention))

struct ReceiptMoved {
  static constexpr std::string_view topic = "read-receipts", type = "receipt.moved";
  RoomId room;
  UserId user_id;
  std::int64_t seq = 0;
  Time at{};
};
BOOST_DESCRIBE_STRUCT(ReceiptMoved, (), (room, user_id, seq, at))

}  // namespace loggia::chat
