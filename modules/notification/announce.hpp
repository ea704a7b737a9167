#pragma once
// Appends an event of this module to its log, in the transaction of the change.
#include <optional>
#include <string>
#include "loggia/kernel/bus.hpp"
#include "loggia/kernel/json.hpp"
#include "loggia/notification/events.hpp"

namespace loggia::notification {

template <class T> void announce(Log& log, Transaction& transaction, const T& happened, const Trace& trace) {
  NewEvent event;
  event.topic = T::topic;
  event.type = T::type;
  event.key = happened.user_id.text();
  event.data = encode(happened);
  event.traceparent = trace.parent();
  log.append(transaction, std::move(event));
}

/// NotificationDelivered or NotificationFailed, of mail.
template <class T> T outcome(const NotificationId& id, const UserId& user, std::optional<std::string> detail) {
  T out;
  out.id = id;
  out.user_id = user;
  out.channel = "email";
  out.detail = std::move(detail);
  return out;
}

}  // namespace loggia::notification
