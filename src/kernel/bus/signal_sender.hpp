#pragma once
// Signals of this process on their way to the others that hear them: at most once, dropped where a process does not keep up. For bus/ alone.
#include <deque>
#include <map>
#include <mutex>
#include "loggia/kernel/bus.hpp"

namespace loggia::bus {

/// Safe from every thread.
class SignalSender : public std::enable_shared_from_this<SignalSender> {
 public:
  SignalSender(std::vector<Elsewhere> elsewhere, std::shared_ptr<Shards> shards, std::shared_ptr<Clock> clock);
  void send(const Event& event);
  void stop();

 private:
  struct Line {
    std::deque<std::string> waiting;
    bool running = false;
  };
  boost::asio::awaitable<void> run(std::shared_ptr<Transport> to);

  const std::vector<Elsewhere> elsewhere_;
  const std::shared_ptr<Shards> shards_;
  const std::shared_ptr<Clock> clock_;
  std::mutex mutex_;
  std::map<std::shared_ptr<Transport>, Line> lines_;  // those that have something to send
  Tasks tasks_;
};

}  // namespace loggia::bus
