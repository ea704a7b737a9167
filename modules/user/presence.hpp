#pragma once
// Who is here, as realtime's signals tell (contract, section 4): in memory only. Of it, last_seen is stored, at most once a minute for
// each person. Safe from every thread.
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>
#include "loggia/ids.hpp"
#include "loggia/kernel/time.hpp"
#include "loggia/realtime/events.hpp"

namespace loggia::user {

class Presence {
 public:
  static constexpr milliseconds store_every{60000};
  /// No lease lasts longer, whatever a signal says: a faulty instance cannot keep anybody online.
  static constexpr milliseconds lease_max{120000};

  struct Seen {
    std::string_view state = "offline";  // the best of the leases that are not over
    std::optional<Time> at;              // newer than what is stored
  };

  void apply(const realtime::PresenceChanged& lease, Time now);
  Seen of(const UserId& user, Time now) const;
  /// Whose last_seen is to be stored now. What is returned counts as stored; forgets who is gone.
  std::vector<std::pair<UserId, Time>> due(Time now);

 private:
  struct Lease {
    std::string instance;
    bool online = false;
    Time until;
  };
  struct Person {
    std::vector<Lease> leases;
    Time seen{}, stored{};
    bool unstored = false;
  };
  mutable std::mutex mutex_;
  std::unordered_map<UserId, Person> people_;
};

}  // namespace loggia::user
