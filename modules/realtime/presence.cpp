#include "presence.hpp"
#include <algorithm>

namespace loggia::realtime {

int rank_of(std::string_view state) { return state == "online" ? 2 : state == "away" ? 1 : 0; }

std::string_view Leases::state(const UserId& user, Time now) const {
  const auto found = users_.find(user);
  std::string_view best = "offline";
  if (found == users_.end()) return best;
  for (const auto& lease : found->second)
    if (lease.until > now && rank_of(lease.state) > rank_of(best)) best = lease.state == "online" ? "online" : "away";
  return best;
}

bool Leases::apply(const PresenceChanged& lease, Time now) {
  const auto before = state(lease.user_id, now);
  auto& leases = users_[lease.user_id];
  std::erase_if(leases, [&](const Lease& one) { return one.instance == lease.instance; });
  if (lease.until > now && rank_of(lease.state) > 0)
    leases.push_back({lease.instance, lease.state, lease.until, lease.opened.value_or(std::vector<Time>())});
  if (leases.empty()) users_.erase(lease.user_id);
  return state(lease.user_id, now) != before;
}

std::vector<UserId> Leases::expire(Time now) {
  std::vector<UserId> out;
  for (auto at = users_.begin(); at != users_.end();) {
    auto& leases = at->second;
    int before = 0, after = 0;
    for (const auto& one : leases) before = std::max(before, rank_of(one.state));
    std::erase_if(leases, [&](const Lease& one) { return one.until <= now; });
    for (const auto& one : leases) after = std::max(after, rank_of(one.state));
    if (before != after) out.push_back(at->first);
    at = leases.empty() ? users_.erase(at) : std::next(at);
  }
  return out;
}

std::vector<Opened> Leases::elsewhere(const UserId& user, const std::string& own, Time now) const {
  std::vector<Opened> out;
  const auto found = users_.find(user);
  if (found == users_.end()) return out;
  for (const auto& lease : found->second)
    if (lease.until > now && lease.instance != own)
      for (const auto opened : lease.opened) out.emplace_back(opened, lease.instance);
  return out;
}

void Connections::open(const UserId& user, const Connection& connection) { users_[user].connections.push_back(connection); }

std::vector<Connection> Connections::displaced(const UserId& user, const std::string& own, const std::vector<Opened>& elsewhere) {
  std::vector<Connection> out;
  const auto found = users_.find(user);
  if (found == users_.end()) return out;
  auto& all = found->second.connections;
  while (!all.empty()) {
    const Opened oldest(all.front().opened, own);
    const auto newer = std::count_if(elsewhere.begin(), elsewhere.end(), [&](const Opened& one) { return one > oldest; });
    if (all.size() - 1 + static_cast<std::size_t>(newer) < connections_max) break;
    out.push_back(all.front());
    all.erase(all.begin());
  }
  return out;
}

void Connections::close(const UserId& user, std::uint64_t number) {
  const auto found = users_.find(user);
  if (found != users_.end()) std::erase_if(found->second.connections, [&](const Connection& one) { return one.number == number; });
}

void Connections::set_away(const UserId& user, std::uint64_t number, bool away) {
  const auto found = users_.find(user);
  if (found == users_.end()) return;
  for (auto& one : found->second.connections)
    if (one.number == number) one.away = away;
}

std::string_view Connections::state(const UserId& user) const {
  const auto* all = of(user);
  if (!all || all->empty()) return "offline";
  return std::all_of(all->begin(), all->end(), [](const Connection& one) { return one.away; }) ? "away" : "online";
}

const std::vector<Connection>* Connections::of(const UserId& user) const {
  const auto found = users_.find(user);
  return found == users_.end() ? nullptr : &found->second.connections;
}

bool Connections::signal_due(const UserId& user, Time now) {
  const auto found = users_.find(user);
  if (found == users_.end()) return false;
  const auto current = state(user);
  auto& local = found->second;
  if (current == local.signalled && (current == "offline" || now - local.at < lease_renewal)) return false;
  local.signalled = current;
  local.at = now;
  if (local.connections.empty()) users_.erase(found);
  return true;
}

void Connections::changed(const UserId& user) {
  const auto found = users_.find(user);
  if (found != users_.end()) found->second.at = Time();
}

std::vector<UserId> Connections::renewals(Time now) const {
  std::vector<UserId> out;
  for (const auto& [user, local] : users_)
    if (now - local.at >= lease_renewal) out.push_back(user);
  return out;
}

}  // namespace loggia::realtime
