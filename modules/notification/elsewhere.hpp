#pragma once
// What was chosen at other processes that have the same store.
#include "parts.hpp"

namespace loggia::notification {

/// One person's settings are in memory as they are in the store now.
Async<bool> read_again(std::shared_ptr<Parts> parts, Context context, UserId user);
/// Everybody's, but of those who choose here meanwhile.
Async<bool> read_all_again(std::shared_ptr<Parts> parts, Context context);

}  // namespace loggia::notification
