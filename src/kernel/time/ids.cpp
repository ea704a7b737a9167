#include "loggia/kernel/ids.hpp"
#include <mutex>
#include "loggia/kernel/crypto.hpp"

namespace loggia {

/// RFC 9562, section 6.2, method 1: the 12 bits after the time count within a millisecond; full, they borrow the next one.
struct Ids::Last {
  std::mutex mutex;
  std::uint64_t milliseconds = 0;
  std::uint32_t count = 0;
};

std::shared_ptr<Ids::Last> Ids::start() { return std::make_shared<Last>(); }

Bytes16 Ids::next() {
  Bytes16 bytes;
  random_.fill(bytes.data(), bytes.size());
  const auto now = static_cast<std::uint64_t>(clock_.now().time_since_epoch().count());
  std::uint64_t time = 0;
  std::uint32_t count = 0;
  {
    const std::lock_guard lock(last_->mutex);
    if (now > last_->milliseconds) {
      last_->milliseconds = now;
      last_->count = bytes[6];  // starts low, so that there is room to count
    } else if (++last_->count > 0xFFF) {
      ++last_->milliseconds;
      last_->count = 0;
    }
    time = last_->milliseconds;
    count = last_->count;
  }
  for (int at = 5; at >= 0; --at, time >>= 8) bytes[static_cast<std::size_t>(at)] = static_cast<std::uint8_t>(time);
  bytes[6] = static_cast<std::uint8_t>(0x70 | count >> 8);
  bytes[7] = static_cast<std::uint8_t>(count);
  bytes[8] = static_cast<std::uint8_t>(0x80 | (bytes[8] & 0x3F));
  return bytes;
}

std::string Ids::secret(std::size_t size) {
  std::string bytes(size, '\0');
  random_.fill(bytes.data(), bytes.size());
  return crypto::base64url(bytes);
}

}  // namespace loggia
