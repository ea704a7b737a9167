#pragma once
// How a store's threads answer. For storage/ and who stands in for a store.
#include <functional>
#include "loggia/kernel/result.hpp"

namespace loggia::storage {

/// Called once, on a thread of the store: true when done (a write: when it is durable), or what went wrong.
using Done = std::function<void(Result<bool>)>;

}  // namespace loggia::storage
