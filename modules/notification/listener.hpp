#pragma once
// What this module does about the events that it hears. Each returns what is to be applied in the transaction that moves the position.
// On the shard of the event's partition, one event of a partition at a time.
#include "parts.hpp"

namespace loggia::notification {

/// `new-messages`: created, deleted, who left, a room's end.
Async<Apply> on_timeline(std::shared_ptr<Parts> parts, Context context, EventPtr event);
/// `user-events`: user.deleted.
Async<Apply> on_user(std::shared_ptr<Parts> parts, Context context, EventPtr event);

}  // namespace loggia::notification
