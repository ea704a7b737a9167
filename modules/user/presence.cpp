#include "presence.hpp"
#include <algorithm>

namespace loggia::user {

void Presence::apply(const realtime::PresenceChanged& lease, Time now) {
  const std::lock_guard lock(mutex_);
  auto& person = people_[lease.user_id];
  std::erase_if(person.leases, [&](const Lease& one) { return one.instance == lease.instance; });
  if (lease.until > now && (lease.state == "online" || lease.state == "away")) {
    Lease kept;
    kept.instance = lease.instance;
    kept.online = lease.state == "online";
    kept.until = std::min(lease.until, now + lease_max);
    person.leases.push_back(std::move(kept));
  }
  person.seen = std::max(person.seen, std::min(lease.until, now));  // an end that arrives late was then
  person.unstored = true;
}

Presence::Seen Presence::of(const UserId& user, Time now) const {
  const std::lock_guard lock(mutex_);
  Seen out;
  const auto found = people_.find(user);
  if (found == people_.end()) return out;
  for (const auto& lease : found->second.leases) {
    if (lease.until <= now) continue;
    if (lease.online) out.state = "online";
    else if (out.state == "offline") out.state = "away";
  }
  if (found->second.seen != Time()) out.at = found->second.seen;
  return out;
}

std::vector<std::pair<UserId, Time>> Presence::due(Time now) {
  const std::lock_guard lock(mutex_);
  std::vector<std::pair<UserId, Time>> out;
  for (auto at = people_.begin(); at != people_.end();) {
    auto& person = at->second;
    std::erase_if(person.leases, [&](const Lease& one) { return one.until <= now; });
    const bool may = now - person.stored >= store_every;
    if (person.unstored && may) {
      out.emplace_back(at->first, person.seen);
      person.stored = now;
      person.unstored = false;
    }
    // Kept for a minute after the last storing, so that coming and going does not store more often.
    at = person.leases.empty() && !person.unstored && now - person.stored >= store_every ? people_.erase(at) : std::next(at);
  }
  return out;
}

}  // namespace loggia::user
