#pragma once
// Who works in a data directory. A process with all modules that store holds DIR/loggia.lock alone. One with a part of them shares it with the other
// parts, and holds DIR/MODULE.lock for each of its own. All are held until destroyed; the system lets go when the process dies.
#include <filesystem>
#include <memory>
#include <string>
#include <vector>
#include "loggia/kernel/module.hpp"

namespace loggia {

class DirectoryLock {
 public:
  /// The whole directory. Makes it (mode 0700) where it is missing. The error names who holds it.
  static Result<std::unique_ptr<DirectoryLock>> take(const std::filesystem::path& directory);
  /// The part of `modules`, of which there is at least one. `together`: their data is elsewhere and may have several owners, so that a process that
  /// finds another one with the same module takes a lock with a number in its name.
  static Result<std::unique_ptr<DirectoryLock>> take_part(const std::filesystem::path& directory, const std::vector<std::string>& modules,
                                                          bool together);
  ~DirectoryLock();
  DirectoryLock(const DirectoryLock&) = delete;
  /// The name of the control socket that is this process's own as long as it holds the lock: control.sock, or control.MODULE.sock of a part.
  const std::string& socket() const { return socket_; }

 private:
  explicit DirectoryLock(std::string socket) : socket_{std::move(socket)} {}
  std::vector<int> files_;
  std::string socket_;
};

/// What a process with the modules of `config` has to hold, or with every module that stores (`whole`). Null where it stores nothing: then it needs
/// no directory.
Result<std::unique_ptr<DirectoryLock>> lock_directory(const Config& config, const std::vector<ModuleDescriptor>& modules, bool whole);

}  // namespace loggia
