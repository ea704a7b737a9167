#pragma once
// What other processes on the same store have ended: the verifier here hears it from the log, as a process without auth does.
#include "parts.hpp"

namespace loggia::auth {

/// Before the bus starts. Does nothing where the store is this process's alone: there the store's own writer tells the verifier.
void hear_other_processes(Bus& bus, const std::shared_ptr<Parts>& parts);

}  // namespace loggia::auth
