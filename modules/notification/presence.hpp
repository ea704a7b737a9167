#pragma once
// Who is at Loggia now, as realtime's signals tell (contract, section 4): in memory only. Whoever is, is told there, and gets no mail meanwhile.
// Safe from every thread.
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>
#include "loggia/ids.hpp"
#include "loggia/kernel/time.hpp"
#include "loggia/realtime/events.hpp"

namespace loggia::notification {

class Presence {
 public:
  /// Leases are renewed every 20 s, so after this much of a process's life everybody who is here has been heard of.
  static constexpr milliseconds known_after{25000};
  /// No lease lasts longer, whatever a signal says.
  static constexpr milliseconds lease_max{120000};

  void apply(const realtime::PresenceChanged& lease, Time now);
  /// Online on some device; away and offline are not.
  bool here(const UserId& user, Time now) const;

 private:
  struct Lease {
    std::string instance;
    Time until{};
  };
  static constexpr int sweep_every = 4096;
  mutable std::mutex mutex_;
  std::unordered_map<UserId, std::vector<Lease>> online_;
  int applied_ = 0;
};

}  // namespace loggia::notification
