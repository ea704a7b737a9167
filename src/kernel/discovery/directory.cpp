#include "discovery/directory.hpp"
#include <algorithm>
#include <charconv>

namespace loggia::discovery {

std::vector<std::string> Directory::instances(const std::string& module) const {
  const std::lock_guard lock(mutex_);
  const auto found = peers_.find(module);
  return found == peers_.end() ? std::vector<std::string>() : found->second;
}

Peers Directory::all() const {
  const std::lock_guard lock(mutex_);
  return peers_;
}

void Directory::replace(Peers peers) {
  std::vector<std::string> changed;
  for (auto& [module, addresses] : peers) {
    std::sort(addresses.begin(), addresses.end());
    addresses.erase(std::unique(addresses.begin(), addresses.end()), addresses.end());
  }
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [module, addresses] : peers) {
      const auto before = peers_.find(module);
      if (before == peers_.end() ? !addresses.empty() : before->second != addresses) changed.push_back(module);
    }
    for (const auto& [module, addresses] : peers_)
      if (!addresses.empty() && !peers.contains(module)) changed.push_back(module);
    peers_ = std::move(peers);
  }
  for (const auto& module : changed) watchers_.tell(module);
}

void Directory::replace(const std::string& module, std::vector<std::string> addresses) {
  auto peers = all();
  peers[module] = std::move(addresses);
  replace(std::move(peers));
}

std::optional<Place> place_of(std::string_view text) {
  const bool bracket = text.starts_with('[');
  const auto close = bracket ? text.find(']') : 0;
  if (close == text.npos) return std::nullopt;
  const auto colon = text.find(':', close);
  Place out;
  out.host = bracket ? text.substr(1, close - 1) : text.substr(0, colon);
  if (out.host.empty() || (bracket && colon != close + 1 && close + 1 != text.size())) return std::nullopt;
  if (colon == text.npos) return out;
  const auto port = text.substr(colon + 1);
  const auto [end, problem] = std::from_chars(port.data(), port.data() + port.size(), out.port);
  if (problem != std::errc() || end != port.data() + port.size() || out.port < 1 || out.port > 65535) return std::nullopt;
  return out;
}

}  // namespace loggia::discovery
