#pragma once
// Where code runs: one event loop a core. A connection lives on one shard for good; a coroutine goes on on the shard where it began.
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include "loggia/kernel/contract.hpp"
#include "loggia/kernel/time.hpp"

namespace loggia {

using Executor = boost::asio::any_io_executor;

/// Safe from every thread.
class Shards {
 public:
  virtual ~Shards() = default;
  virtual std::size_t size() const = 0;
  virtual Executor executor(std::size_t shard) = 0;
  /// The shard of the calling thread; 0 on a thread that is none.
  virtual std::size_t current() const = 0;
  /// Runs `work` on that shard, later, in the order of the posts from one thread. An exception of it ends the process.
  virtual void post(std::size_t shard, std::function<void()> work) = 0;
  /// Runs `work` on that shard after `delay` at the earliest. The handle cancels when it is destroyed or reset; on that shard.
  using Timer = std::shared_ptr<void>;
  virtual Timer after(std::size_t shard, milliseconds delay, std::function<void()> work) = 0;
};

/// One thread a shard, with io_contexts; threads are named `shard-N`. stop() ends the loops and joins.
std::shared_ptr<Shards> thread_shards(std::size_t count);
/// Ends the loops of thread_shards() and joins the threads. Not from a shard.
void stop_shards(Shards& shards);

/// Waits on the caller's shard. Returns early, with an error, where the coroutine's task was cancelled.
Async<bool> sleep_for(milliseconds duration);

/// What this thread does where it would block in a wait of the kernel: nothing, it blocks. The simulator's one thread is every thread: it
/// works on, and says false when nothing is left to be done.
std::function<bool()>& instead_of_blocking();
/// For who may block (start and stop, never a shard) until others have counted it down, on any thread.
class Latch {
 public:
  explicit Latch(std::size_t count);
  void count_down();
  /// `limit` at most; false when it was not enough.
  bool wait(milliseconds limit);

 private:
  struct State;
  std::shared_ptr<State> state_;
};

/// True of the exception by which Asio ends a wait of a cancelled task: the task was asked to end, and nothing failed.
bool was_cancelled(const std::exception& problem);

/// Root coroutines. Nothing is detached: every one has a group, and shutdown waits for the group. An exception that leaves a task is
/// logged with its name and ends the process (exit 1), since nobody else would see it.
class Tasks {
 public:
  Tasks();
  ~Tasks();  // cancelled and empty, or the program is wrong
  Tasks(const Tasks&) = delete;
  /// Starts on `executor`. Safe from every thread.
  void spawn(const Executor& executor, std::string name, boost::asio::awaitable<void> task);
  /// Asks every task to end (its next wait fails) and takes no new one.
  void cancel();
  /// Blocks until all have ended, `limit` at most; false when some had not. Not from a shard.
  bool wait(milliseconds limit);
  std::size_t size() const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

/// T, also of a Result<T>: what may fail is not wrapped twice.
template <class T> struct PlainOf {
  using Type = T;
};
template <class T> struct PlainOf<Result<T>> {
  using Type = T;
};
template <class T> using Plain = typename PlainOf<T>::Type;

/// Runs a blocking or long computation (a password hash) on a small pool, at most `queue` waiting: else Errc::unavailable.
class WorkerPool {
 public:
  WorkerPool(std::size_t threads, std::size_t queue, const std::string& name);
  ~WorkerPool();
  /// Answers on the caller's shard.
  template <class F> auto run(F work) -> Async<Plain<std::invoke_result_t<F>>>;
  Async<bool> submit(std::function<void()> work);

 private:
  struct State;
  std::shared_ptr<State> state_;
};

template <class F> auto WorkerPool::run(F work) -> Async<Plain<std::invoke_result_t<F>>> {
  using T = std::invoke_result_t<F>;
  auto out = std::make_shared<std::optional<T>>();
  std::function<void()> job = [out, work = std::move(work)]() mutable { out->emplace(work()); };
  auto done = co_await submit(std::move(job));
  if (!done) co_return done.error();
  co_return std::move(**out);
}

}  // namespace loggia
