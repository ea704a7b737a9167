#include <iostream>
#include "cli/commands.hpp"
#include "loggia/kernel/process.hpp"

namespace loggia::cli {

std::string version() { return LOGGIA_VERSION; }
std::string commit() { return LOGGIA_COMMIT; }

int print_version(Shell&) {
#ifdef __clang__
  const std::string compiler = "clang " __clang_version__;
#else
  const std::string compiler = "g++ " __VERSION__;
#endif
  std::cout << "loggia " << version() << " (" << commit() << ")\ncompiler " << compiler << "\n";
  for (const auto& [name, number] : library_versions()) std::cout << name << ' ' << number << '\n';
  return 0;
}

}  // namespace loggia::cli
