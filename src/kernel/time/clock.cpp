// The one place that reads a clock or the system's chance.
#include <sys/random.h>
#include <algorithm>
#include <cstring>
#include <memory>
#include <stdexcept>
#include "loggia/kernel/time.hpp"

namespace loggia {
namespace {

class SystemClock final : public Clock {
 public:
  Time now() const override { return std::chrono::floor<milliseconds>(std::chrono::system_clock::now()); }
  Moment moment() const override { return std::chrono::steady_clock::now(); }
};

/// getrandom(2) in supplies of 256 bytes a thread: an id must not cost a system call.
class SystemRandom final : public Random {
 public:
  void fill(void* out, std::size_t size) override {
    thread_local Supply supply;
    auto* bytes = static_cast<unsigned char*>(out);
    while (size > 0) {
      if (supply.left == 0) supply.refill();
      const auto count = std::min(size, supply.left);
      auto* from = supply.bytes + sizeof supply.bytes - supply.left;
      std::memcpy(bytes, from, count);
      std::memset(from, 0, count);  // what was handed out is nowhere else
      supply.left -= count;
      bytes += count;
      size -= count;
    }
  }

 private:
  struct Supply {
    unsigned char bytes[256];
    std::size_t left = 0;
    void refill() {
      if (::getrandom(bytes, sizeof bytes, 0) != static_cast<ssize_t>(sizeof bytes)) throw std::runtime_error("getrandom failed");
      left = sizeof bytes;
    }
  };
};

}  // namespace

std::unique_ptr<Clock> system_clock() { return std::make_unique<SystemClock>(); }
std::unique_ptr<Random> system_random() { return std::make_unique<SystemRandom>(); }

std::uint64_t Random::number() {
  std::uint64_t value = 0;
  fill(&value, sizeof value);
  return value;
}

std::uint64_t Random::below(std::uint64_t bound) { return bound == 0 ? 0 : number() % bound; }

}  // namespace loggia
