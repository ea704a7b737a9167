#pragma once
// The rules of presence (contract, section 4): a person has the best state of the leases that are not over. Pure; each user's on the
// user's home shard.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>
#include "loggia/ids.hpp"
#include "loggia/kernel/time.hpp"
#include "loggia/realtime/events.hpp"

namespace loggia::realtime {

inline constexpr milliseconds lease_time{60000}, lease_renewal{20000};
inline constexpr std::size_t connections_max = 20;

/// online before away before offline.
int rank_of(std::string_view state);

/// The leases of all instances.
class Leases {
 public:
  /// True when the user's state is now another one.
  bool apply(const PresenceChanged& lease, Time now);
  std::string_view state(const UserId& user, Time now) const;
  /// Users whose state changed because a lease is over.
  std::vector<UserId> expire(Time now);

 private:
  struct Lease {
    std::string instance, state;
    Time until;
  };
  std::unordered_map<UserId, std::vector<Lease>> users_;
};

/// One connection of a user, and where it is.
struct Connection {
  std::uint64_t number = 0;
  std::uint16_t shard = 0;
  bool away = false;
};

/// The connections of each user in this instance, oldest first.
class Connections {
 public:
  /// The oldest, where there is one too many.
  std::optional<Connection> open(const UserId& user, const Connection& connection);
  void close(const UserId& user, std::uint64_t number);
  void set_away(const UserId& user, std::uint64_t number, bool away);
  std::string_view state(const UserId& user) const;
  const std::vector<Connection>* of(const UserId& user) const;
  /// Whether the state must be signalled: it changed, or is to be renewed.
  bool signal_due(const UserId& user, Time now);
  std::vector<UserId> renewals(Time now) const;

 private:
  struct Local {
    std::vector<Connection> connections;
    std::string_view signalled = "offline";
    Time at{};
  };
  std::unordered_map<UserId, Local> users_;
};

}  // namespace loggia::realtime
