#pragma once
// Appends an event of this module to its log, in the transaction of the change.
#include "loggia/auth/events.hpp"
#include "loggia/kernel/bus.hpp"
#include "loggia/kernel/json.hpp"

namespace loggia::auth {

template <class T> void announce(Log& log, Transaction& transaction, const Context& context, const T& event) {
  NewEvent out;
  out.topic = T::topic;
  out.type = T::type;
  out.key = event.user_id.text();
  out.data = encode(event);
  out.traceparent = context.trace().parent();
  log.append(transaction, std::move(out));
}

}  // namespace loggia::auth
