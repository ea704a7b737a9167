#pragma once
// What a guest may see of people: only whom they share a room with (contract, section 2: "Who may"). On the caller's shard.
#include <memory>
#include <string>
#include <string_view>
#include "loggia/chat/contract.hpp"

namespace loggia::gateway {

/// The context to pass on for this request of a guest. `GET /users/{id}` of somebody in a shared room is asked as a member would, since
/// the user module, which knows no rooms, shows a guest nobody.
Async<Context> as_guest(std::shared_ptr<chat::Live> live, Context context, std::string_view route, std::string path);

}  // namespace loggia::gateway
