#pragma once
// What realtime signals (contract, section 4): not logged, at most once.
#include <optional>
#include <string>
#include <vector>
#include "loggia/ids.hpp"
#include "loggia/kernel/contract.hpp"

namespace loggia::realtime {

/// A lease: `until` 60 s ahead, renewed every 20 s; ended by `until` = now when the user's last connection here ends.
struct PresenceChanged {
  static constexpr std::string_view topic = "user-status-updates", type = "presence.changed";
  UserId user_id;
  std::string instance, state;  // online, away, offline
  Time until{};
  /// When each of the user's connections there was opened, for the limit of all together; where one instance knows of others.
  std::optional<std::vector<Time>> opened;
};
BOOST_DESCRIBE_STRUCT(PresenceChanged, (), (user_id, instance, state, until, opened))

struct TypingStarted {
  static constexpr std::string_view topic = "room-signals", type = "typing.started";
  RoomId room;
  UserId user_id;
};
BOOST_DESCRIBE_STRUCT(TypingStarted, (), (room, user_id))

}  // namespace loggia::realtime
