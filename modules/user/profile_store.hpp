#pragma once
// The rows of profiles and blocks. Plain functions over a query or transaction; on the store's threads.
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>
#include "loggia/ids.hpp"
#include "loggia/kernel/storage.hpp"

namespace loggia::user {

struct ProfileRow {
  UserId id;
  std::string username, display_name, bio, locale, time_zone;
  std::optional<std::string> status_text;
  bool show_presence = true, show_receipts = true, deleted = false;
  std::optional<Time> last_seen;
  Time created_at{};
};

namespace store {

std::optional<ProfileRow> by_id(Query& query, const UserId& id);
/// Kept as it is until the commit, where other processes write too.
std::optional<ProfileRow> to_change(Transaction& transaction, const UserId& id);
/// `name` is folded.
std::optional<ProfileRow> by_name(Query& query, const std::string& name);
/// Ascending by folded name, from after `after`; `query` is folded, empty: all.
std::vector<ProfileRow> page(Query& query, const std::string& search, const std::string& after, std::int64_t limit);
void insert(Transaction& transaction, const ProfileRow& row);
void update(Transaction& transaction, const ProfileRow& row);
void seen(Transaction& transaction, const UserId& id, Time at);

/// False where it was so already.
bool block(Transaction& transaction, const UserId& user, const UserId& blocked, Time now);
void unblock(Transaction& transaction, const UserId& user, const UserId& blocked);
std::int64_t blocks(Query& query, const UserId& user);
/// Whom `user` blocks, ascending by id, from after `after`.
std::vector<ProfileRow> blocked_page(Query& query, const UserId& user, const UserId& after, std::int64_t limit);
/// Everybody with whom `user` has a block, in either direction.
std::unordered_set<UserId> blocked_with(Query& query, const UserId& user);

}  // namespace store
}  // namespace loggia::user
