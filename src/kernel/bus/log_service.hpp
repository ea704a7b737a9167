#pragma once
// The logs of this process, for groups and followers of other processes: they ask for what comes after what they have, and wait here for it.
// For bus/ alone.
#include <functional>
#include <mutex>
#include <vector>
#include "bus/log_here.hpp"
#include "bus/log_wire.hpp"
#include "loggia/kernel/router.hpp"

namespace loggia::bus {

/// Safe from every thread.
class LogService : public std::enable_shared_from_this<LogService> {
 public:
  /// `heard`: a signal of another process.
  LogService(std::vector<std::shared_ptr<LogHere>> logs, std::shared_ptr<Shards> shards, BusRights rights,
             std::function<void(const EventPtr&)> heard);
  void mount(Router& router);
  /// Something was committed: who waits is answered. Brief.
  void wake();
  /// Nobody waits any more: who has all there is gets `unavailable`.
  void stop();
  /// Those that wait, and at most as many, or a few, that have been answered.
  std::size_t waiting() const;

 private:
  class Waiting;
  Async<Answer> read(Call call);
  Async<Answer> hear(Call call);
  boost::asio::awaitable<void> news(const LogHere& log, const ReadLog& request);
  Async<bool> gather(std::shared_ptr<LogHere> log, const ReadLog& request, std::string& out);
  static bool behind(const LogHere& log, const ReadLog& request);

  const std::vector<std::shared_ptr<LogHere>> logs_;
  const std::shared_ptr<Shards> shards_;
  const BusRights rights_;
  const std::function<void(const EventPtr&)> heard_;
  std::atomic<std::size_t> turn_{0};
  std::atomic<bool> stopping_{false};
  mutable std::mutex mutex_;
  std::vector<std::shared_ptr<Waiting>> waiting_;
  std::size_t sweep_at_ = 0;
};

}  // namespace loggia::bus
