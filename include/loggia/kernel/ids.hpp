#pragma once
// Makes new ids: UUIDv7 (RFC 9562), ascending within a process also inside one millisecond.
#include "loggia/kernel/id.hpp"
#include "loggia/kernel/time.hpp"

namespace loggia {

/// Safe from every thread.
class Ids {
 public:
  Ids(Clock& clock, Random& random) : clock_{clock}, random_{random} {}
  template <class T> T make() { return T(next()); }
  Bytes16 next();
  /// URL-safe text without padding of `bytes` random bytes, for tokens and secrets.
  std::string secret(std::size_t bytes);

 private:
  Clock& clock_;
  Random& random_;
  struct Last;
  std::shared_ptr<Last> last_ = start();
  static std::shared_ptr<Last> start();
};

}  // namespace loggia
