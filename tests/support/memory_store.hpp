#pragma once
// Stores for tests: in memory, gone with the last reference; or a file in a directory of the test's own, to be closed and opened again. Or schemas of
// a PostgreSQL: support/placed.hpp.
#include <unistd.h>
#include <filesystem>
#include <stdexcept>
#include <string>
#include "support/placed.hpp"

namespace loggia::test {

/// With the kernel's tables and the module's own.
inline std::shared_ptr<Database> memory_database(std::shared_ptr<Clock> clock, std::vector<Migration> migrations = std::vector<Migration>(),
                                                 std::string name = "test") {
  DatabaseOptions options;
  options.name = std::move(name);
  options.migrations = std::move(migrations);
  options.clock = std::move(clock);
  return open_database(placed(std::move(options))).value();
}

/// A directory that goes with the test.
class TemporaryDirectory {
 public:
  TemporaryDirectory() {
    auto pattern = (std::filesystem::temp_directory_path() / ("loggia-test-" + std::string(6, 'X'))).string();
    if (!::mkdtemp(pattern.data())) throw std::runtime_error("cannot make a directory in " + pattern);
    path_ = pattern;
  }
  ~TemporaryDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

inline DatabaseOptions file_options(const std::filesystem::path& directory, std::shared_ptr<Clock> clock,
                                    std::vector<Migration> migrations = std::vector<Migration>(), std::string name = "test") {
  DatabaseOptions options;
  options.directory = directory;
  options.name = std::move(name);
  options.migrations = std::move(migrations);
  options.clock = std::move(clock);
  return placed(std::move(options));
}

}  // namespace loggia::test
