#pragma once
// What a module has in a database belongs to one process, or to several that hear each other through Kafka: with the embedded bus what one of two
// signs out, the other goes on serving. So two whole servers need Kafka, and the parts of one do not. In a build without libpq there is nothing to
// hold.
#include <functional>
#include <memory>
#include <string>
#include <vector>
#include "loggia/kernel/result.hpp"
#include "loggia/kernel/time.hpp"

namespace loggia::postgres {

/// Held until destroyed; the server lets go when the process dies. A connection that is lost is made again, and the lock taken again.
class ServerLock {
 public:
  struct Options {
    std::string url;
    std::vector<std::string> modules;  // that store, of this process
    bool alone = true;                 // false: beside others that are not alone either
    milliseconds patience{5000};       // for the connection of one who was here before, which ends a moment after its process
    milliseconds looked_every{1000};
    milliseconds answer{5000};
    /// Called on a thread of its own where another took the database while the connection was away.
    std::function<void(const std::string& why)> on_fatal;
  };
  static Result<std::unique_ptr<ServerLock>> take(Options options);
  virtual ~ServerLock() = default;
};

}  // namespace loggia::postgres
