#pragma once
// The last known lists, and who wants to hear of changes: what every kind of discovery has. Safe from every thread.
#include <mutex>
#include "loggia/kernel/discovery.hpp"
#include "loggia/kernel/watchers.hpp"

namespace loggia::discovery {

class Directory {
 public:
  std::vector<std::string> instances(const std::string& module) const;
  Peers all() const;
  /// Tells the watchers of each module whose list is another now. From one thread at a time.
  void replace(Peers peers);
  void replace(const std::string& module, std::vector<std::string> addresses);
  Discovery::Watch watch(std::function<void(const std::string& module)> handler) { return watchers_.add(std::move(handler)); }

 private:
  mutable std::mutex mutex_;
  Peers peers_;
  Watchers<std::string> watchers_;
};

/// `HOST:PORT`: the host and a port from 1 to 65535; nothing where it is none. IPv6 in brackets, given back without.
struct Place {
  std::string host;
  int port = 0;  // none: a name without a port
};
std::optional<Place> place_of(std::string_view text);

}  // namespace loggia::discovery
