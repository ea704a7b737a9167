#pragma once
// The rules of presence (contract, section 4): a person has the best state of the leases that are not over. Pure; each user's on the
// user's home shard.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>
#include "loggia/ids.hpp"
#include "loggia/kernel/time.hpp"
#include "loggia/realtime/events.hpp"

namespace loggia::realtime {

inline constexpr milliseconds lease_time{60000}, lease_renewal{20000};
inline constexpr std::size_t connections_max = 20;

/// online before away before offline.
int rank_of(std::string_view state);

/// A connection, by when it was opened and where: of two in the same millisecond the instances say which is the older one.
using Opened = std::pair<Time, std::string>;

/// The leases of all instances.
class Leases {
 public:
  /// True when the user's state is now another one.
  bool apply(const PresenceChanged& lease, Time now);
  std::string_view state(const UserId& user, Time now) const;
  /// Users whose state changed because a lease is over.
  std::vector<UserId> expire(Time now);
  /// The user's connections at other instances than `own`.
  std::vector<Opened> elsewhere(const UserId& user, const std::string& own, Time now) const;

 private:
  struct Lease {
    std::string instance, state;
    Time until;
    std::vector<Time> opened;
  };
  std::unordered_map<UserId, std::vector<Lease>> users_;
};

/// One connection of a user, and where it is.
struct Connection {
  std::uint64_t number = 0;
  std::uint16_t shard = 0;
  bool away = false;
  Time opened{};
};

/// The connections of each user in this instance, oldest first.
class Connections {
 public:
  void open(const UserId& user, const Connection& connection);
  /// Those that are too many, with what the user has elsewhere: no more theirs from here on.
  std::vector<Connection> displaced(const UserId& user, const std::string& own, const std::vector<Opened>& elsewhere);
  void close(const UserId& user, std::uint64_t number);
  void set_away(const UserId& user, std::uint64_t number, bool away);
  std::string_view state(const UserId& user) const;
  const std::vector<Connection>* of(const UserId& user) const;
  /// Whether the state must be signalled: it changed, or is to be renewed.
  bool signal_due(const UserId& user, Time now);
  /// Something else than the state is to be signalled.
  void changed(const UserId& user);
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
