#pragma once
// What members are called: chat's own copy, so that nobody is asked while a message is stored. On the store's threads.
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>
#include "loggia/ids.hpp"
#include "loggia/kernel/storage.hpp"
#include "message_text.hpp"

namespace loggia::chat {

/// As somebody becomes a member, in the same transaction. Without a name they are asked for at the next start.
void keep_name(Transaction& transaction, const UserId& user, std::string_view username);
/// The account is gone.
void forget_name(Transaction& transaction, const UserId& user);

/// The members of a room whom a text names, each once, in its order. Of the readings of a mention the longest that is a member's.
std::vector<UserId> named_members(Query& query, const RoomId& room, const Mentions& mentions);
/// The same, of whoever knows the room's members by their names.
using MemberNamed = std::function<std::optional<UserId>(const std::string& name)>;
std::vector<UserId> named_members(const MemberNamed& named, const Mentions& mentions);
/// A member of that name, in two steps, between which others can be sent for.
std::unique_ptr<Rows> select_named(Query& query, const RoomId& room, const std::string& name);
std::optional<UserId> read_named(Rows& rows);
/// Without the mentions that are no member's.
Mentions meant(Query& query, const RoomId& room, const Mentions& mentions);

/// Members whose names are not known yet, `limit` at most.
std::vector<UserId> nameless(Query& query, std::int64_t limit);
/// The user module has been asked about them.
void no_longer_nameless(Transaction& transaction, const std::vector<UserId>& users);

}  // namespace loggia::chat
