#pragma once
// What the user module announces: `user-events` user.changed, `user-status-updates` status.changed (contract, section 4).
#include <optional>
#include <string>
#include "loggia/ids.hpp"
#include "loggia/kernel/contract.hpp"

namespace loggia::user {

/// `user_id` and the fields that changed.
struct UserChanged {
  static constexpr std::string_view topic = "user-events", type = "user.changed";
  UserId user_id;
  std::optional<std::string> username, display_name, bio, locale, time_zone;
  std::optional<bool> show_presence, show_receipts;
};
BOOST_DESCRIBE_STRUCT(UserChanged, (), (user_id, username, display_name, bio, locale, time_zone, show_presence, show_receipts))

struct StatusChanged {
  static constexpr std::string_view topic = "user-status-updates", type = "status.changed";
  UserId user_id;
  std::string status_text;
};
BOOST_DESCRIBE_STRUCT(StatusChanged, (), (user_id, status_text))

}  // namespace loggia::user
