#include <doctest/doctest.h>
#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>
#include <atomic>
#include <future>
#include <stdexcept>
#include <thread>
#include "kernel/fixtures.hpp"
#include "loggia/kernel/capacity.hpp"
#include "support/print.hpp"

using namespace loggia;
using namespace std::chrono_literals;

namespace {

constexpr milliseconds long_enough(30000);

boost::asio::awaitable<void> wait_an_hour(std::shared_ptr<std::atomic<int>> ended) {
  const auto slept = co_await sleep_for(3600s);
  if (!slept) ++*ended;
}
boost::asio::awaitable<void> wait_again_and_again(std::shared_ptr<std::atomic<int>> turns) {
  for (;;) {
    ++*turns;
    static_cast<void>(co_await sleep_for(3600s));
  }
}
boost::asio::awaitable<void> throw_something() {
  throw std::runtime_error("nobody catches this");
  co_return;
}
boost::asio::awaitable<std::thread::id> id_after(std::shared_ptr<WorkerPool> pool, std::shared_ptr<std::thread::id> worker) {
  auto work = [worker] {
    *worker = std::this_thread::get_id();
    return 42;
  };
  auto answer = co_await pool->run(std::move(work));
  CHECK(answer.value() == 42);
  co_return std::this_thread::get_id();
}
boost::asio::awaitable<std::string> thrown_by(std::shared_ptr<WorkerPool> pool) {
  auto work = []() -> int { throw std::runtime_error("the work failed"); };
  std::string said;
  try {
    auto answer = co_await pool->run(std::move(work));
    said = "nothing";
  } catch (const std::runtime_error& problem) {
    said = problem.what();
  }
  co_return said;
}
Async<bool> submit_to(std::shared_ptr<WorkerPool> pool, std::function<void()> work) {
  auto done = co_await pool->submit(std::move(work));
  co_return done;
}

}  // namespace

TEST_CASE("every shard is a thread of its own, with its name and its number") {
  const auto shards = thread_shards(3);
  CHECK(shards->size() == 3);
  CHECK(shards->current() == 0);
  for (std::size_t at = 0; at < 3; ++at) {
    std::promise<std::pair<std::size_t, std::string>> seen;
    shards->post(at, [&] {
      char name[16] = "";
      ::pthread_getname_np(::pthread_self(), name, sizeof name);
      seen.set_value(std::make_pair(shards->current(), std::string(name)));
    });
    const auto [number, name] = seen.get_future().get();
    CHECK(number == at);
    CHECK(name == "shard-" + std::to_string(at));
  }
  stop_shards(*shards);
}

TEST_CASE("posts of one thread run in their order") {
  const auto shards = thread_shards(1);
  std::vector<int> order;
  std::promise<void> done;
  for (int at = 0; at < 100; ++at) shards->post(0, [&, at] { order.push_back(at); });
  shards->post(0, [&] { done.set_value(); });
  done.get_future().wait();
  CHECK(order.size() == 100);
  CHECK(std::is_sorted(order.begin(), order.end()));
}

TEST_CASE("a timer runs once its time has come, and never after its handle is gone") {
  const auto shards = thread_shards(1);
  std::promise<void> ran;
  std::atomic<int> cancelled{0};
  Shards::Timer kept;
  shards->post(0, [&] {
    auto dropped = shards->after(0, 1ms, [&] { ++cancelled; });
    dropped.reset();
    kept = shards->after(0, 5ms, [&] { ran.set_value(); });
  });
  CHECK(ran.get_future().wait_for(long_enough) == std::future_status::ready);
  CHECK(cancelled == 0);
}

TEST_CASE("cancelled tasks end early, and the group waits for them") {
  const auto shards = thread_shards(2);
  const auto ended = std::make_shared<std::atomic<int>>(0);
  Tasks tasks;
  for (int at = 0; at < 10; ++at) tasks.spawn(shards->executor(static_cast<std::size_t>(at % 2)), "wait", wait_an_hour(ended));
  CHECK(tasks.size() == 10);
  CHECK_FALSE(tasks.wait(1ms));
  // Both shards have begun them.
  for (std::size_t at = 0; at < 2; ++at) {
    std::promise<void> reached;
    shards->post(at, [&] { shards->post(at, [&] { shards->post(at, [&] { reached.set_value(); }); }); });
    reached.get_future().wait();
  }
  tasks.cancel();
  CHECK(tasks.wait(long_enough));
  CHECK(*ended == 10);
  CHECK(tasks.size() == 0);
}

