#include "lifecycle/lock.hpp"
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cerrno>
#include <cstring>

namespace loggia {
namespace {

std::string holder_of(int file) {
  char text[32] = {};
  const auto size = ::pread(file, text, sizeof text - 1, 0);
  std::string holder(text, size > 0 ? static_cast<std::size_t>(size) : 0);
  while (!holder.empty() && (holder.back() < '0' || holder.back() > '9')) holder.pop_back();
  return holder;
}

}  // namespace

Result<std::unique_ptr<DirectoryLock>> DirectoryLock::take(const std::filesystem::path& directory) {
  std::error_code problem;
  if (std::filesystem::create_directories(directory, problem)) ::chmod(directory.c_str(), 0700);
  if (problem)
    return Error(Errc::internal, "cannot make the data directory " + directory.string() + ": " + problem.message() + ". Name another with --data.");
  const auto path = directory / "loggia.lock";
  const int file = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (file < 0)
    return Error(Errc::internal,
                 "cannot write " + path.string() + ": " + std::strerror(errno) + ". The data directory must be writable for this user.");
  if (::flock(file, LOCK_EX | LOCK_NB) != 0) {
    const auto holder = holder_of(file);
    ::close(file);
    return Error(Errc::conflict, "the data directory " + std::filesystem::absolute(directory).string() + " is in use by process " + holder +
                                     ". Stop that one, or name another directory with --data.");
  }
  const auto pid = std::to_string(::getpid()) + "\n";
  if (::ftruncate(file, 0) != 0 || ::pwrite(file, pid.data(), pid.size(), 0) < 0) {
    ::close(file);
    return Error(Errc::internal, "cannot write " + path.string() + ": " + std::strerror(errno) + ". Is the disk full?");
  }
  return std::unique_ptr<DirectoryLock>(new DirectoryLock(file));
}

DirectoryLock::~DirectoryLock() { ::close(file_); }

bool DirectoryLock::held(const std::filesystem::path& directory) {
  const int file = ::open((directory / "loggia.lock").c_str(), O_RDWR | O_CLOEXEC);
  if (file < 0) return false;
  const bool free = ::flock(file, LOCK_EX | LOCK_NB) == 0;
  ::close(file);
  return !free;
}

}  // namespace loggia
