#pragma once
// Free ports for the processes of a set.
#include <memory>
#include <string>
#include <vector>
#include "loggia/kernel/result.hpp"
#include "loggia/kernel/time.hpp"

namespace loggia {

/// ADDR and PORT of "127.0.0.1:8080" or "[::1]:8080".
struct ListenAddress {
  std::string host;  // with its brackets
  int port = 0;
};
ListenAddress split_address(const std::string& text);

/// What it hands out stays bound, though nobody listens, until it goes: a process can listen there, now and after a restart, and nobody else chooses
/// it.
class FreePorts {
 public:
  virtual ~FreePorts() = default;
  /// HOST:PORT with a port that is free, outside of those that the system gives to connections.
  virtual Result<std::string> take(const std::string& host) = 0;
};
std::shared_ptr<FreePorts> free_ports(std::shared_ptr<Random> random);

}  // namespace loggia
