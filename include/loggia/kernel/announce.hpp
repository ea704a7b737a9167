#pragma once
// Appends an event of a module to its log, in the transaction of the change. On the writer's thread.
#include <utility>
#include "loggia/kernel/bus.hpp"
#include "loggia/kernel/json.hpp"

namespace loggia {

/// `T` is the event's data and says its `topic` and `type`; `key` is what it is about.
template <class T> void announce(Log& log, Transaction& transaction, const T& happened, std::string key, const Trace& trace) {
  NewEvent event;
  event.topic = T::topic;
  event.type = T::type;
  event.key = std::move(key);
  event.data = encode(happened);
  event.traceparent = trace.parent();
  log.append(transaction, std::move(event));
}

}  // namespace loggia
