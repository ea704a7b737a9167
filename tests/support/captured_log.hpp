#pragma once
// What a test's process writes to its log.
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>
#include <string>
#include "loggia/kernel/log.hpp"

namespace loggia::test {

/// Standard error into memory while it lives; one at a time. `clock` outlives every line that the process logs.
class CapturedLog {
 public:
  CapturedLog(log::Level level, log::Format format, const Clock& clock) : clock_{clock}, memory_{::memfd_create("stderr", 0)}, before_{::dup(2)} {
    ::dup2(memory_, 2);
    log::configure(level, format, clock);
  }
  CapturedLog(const CapturedLog&) = delete;
  ~CapturedLog() {
    ::dup2(before_, 2);
    ::close(before_);
    ::close(memory_);
    log::configure(log::Level::info, log::Format::text, clock_);
  }
  std::string text() const {
    std::string out(static_cast<std::size_t>(::lseek(memory_, 0, SEEK_END)), '\0');
    const auto size = ::pread(memory_, out.data(), out.size(), 0);
    out.resize(size < 0 ? 0 : static_cast<std::size_t>(size));
    return out;
  }

 private:
  const Clock& clock_;
  int memory_, before_;
};

}  // namespace loggia::test
