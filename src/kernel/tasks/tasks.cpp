#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>
#include <boost/system/system_error.hpp>
#include <condition_variable>
#include <cstdlib>
#include <exception>
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

  void ended(std::uint64_t number) {
    const std::lock_guard lock(mutex);
    running.erase(number);
    if (running.empty()) empty.notify_all();
  }
  bool stopping() {
    const std::lock_guard lock(mutex);
    return cancelled;
  }
};

namespace {

[[noreturn]] void end_process(const std::string& name, const char* why) {
  log::error("task.failed", Field("task", name), Field("why", why));
  std::_Exit(1);
}

template <class Ready> bool block(std::condition_variable& changed, std::unique_lock<std::mutex>& lock, milliseconds limit, Ready ready) {
  const auto& work = instead_of_blocking();
  if (!work) return changed.wait_for(lock, limit, ready);
  for (bool more = true; more && !ready();) {
    lock.unlock();
    more = work();
    lock.lock();
  }
  return ready();
}

/// Of a task that ends by an exception: only the one of its cancellation lets the process go on.
bool ended_by_cancellation(const std::exception_ptr& escaped, const std::string& name) try {
  std::rethrow_exception(escaped);
} catch (const std::exception& problem) {
  if (was_cancelled(problem)) return true;
  end_process(name, problem.what());
} catch (...) {
  end_process(name, "an exception of no known kind");
}

}  // namespace

bool was_cancelled(const std::exception& problem) {
  const auto* ended = dynamic_cast<const boost::system::system_error*>(&problem);
  return ended && ended->code() == asio::error::operation_aborted;
}

std::function<bool()>& instead_of_blocking() {
  thread_local std::function<bool()> work;
  return work;
}

struct Latch::State {
  std::mutex mutex;
  std::condition_variable done;
  std::size_t left;
};

Latch::Latch(std::size_t count) : state_{std::make_shared<State>()} { state_->left = count; }

void Latch::count_down() {
  const std::lock_guard lock(state_->mutex);
  if (--state_->left == 0) state_->done.notify_all();
}

bool Latch::wait(milliseconds limit) {
  std::unique_lock lock(state_->mutex);
  return block(state_->done, lock, limit, [this] { return state_->left == 0; });
}

Tasks::Tasks() : state_{std::make_shared<State>()} {}

Tasks::~Tasks() {
  cancel();
  if (!wait(milliseconds(5000))) log::error("tasks.left", Field("count", size()));
}

void Tasks::spawn(const Executor& executor, std::string name, asio::awaitable<void> task) {
  std::uint64_t number = 0;
  auto signal = std::make_shared<asio::cancellation_signal>();
  {
    const std::lock_guard lock(state_->mutex);
    if (state_->cancelled) return;
    number = state_->next++;
    state_->running.emplace(number, State::Task{executor, signal});
  }
  auto done = [state = state_, number, name = std::move(name)](const std::exception_ptr& escaped) {
    if (escaped && !(ended_by_cancellation(escaped, name) && state->stopping())) end_process(name, "cancelled, though its group was not");
    state->ended(number);
  };
  // Begins on its executor, where cancel() emits too: a signal is for one thread at a time.
  auto begin = [state = state_, executor, number, signal, done = std::move(done), task = std::move(task)]() mutable {
    if (state->stopping()) {
      {
        const auto dropped = std::move(task);
      }  // what it holds goes before anybody hears that it ended
      return state->ended(number);
    }
    auto handler = [signal, done = std::move(done)](const std::exception_ptr& escaped) { done(escaped); };
    asio::co_spawn(executor, std::move(task), asio::bind_cancellation_slot(signal->slot(), std::move(handler)));
  };
  asio::post(executor, std::move(begin));
}

void Tasks::cancel() {
  const std::lock_guard lock(state_->mutex);
  if (std::exchange(state_->cancelled, true)) return;
  for (const auto& [number, task] : state_->running)
    asio::post(task.executor, [signal = task.cancel] { signal->emit(asio::cancellation_type::all); });
}

bool Tasks::wait(milliseconds limit) {
  std::unique_lock lock(state_->mutex);
  return block(state_->empty, lock, limit, [this] { return state_->running.empty(); });
}

std::size_t Tasks::size() const {
  const std::lock_guard lock(state_->mutex);
  return state_->running.size();
}

}  // namespace loggia
