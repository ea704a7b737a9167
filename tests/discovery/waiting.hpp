#pragma once
// For what happens on threads of its own: looked for again and again, until it is so or the time is over.
#include <thread>
#include "loggia/kernel/time.hpp"

namespace loggia::test {

inline Moment now() {
  static const auto clock = system_clock();
  return clock->moment();
}
template <class F> bool within(milliseconds limit, F holds) {
  for (const auto end = now() + limit; now() < end; std::this_thread::sleep_for(milliseconds(10)))
    if (holds()) return true;
  return holds();
}
template <class F> bool in_time(F holds) { return within(milliseconds(20000), std::move(holds)); }

}  // namespace loggia::test
