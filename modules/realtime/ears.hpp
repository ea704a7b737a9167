#pragma once
// What realtime hears: the topics of the bus and the revocations of auth, each passed to the shard where it belongs.
#include <memory>
#include "hub.hpp"

namespace loggia::realtime {

/// Before the bus starts. The handlers run on the bus's threads and only post.
void listen(const std::shared_ptr<Hub>& hub, Bus& bus);
auth::Verifier::Watch watch_revocations(const std::shared_ptr<Hub>& hub);

}  // namespace loggia::realtime
