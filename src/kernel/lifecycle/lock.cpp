#include "lifecycle/lock.hpp"
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include <algorithm>
#include <cerrno>
#include <cstring>
#include "loggia/kernel/process.hpp"

namespace loggia {
namespace {

namespace fs = std::filesystem;
constexpr int most_together = 64;

Error not_writable(const fs::path& path) {
  return Error(Errc::internal,
               "cannot write " + path.string() + ": " + std::strerror(errno) + ". The data directory must be writable for this user.");
}

Result<bool> make(const fs::path& directory) {
  std::error_code problem;
  if (fs::create_directories(directory, problem)) ::chmod(directory.c_str(), 0700);
  if (problem)
    return Error(Errc::internal, "cannot make the data directory " + directory.string() + ": " + problem.message() + ". Name another with --data.");
  return true;
}

int open(const fs::path& path) { return ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600); }

std::string holder_of(int file) {
  char text[32] = {};
  const auto size = ::pread(file, text, sizeof text - 1, 0);
  std::string holder(text, size > 0 ? static_cast<std::size_t>(size) : 0);
  while (!holder.empty() && (holder.back() < '0' || holder.back() > '9')) holder.pop_back();
  return holder;
}

Result<bool> sign(int file, const fs::path& path) {
  const auto pid = std::to_string(::getpid()) + "\n";
  if (::ftruncate(file, 0) == 0 && ::pwrite(file, pid.data(), pid.size(), 0) > 0) return true;
  return Error(Errc::internal, "cannot write " + path.string() + ": " + std::strerror(errno) + ". Is the disk full?");
}

/// `process 7 (chat), process 9 (user)`: who holds a part.
std::string holders_of_parts(const fs::path& directory) {
  std::vector<std::string> found;
  std::error_code problem;
  for (const auto& entry : fs::directory_iterator(directory, problem)) {
    const auto& path = entry.path();
    if (path.extension() != ".lock" || path.filename() == "loggia.lock") continue;
    const int file = ::open(path.c_str(), O_RDWR | O_CLOEXEC);
    if (file < 0) continue;
    if (::flock(file, LOCK_SH | LOCK_NB) != 0) found.push_back("process " + holder_of(file) + " (" + path.stem().string() + ")");
    ::close(file);
  }
  std::sort(found.begin(), found.end());
  return joined(found);
}

Error in_use(const fs::path& directory, const std::string& holder) {
  std::error_code ignored;
  return Error(Errc::conflict, "the data directory " + fs::absolute(directory, ignored).string() + " is in use by " + holder +
                                   ". Stop it first, or name another directory with --data.");
}

}  // namespace

Result<std::unique_ptr<DirectoryLock>> DirectoryLock::take(const fs::path& directory) {
  if (auto made = make(directory); !made) return made.error();
  const auto path = directory / "loggia.lock";
  const int file = open(path);
  if (file < 0) return not_writable(path);
  auto lock = std::unique_ptr<DirectoryLock>(new DirectoryLock("control.sock"));
  lock->files_.push_back(file);
  if (::flock(file, LOCK_EX | LOCK_NB) != 0) {
    // Parts have their own locks before they share this one.
    const auto parts = holders_of_parts(directory);
    return in_use(directory, parts.empty() ? "process " + holder_of(file) : parts);
  }
  if (auto written = sign(file, path); !written) return written.error();
  return lock;
}

Result<std::unique_ptr<DirectoryLock>> DirectoryLock::take_part(const fs::path& directory, const std::vector<std::string>& modules, bool together) {
  if (auto made = make(directory); !made) return made.error();
  auto lock = std::unique_ptr<DirectoryLock>(new DirectoryLock(std::string()));
  for (const auto& module : modules) {
    for (int number = 1;; ++number) {
      const auto name = number == 1 ? module : module + '-' + std::to_string(number);
      const auto path = directory / (name + ".lock");
      const int file = open(path);
      if (file < 0) return not_writable(path);
      lock->files_.push_back(file);
      if (::flock(file, LOCK_EX | LOCK_NB) != 0) {
        if (together && number < most_together) continue;
        return in_use(directory, "process " + holder_of(file) + ", which has the module \"" + module + "\"");
      }
      if (auto written = sign(file, path); !written) return written.error();
      if (lock->socket_.empty()) lock->socket_ = "control." + name + ".sock";
      break;
    }
  }
  const auto path = directory / "loggia.lock";
  const int file = open(path);
  if (file < 0) return not_writable(path);
  lock->files_.push_back(file);
  if (::flock(file, LOCK_SH | LOCK_NB) != 0) return in_use(directory, "process " + holder_of(file));
  return lock;
}

DirectoryLock::~DirectoryLock() {
  for (const int file : files_) ::close(file);
}

Result<std::unique_ptr<DirectoryLock>> lock_directory(const Config& config, const std::vector<ModuleDescriptor>& modules, bool whole) {
  const auto wanted = config.list("process.modules");
  std::vector<std::string> here;
  std::size_t all = 0;
  for (const auto& module : modules) {
    if (module.migrations.empty()) continue;
    ++all;
    if (whole || wanted.empty() || std::find(wanted.begin(), wanted.end(), module.name) != wanted.end()) here.push_back(module.name);
  }
  const fs::path directory = config.text("storage.dir");
  if (all > 0 && here.size() == all) return DirectoryLock::take(directory);
  if (here.empty()) return std::unique_ptr<DirectoryLock>();
  return DirectoryLock::take_part(directory, here, config.text("storage.kind") == "postgres");
}

Result<std::shared_ptr<void>> hold_directory(const fs::path& directory) {
  auto lock = DirectoryLock::take(directory);
  if (!lock) return lock.error();
  return std::shared_ptr<void>(std::shared_ptr<DirectoryLock>(std::move(*lock)));
}

}  // namespace loggia
