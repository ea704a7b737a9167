#include "loggia/kernel/shards.hpp"
#include <pthread.h>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cstdlib>
#include <exception>
#include <thread>
#include "loggia/kernel/log.hpp"
#include "tasks/virtual_time.hpp"

namespace loggia {
namespace {

namespace asio = boost::asio;

thread_local std::size_t current_shard = 0;

/// An exception that nobody above would see: said, then the end.
[[noreturn]] void end_process(std::string_view where, const char* what) {
  log::error("task.failed", Field("where", where), Field("why", what));
  std::_Exit(1);
}

class ThreadShards final : public Shards {
 public:
  explicit ThreadShards(std::size_t count) {
    for (std::size_t at = 0; at < count; ++at) loops_.push_back(std::make_unique<Loop>());
    for (std::size_t at = 0; at < count; ++at) {
      loops_[at]->thread = std::thread([this, at] { run(at); });
      pthread_setname_np(loops_[at]->thread.native_handle(), ("shard-" + std::to_string(at)).c_str());
    }
  }
  ~ThreadShards() override { stop(); }

  std::size_t size() const override { return loops_.size(); }
  Executor executor(std::size_t shard) override { return loops_.at(shard)->context.get_executor(); }
  std::size_t current() const override { return current_shard; }
  void post(std::size_t shard, std::function<void()> work) override { asio::post(loops_[shard]->context, std::move(work)); }

  Timer after(std::size_t shard, milliseconds delay, std::function<void()> work) override {
    auto timer = std::make_shared<asio::steady_timer>(loops_[shard]->context, delay);
    timer->async_wait([work = std::move(work)](const boost::system::error_code& problem) {
      if (!problem) work();
    });
    return timer;
  }

  void stop() {
    for (auto& loop : loops_) {
      loop->guard.reset();
      loop->context.stop();
    }
    for (auto& loop : loops_)
      if (loop->thread.joinable()) loop->thread.join();
  }

 private:
  struct Loop {
    asio::io_context context{1};
    asio::executor_work_guard<asio::io_context::executor_type> guard{context.get_executor()};
    std::thread thread;
  };

  void run(std::size_t shard) try {
    current_shard = shard;
    loops_[shard]->context.run();
  } catch (const std::exception& escaped) {
    end_process("shard", escaped.what());
  }

  std::vector<std::unique_ptr<Loop>> loops_;
};

}  // namespace

std::shared_ptr<Shards> thread_shards(std::size_t count) { return std::make_shared<ThreadShards>(count); }

void stop_shards(Shards& shards) { dynamic_cast<ThreadShards&>(shards).stop(); }

Async<bool> sleep_for(milliseconds duration) {
  auto executor = co_await asio::this_coro::executor;
  auto& context = asio::query(executor, asio::execution::context);
  if (asio::has_service<VirtualTime>(context)) {
    auto slept = asio::use_service<VirtualTime>(context).sleep(duration);
    co_return co_await std::move(slept);
  }
  asio::steady_timer timer(executor, duration);
  boost::system::error_code problem;
  co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, problem));
  if (problem) co_return Error(Errc::unavailable, "cancelled");
  co_return true;
}

}  // namespace loggia
