#pragma once
// DIR/loggia.lock: a data directory belongs to one process. Held until destroyed; the system lets go when the process dies.
#include <filesystem>
#include <memory>
#include "loggia/kernel/result.hpp"

namespace loggia {

class DirectoryLock {
 public:
  /// Makes the directory (mode 0700) where it is missing. The error names the holder.
  static Result<std::unique_ptr<DirectoryLock>> take(const std::filesystem::path& directory);
  ~DirectoryLock();
  DirectoryLock(const DirectoryLock&) = delete;
  /// Whether somebody else holds it.
  static bool held(const std::filesystem::path& directory);

 private:
  explicit DirectoryLock(int file) : file_{file} {}
  int file_;
};

}  // namespace loggia
