#pragma once
// Where the instances of modules are that run elsewhere (contract, section 5), and calls that are spread over them.
#include <functional>
#include <memory>
#include <string>
#include <vector>
#include "loggia/kernel/config.hpp"
#include "loggia/kernel/metrics.hpp"
#include "loggia/kernel/router.hpp"
#include "loggia/kernel/shards.hpp"

namespace loggia {

/// One process that serves a module.
struct Instance {
  std::string module;
  std::string address;  // ADDR:PORT of its rpc.listen
  friend bool operator==(const Instance&, const Instance&) = default;
};

/// Who is where. Safe from every thread; what it knows it answers at once, from memory.
class Discovery {
 public:
  virtual ~Discovery() = default;
  /// Blocking, briefly: the first list. `own`: what this process announces, where the kind of discovery has a registry. An error is one that a
  /// person has to mend; a registry that is away is none.
  virtual Result<bool> start(std::vector<Instance> own) = 0;
  virtual void stop() = 0;
  /// The last known list, in an order that does not change while the list does not.
  virtual std::vector<std::string> instances(const std::string& module) const = 0;
  /// Called on any thread after a list has changed: return quickly. Drop the handle to be called no more.
  using Watch = std::shared_ptr<void>;
  virtual Watch on_change(std::function<void(const std::string& module)> handler) = 0;
  /// What is wrong with the registry, in one line with what to do; empty: nothing, or there is none.
  virtual std::string trouble() const = 0;
};

}  // namespace loggia
