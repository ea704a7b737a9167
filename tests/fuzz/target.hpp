#pragma once
// A fuzz target is a function over bytes. Under libFuzzer (preset `fuzz`) each is a program of its own; elsewhere all are linked into
// fuzz_tests, which feeds the kept corpus to them. What `require` names is a property of the parser; breaking it is a finding.
#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace loggia::fuzz {

using Target = void (*)(std::string_view input);

inline std::vector<std::pair<std::string_view, Target>>& targets() {
  static std::vector<std::pair<std::string_view, Target>> all;
  return all;
}
inline bool add(std::string_view name, Target target) {
  targets().emplace_back(name, target);
  return true;
}

/// Nobody catches it under libFuzzer: the input is kept and the property's name printed.
inline void require(bool holds, const char* property) {
  if (!holds) throw std::logic_error(property);
}

/// The first byte of an input chooses among what a target can do.
inline unsigned choice(std::string_view& input, unsigned ways) {
  if (input.empty()) return 0;
  const auto chosen = static_cast<unsigned char>(input.front()) % ways;
  input.remove_prefix(1);
  return chosen;
}

/// What is before the next `separator`, which is taken off too.
inline std::string_view part(std::string_view& input, char separator) {
  const auto end = input.find(separator);
  const auto out = input.substr(0, end);
  input = end == std::string_view::npos ? std::string_view() : input.substr(end + 1);
  return out;
}

}  // namespace loggia::fuzz

#ifdef LOGGIA_LIBFUZZER
#define LOGGIA_FUZZ(name)                                                             \
  static void fuzz_##name(std::string_view);                                          \
  extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) { \
    fuzz_##name(std::string_view(reinterpret_cast<const char*>(data), size));         \
    return 0;                                                                         \
  }                                                                                   \
  static void fuzz_##name(std::string_view input)
#else
#define LOGGIA_FUZZ(name)                                                      \
  static void fuzz_##name(std::string_view);                                   \
  static const bool fuzz_added_##name = loggia::fuzz::add(#name, fuzz_##name); \
  static void fuzz_##name(std::string_view input)
#endif
