#pragma once
// loggia.v1 for the API description, from the structs that are decoded and encoded. Pure; any thread.
#include "loggia/kernel/socket_protocol.hpp"

namespace loggia::realtime {

SocketProtocol description();

}  // namespace loggia::realtime
