#pragma once
// How a person stands in all their rooms: what `hello` and `resume` begin with. Plain functions on the store's reader threads.
#include "loggia/chat/contract.hpp"
#include "loggia/kernel/storage.hpp"

namespace loggia::chat {

/// All of one moment; peers have no names yet, `epoch` and `cursor` are the service's to fill in.
struct Snapshot {
  Hello hello;
  std::int64_t change = 0;  // the newest change that is in it
};
/// `since`: only rooms in which something changed after it, and those lost since.
Snapshot snapshot(Query& query, const UserId& user, const std::optional<std::int64_t>& since);
std::optional<Standing> standing_of(Query& query, const RoomId& room, const UserId& user);
std::string why_absent(Query& query, const RoomId& room, const UserId& user);
/// Those who share a direct room, or one of at most 100, with the person.
std::vector<UserId> near(Query& query, const UserId& user);

}  // namespace loggia::chat
