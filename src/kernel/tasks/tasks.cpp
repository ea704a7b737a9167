#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <condition_variable>
#include <cstdlib>
#include <map>
#include <mutex>
#include "loggia/kernel/log.hpp"
#include "loggia/kernel/shards.hpp"

namespace loggia {

namespace asio = boost::asio;

struct Tasks::State {
  struct Task {
    Executor executor;
    std::shared_ptr<asio::cancellation_signal> cancel;
  };
  std::mutex mutex;
  std::condition_variable empty;
  std::map<std::uint64_t, Task> running;
  std::uint64_t next = 0;
  bool cancelled = false;
};

Tasks::Tasks() : state_{std::make_shared<State>()} {}

Tasks::~Tasks() {
  cancel();
  wait(milliseconds(5000));
}

void Tasks::spawn(Executor executor, std::string name, asio::awaitable<void> task) {
  std::uint64_t number = 0;
  auto signal = std::make_shared<asio::cancellation_signal>();
  {
    const std::lock_guard lock(state_->mutex);
    if (state_->cancelled) return;
    number = state_->next++;
    state_->running.emplace(number, State::Task{executor, signal});
  }
  auto done = [state = state_, number, signal, name = std::move(name)](const std::exception_ptr& escaped) {
    if (escaped) {
      try {
        std::rethrow_exception(escaped);
      } catch (const std::exception& problem) {
        log::error("task.failed", Field("task", name), Field("why", problem.what()));
      }
      std::_Exit(1);
    }
    const std::lock_guard lock(state->mutex);
    state->running.erase(number);
    if (state->running.empty()) state->empty.notify_all();
  };
  asio::co_spawn(executor, std::move(task), asio::bind_cancellation_slot(signal->slot(), std::move(done)));
}

void Tasks::cancel() {
  const std::lock_guard lock(state_->mutex);
  if (std::exchange(state_->cancelled, true)) return;
  for (const auto& [number, task] : state_->running)
    asio::post(task.executor, [signal = task.cancel] { signal->emit(asio::cancellation_type::all); });
}

bool Tasks::wait(milliseconds limit) {
  std::unique_lock lock(state_->mutex);
  return state_->empty.wait_for(lock, limit, [this] { return state_->running.empty(); });
}

std::size_t Tasks::size() const {
  const std::lock_guard lock(state_->mutex);
  return state_->running.size();
}

}  // namespace loggia
