#pragma once
// What notification announces on `notifications`, keyed by the user: `notification.created`, whose data is the notification with the
// user that it is for; and what came of it outside of Loggia (contract, section 4).
#include <optional>
#include <string>
#include "loggia/ids.hpp"
#include "loggia/kernel/contract.hpp"

namespace loggia::notification {

struct NotificationCreated {
  static constexpr std::string_view topic = "notifications", type = "notification.created";
  NotificationId id;
  UserId user_id;
  std::string kind;
  std::optional<RoomId> room;
  std::optional<std::int64_t> seq;
  std::optional<UserId> from;
  Time created_at{};
  bool read = false;
};
BOOST_DESCRIBE_STRUCT(NotificationCreated, (), (id, user_id, kind, room, seq, from, created_at, read))

/// `channel` is email; `detail` never holds an address.
struct NotificationDelivered {
  static constexpr std::string_view topic = "notifications", type = "notification.delivered";
  NotificationId id;
  UserId user_id;
  std::string channel;
  std::optional<std::string> detail;
};
BOOST_DESCRIBE_STRUCT(NotificationDelivered, (), (id, user_id, channel, detail))
struct NotificationFailed {
  static constexpr std::string_view topic = "notifications", type = "notification.failed";
  NotificationId id;
  UserId user_id;
  std::string channel;
  std::optional<std::string> detail;
};
BOOST_DESCRIBE_STRUCT(NotificationFailed, (), (id, user_id, channel, detail))

}  // namespace loggia::notification
