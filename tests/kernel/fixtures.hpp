#pragma once
// What several tests of the kernel share: a clock that stands, chance that counts, and a shard to run a coroutine on.
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_future.hpp>
#include <utility>
#include "loggia/kernel/shards.hpp"

namespace loggia::testing {

class StandingClock final : public Clock {
 public:
  Time now() const override { return time; }
  Moment moment() const override { return moment_; }
  Time time = Time(milliseconds(1769860800123));  // 2026-01-31T12:00:00.123Z
  Moment moment_{};
};

/// Bytes that count up, so that ids differ and tests repeat.
class CountingRandom final : public Random {
 public:
  void fill(void* out, std::size_t size) override {
    for (std::size_t at = 0; at < size; ++at) static_cast<unsigned char*>(out)[at] = next_++;
  }

 private:
  unsigned char next_ = 1;
};

/// Runs the coroutine on shard 0 and waits for what it returns.
template <class T> T run_on(Shards& shards, boost::asio::awaitable<T> task) {
  return boost::asio::co_spawn(shards.executor(0), std::move(task), boost::asio::use_future).get();
}

}  // namespace loggia::testing
