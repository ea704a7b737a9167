#pragma once
// Where the test's coroutines run: one thread, one queue, and with each resumption the moment at which it was posted, told by `now()`.
// The store posts an answer from its writer's thread in the moment in which it gives it: so the disk's history has the exact place at which
// something was promised, whatever the writer did next.
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/execution.hpp>
#include <boost/asio/execution_context.hpp>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <stdexcept>

namespace loggia::faults {

class Stage : public boost::asio::execution_context {
 public:
  explicit Stage(std::function<std::size_t()> now) : now_{std::move(now)} {}
  ~Stage() {
    queue_.clear();
    shutdown();
    destroy();
  }

  class Executor {
   public:
    explicit Executor(Stage& stage) : stage_{&stage} {}
    boost::asio::execution_context& query(boost::asio::execution::context_t) const noexcept { return *stage_; }
    static constexpr boost::asio::execution::blocking_t query(boost::asio::execution::blocking_t) noexcept {
      return boost::asio::execution::blocking.never;
    }
    template <class F> void execute(F work) const {
      stage_->put([shared = std::make_shared<F>(std::move(work))] { std::move (*shared)(); });
    }
    friend bool operator==(const Executor& a, const Executor& b) noexcept { return a.stage_ == b.stage_; }
    friend bool operator!=(const Executor& a, const Executor& b) noexcept { return a.stage_ != b.stage_; }

   private:
    Stage* stage_;
  };
  Executor executor() { return Executor(*this); }

  /// Of what runs now: where the history was when it was posted.
  std::size_t posted_at() const { return posted_at_; }
  /// Runs what is there.
  void run() {
    while (run_one(false)) {
    }
  }
  /// Runs until `done()`; throws when nothing comes for 20 s.
  template <class F> void run_until(F done) {
    while (!done()) run_one(true);
  }

 private:
  struct Item {
    std::size_t posted_at;
    std::function<void()> work;
  };
  void put(std::function<void()> work) {
    {
      const std::lock_guard lock(mutex_);
      queue_.push_back({now_(), std::move(work)});
    }
    wake_.notify_one();
  }
  bool run_one(bool wait) {
    std::unique_lock lock(mutex_);
    if (wait && !wake_.wait_for(lock, std::chrono::seconds(20), [this] { return !queue_.empty(); }))
      throw std::runtime_error("the store did not answer for 20 s");
    if (queue_.empty()) return false;
    auto item = std::move(queue_.front());
    queue_.pop_front();
    lock.unlock();
    posted_at_ = item.posted_at;
    item.work();
    return true;
  }

  std::function<std::size_t()> now_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Item> queue_;
  std::size_t posted_at_ = 0;
};

}  // namespace loggia::faults
