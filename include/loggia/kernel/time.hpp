#pragma once
// Time as the contract shows it, and the only ways to ask for it. Nothing but src/kernel/time reads a clock.
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include "loggia/kernel/result.hpp"

namespace loggia {

/// A moment in UTC, to the millisecond: RFC 3339 on the wire, an integer in the store.
using Time = std::chrono::sys_time<std::chrono::milliseconds>;
/// For waiting and deadlines: never jumps.
using Moment = std::chrono::steady_clock::time_point;
using std::chrono::milliseconds;

std::string to_rfc3339(Time time);
Result<Time> parse_rfc3339(std::string_view text);

/// Safe from every thread.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual Time now() const = 0;
  virtual Moment moment() const = 0;
};

/// Chance, from a source that nobody can guess. Safe from every thread.
class Random {
 public:
  virtual ~Random() = default;
  virtual void fill(void* out, std::size_t size) = 0;
  std::uint64_t number();
  /// Less than `bound`; for spreading load, not for secrets.
  std::uint64_t below(std::uint64_t bound);
};

std::unique_ptr<Clock> system_clock();
std::unique_ptr<Random> system_random();

}  // namespace loggia
