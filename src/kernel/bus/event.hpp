#pragma once
// Events that were kept as text. For the bus alone.
#include "loggia/kernel/bus.hpp"

namespace loggia::bus {

/// The event that to_cloud_event() wrote; its topic and partition are the caller's to say.
Result<std::shared_ptr<Event>> from_cloud_event(std::string_view text);

}  // namespace loggia::bus
