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

struct ReceiptMoved {
  static constexpr std::string_view topic = "read-receipts", type = "receipt.moved";
  RoomId room;
  UserId user_id;
  std::int64_t seq = 0;
  Time at{};
};
BOOST_DESCRIBE_STRUCT(ReceiptMoved, (), (room, user_id, seq, at))

}  // namespace loggia::chat
