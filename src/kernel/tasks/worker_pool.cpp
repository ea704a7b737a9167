#include <pthread.h>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>
#include "loggia/kernel/shards.hpp"

namespace loggia {

namespace asio = boost::asio;

struct WorkerPool::State {
  std::mutex mutex;
  std::condition_variable wake;
  std::deque<std::function<void()>> waiting;
  std::size_t queue_max = 0;
  bool ending = false;
  std::vector<std::thread> threads;

  void run() {
    std::unique_lock lock(mutex);
    for (;;) {
      wake.wait(lock, [this] { return ending || !waiting.empty(); });
      if (waiting.empty()) return;
      auto work = std::move(waiting.front());
      waiting.pop_front();
      lock.unlock();
      work();
      work = nullptr;
      lock.lock();
    }
  }
};

WorkerPool::WorkerPool(std::size_t threads, std::size_t queue, const std::string& name) : state_{std::make_shared<State>()} {
  state_->queue_max = queue;
  for (std::size_t at = 0; at < threads; ++at) {
    state_->threads.emplace_back([state = state_.get()] { state->run(); });
    pthread_setname_np(state_->threads.back().native_handle(), name.substr(0, 15).c_str());
  }
}

WorkerPool::~WorkerPool() {
  {
    const std::lock_guard lock(state_->mutex);
    state_->ending = true;
  }
  state_->wake.notify_all();
  for (auto& thread : state_->threads) thread.join();
}

Async<bool> WorkerPool::submit(std::function<void()> work) {
  auto state = state_;
  auto home = co_await asio::this_coro::executor;
  auto failure = std::make_shared<std::exception_ptr>();
  bool taken = true;
  const auto start = [&](auto handler) {
    auto shared = std::make_shared<decltype(handler)>(std::move(handler));
    auto finish = [home, shared] { asio::post(home, [shared] { std::move (*shared)(); }); };
    {
      const std::lock_guard lock(state->mutex);
      taken = !state->ending && state->waiting.size() < state->queue_max;
      if (taken)
        state->waiting.push_back([work, finish, failure] {
          try {
            work();
          } catch (...) {
            *failure = std::current_exception();
          }
          finish();
        });
    }
    if (taken) state->wake.notify_one();
    else finish();
  };
  auto pending = asio::async_initiate<const asio::use_awaitable_t<>, void()>(start, asio::use_awaitable);
  co_await std::move(pending);
  if (!taken) co_return Error(Errc::unavailable, "too much to do at this moment; try again in a second");
  if (*failure) std::rethrow_exception(*failure);
  co_return true;
}

}  // namespace loggia