TEST_CASE("a task that goes on after its cancellation ends at its next wait") {
  const auto shards = thread_shards(1);
  const auto turns = std::make_shared<std::atomic<int>>(0);
  Tasks tasks;
  tasks.spawn(shards->executor(0), "stubborn", wait_again_and_again(turns));
  while (*turns == 0) std::this_thread::yield();
  tasks.cancel();
  CHECK(tasks.wait(long_enough));
  CHECK(*turns <= 2);
}

TEST_CASE("a group that was cancelled takes no new task, and one that had not begun ends unseen") {
  const auto shards = thread_shards(1);
  const auto ended = std::make_shared<std::atomic<int>>(0);
  Tasks tasks;
  std::promise<void> go;
  shards->post(0, [waiting = go.get_future().share()] { waiting.wait(); });
  tasks.spawn(shards->executor(0), "late", wait_an_hour(ended));
  tasks.cancel();
  tasks.spawn(shards->executor(0), "later", wait_an_hour(ended));
  CHECK(tasks.size() == 1);
  go.set_value();
  CHECK(tasks.wait(long_enough));
  CHECK(*ended == 0);
}

TEST_CASE("an exception that leaves a task ends the process with 1") {
  const pid_t child = ::fork();
  if (child == 0) {
    ::close(2);
    const auto shards = thread_shards(1);
    Tasks tasks;
    tasks.spawn(shards->executor(0), "broken", throw_something());
    tasks.wait(long_enough);
    ::_exit(42);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 1);
}

TEST_CASE("a pool works on threads of its own and answers on the caller's shard") {
  const auto shards = thread_shards(1);
  const auto pool = std::make_shared<WorkerPool>(2, 10, "hash");
  std::promise<std::thread::id> home;
  shards->post(0, [&] { home.set_value(std::this_thread::get_id()); });
  const auto worker = std::make_shared<std::thread::id>();
  const auto answered = testing::run_on(*shards, id_after(pool, worker));
  CHECK(answered == home.get_future().get());
  CHECK(*worker != answered);
}

TEST_CASE("what the work throws is thrown to who asked for it") {
  const auto shards = thread_shards(1);
  const auto pool = std::make_shared<WorkerPool>(1, 10, "hash");
  CHECK(testing::run_on(*shards, thrown_by(pool)) == "the work failed");
}

TEST_CASE("a full queue is unavailable at once, and what was taken is still done") {
  const auto shards = thread_shards(1);
  const auto pool = std::make_shared<WorkerPool>(1, 1, "hash");
  std::promise<void> go, begun;
  std::atomic<int> done{0};
  const auto opened = go.get_future().share();
  const auto spawn = [&](std::function<void()> work) {
    return boost::asio::co_spawn(shards->executor(0), submit_to(pool, std::move(work)), boost::asio::use_future);
  };
  auto running = spawn([&] {
    begun.set_value();
    opened.wait();
    ++done;
  });
  begun.get_future().wait();
  auto waiting = spawn([&] { ++done; });
  const auto refused = spawn([&] { ++done; }).get();
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().code == Errc::unavailable);
  go.set_value();
  CHECK(running.get().has_value());
  CHECK(waiting.get().has_value());
  CHECK(done == 2);
}

TEST_CASE("a vector gives back the capacity of a crowd, and keeps what few need") {
  std::vector<int> crowd(10000), some(3000), few(100);
  for (auto* vector : {&crowd, &some, &few}) {
    vector->resize(std::min<std::size_t>(vector->size(), 1000));
    give_back_capacity(*vector);
  }
  CHECK(crowd.capacity() < 10000);
  CHECK(crowd.size() == 1000);
  CHECK(some.capacity() == 3000);
  CHECK(few.capacity() == 100);
}
