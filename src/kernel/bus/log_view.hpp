#pragma once
// The log of a module as its readers see it, wherever it is. For bus/ alone.
#include <string>
#include <vector>
#include "loggia/kernel/bus.hpp"

namespace loggia::bus {

/// Safe from every thread.
class LogView {
 public:
  virtual ~LogView() = default;
  virtual const std::string& module() const = 0;
  virtual std::string epoch() const = 0;
  virtual bool has(const std::string& topic) const = 0;
  /// As far as it is known here.
  virtual std::vector<std::int64_t> heads(const std::string& topic) const = 0;
  virtual std::int64_t head(const std::string& topic, int partition) const = 0;
  /// Events with sequence > `after` from memory: true where they are there; perhaps none, at the head.
  virtual bool from_tail(const std::string& topic, int partition, std::int64_t after, std::size_t limit, std::vector<EventPtr>& out) const = 0;
  /// From memory or from rows. Blocking; not from a shard.
  virtual Result<std::vector<EventPtr>> read(const std::string& topic, int partition, std::int64_t after, std::size_t limit) = 0;
  /// From rows: also what is not known here yet.
  virtual Async<std::vector<EventPtr>> rows(std::string topic, int partition, std::int64_t after, std::size_t limit) = 0;
};

}  // namespace loggia::bus
