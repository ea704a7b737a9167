#include "loggia/kernel/mutant.hpp"

#ifdef LOGGIA_MUTANTS
#include <cstdlib>
#include "loggia/kernel/log.hpp"

namespace loggia::mutant {

std::size_t living() {
  static const std::size_t one = [] {
    const char* wanted = std::getenv("LOGGIA_MUTANT");
    if (!wanted || !*wanted) return std::size(names);
    for (std::size_t at = 0; at < std::size(names); ++at)
      if (names[at] == wanted) return at;
    log::error("mutant.unknown", Field("name", wanted));
    std::_Exit(2);
  }();
  return one;
}

}  // namespace loggia::mutant
#endif
