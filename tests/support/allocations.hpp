#pragma once
// How often the calling thread has asked for memory by `new`. For the programs that CMake gives to loggia_counts_allocations() alone, and never
// together with a sanitizer, which wants `new` for itself: tests that count are inside `#ifdef LOGGIA_COUNTS_ALLOCATIONS`.
#include <cstdint>

namespace loggia::test {

std::uint64_t allocations();

}  // namespace loggia::test
