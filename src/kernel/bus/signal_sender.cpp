#include "bus/signal_sender.hpp"
#include <algorithm>
#include "bus/log_wire.hpp"
#include "loggia/kernel/log.hpp"
#include "loggia/kernel/router.hpp"

namespace loggia::bus {
namespace {

constexpr std::size_t waiting_max = 1000;
constexpr milliseconds send_limit(2000);

}  // namespace

SignalSender::SignalSender(std::vector<Elsewhere> elsewhere, std::shared_ptr<Shards> shards, std::shared_ptr<Clock> clock)
    : elsewhere_{std::move(elsewhere)}, shards_{std::move(shards)}, clock_{std::move(clock)} {}

void SignalSender::send(const Event& event) {
  std::string line;
  for (const auto& module : elsewhere_) {
    if (std::find(module.hears.begin(), module.hears.end(), event.topic) == module.hears.end()) continue;
    if (line.empty()) append_line(line, event);
    for (const auto& to : module.each()) {
      {
        const std::lock_guard lock(mutex_);
        auto& queue = lines_[to];
        if (queue.waiting.size() >= waiting_max) queue.waiting.pop_front();  // the newest say most
        queue.waiting.push_back(line);
        if (queue.running) continue;
        queue.running = true;
      }
      tasks_.spawn(shards_->executor(shards_->current()), "bus.signals", run(to));
    }
  }
}

void SignalSender::stop() {
  tasks_.cancel();
  tasks_.wait(milliseconds(5000));
}

/// What has gathered goes in one message; the task ends with the last.
boost::asio::awaitable<void> SignalSender::run(std::shared_ptr<Transport> to) {
  for (;;) {
    Call call;
    call.route = signal_route;
    {
      const std::lock_guard lock(mutex_);
      const auto found = lines_.find(to);
      if (found->second.waiting.empty()) {
        lines_.erase(found);
        co_return;
      }
      for (const auto& line : found->second.waiting) call.body += line;
      found->second.waiting.clear();
    }
    Context context;
    context = context.until(clock_->moment() + send_limit);
    auto sent = co_await to->send(context, std::move(call));
    if (!sent) log::debug("bus.signals_lost", Field("why", sent.error().detail));
  }
}

}  // namespace loggia::bus
