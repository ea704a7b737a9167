#pragma once
// What the service manager is told (systemd with Type=notify and WatchdogSec): datagrams to $NOTIFY_SOCKET, as sd_notify(3) describes them. Where
// nobody asked, nothing is said.
#include <cstdint>
#include <memory>
#include <string>
#include "loggia/kernel/shards.hpp"

namespace loggia {

class ServiceManager {
 public:
  /// As it is handed over; what is not there is empty.
  struct Asked {
    std::string socket;                       // a path, or @NAME of an abstract one
    std::string watchdog_usec, watchdog_pid;  // how long it waits for a sign of life, and whose
  };
  /// $NOTIFY_SOCKET, $WATCHDOG_USEC, $WATCHDOG_PID.
  static Asked asked();

  ServiceManager(Asked asked, std::shared_ptr<Shards> shards);
  ~ServiceManager();
  ServiceManager(const ServiceManager&) = delete;
  /// From the first time on also a sign of life at half of the watchdog's time, each after every shard has answered: an event loop that hangs lets
  /// the watchdog bite.
  void ready(const std::string& status);
  void reloading(Moment now);
  void stopping();

 private:
  class Socket;
  class Watchdog;
  std::shared_ptr<Shards> shards_;
  std::shared_ptr<Socket> socket_;  // null: nobody asked
  milliseconds sign_every_{0};      // 0: no watchdog
  std::shared_ptr<Watchdog> watchdog_;
};

}  // namespace loggia
