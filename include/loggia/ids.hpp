#pragma once
// The ids of the domain and nothing else. Everyone may include this but the kernel, so that a contract can name another's id.
#include "loggia/kernel/id.hpp"

namespace loggia {
using UserId = Id<struct UserTag>;
using RoomId = Id<struct RoomTag>;
using MessageId = Id<struct MessageTag>;
using SessionId = Id<struct SessionTag>;
using NotificationId = Id<struct NotificationTag>;
}  // namespace loggia
