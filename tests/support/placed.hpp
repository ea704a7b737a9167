#pragma once
// Which engine the stores of this run are on. With LOGGIA_TEST_POSTGRES (scripts/postgres run) they are schemas of that server, one for each
// store or directory; without, SQLite.
#include <unistd.h>
#include <atomic>
#include <cctype>
#include <cstdlib>
#include <string>
#include "loggia/kernel/storage.hpp"

namespace loggia::test {

/// The server that these tests run against; empty: SQLite.
inline std::string postgres() {
  const char* url = std::getenv("LOGGIA_TEST_POSTGRES");
  return url ? url : "";
}
inline bool on_postgres() { return !postgres().empty(); }

/// Where the store lies: of a directory always in the same schema, of none in one of its own.
inline DatabaseOptions placed(DatabaseOptions options) {
  static std::atomic<int> made{0};
  options.postgres = postgres();
  if (options.postgres.empty()) return options;
  if (options.directory.empty()) {
    options.schema = "t" + std::to_string(::getpid()) + "_" + std::to_string(++made) + "_" + options.name;
  } else {
    for (const char c : options.directory.filename().string() + "_" + options.name) {
      if (std::isupper(static_cast<unsigned char>(c)) != 0) options.schema += '_';
      options.schema += c == '-' ? '_' : static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    }
  }
  return options;
}

}  // namespace loggia::test
