#pragma once
// What other processes have ended: a verifier hears it from auth's log.
#include "parts.hpp"

namespace loggia::auth {

/// An event of auth's log, for a verifier: what it knows already it tells nobody twice.
void apply(VerifierHere& verifier, const Event& event, Time now, milliseconds token_lifetime);

/// On the same store. Before the bus starts. Does nothing where the store is this process's alone: there the store's own writer tells the verifier.
void hear_other_processes(Bus& bus, const std::shared_ptr<Parts>& parts);

}  // namespace loggia::auth
