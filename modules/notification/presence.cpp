#include "presence.hpp"
#include <algorithm>

namespace loggia::notification {

void Presence::apply(const realtime::PresenceChanged& lease, Time now) {
  const std::lock_guard lock(mutex_);
  auto& leases = online_[lease.user_id];
  std::erase_if(leases, [&](const Lease& one) { return one.instance == lease.instance || one.until <= now; });
  if (lease.state == "online" && lease.until > now) {
    auto& kept = leases.emplace_back();
    kept.instance = lease.instance;
    kept.until = std::min(lease.until, now + lease_max);
  }
  if (leases.empty()) online_.erase(lease.user_id);
  if (++applied_ % sweep_every != 0) return;
  std::erase_if(online_, [&](const auto& one) {
    return std::all_of(one.second.begin(), one.second.end(), [&](const Lease& old) { return old.until <= now; });
  });
}

bool Presence::here(const UserId& user, Time now) const {
  const std::lock_guard lock(mutex_);
  const auto found = online_.find(user);
  return found != online_.end() && std::any_of(found->second.begin(), found->second.end(), [&](const Lease& one) { return one.until > now; });
}

}  // namespace loggia::notification
