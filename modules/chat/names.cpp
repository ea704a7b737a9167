#include "names.hpp"
#include <algorithm>

namespace loggia::chat {
namespace {

std::optional<UserId> member_of(const MemberNamed& member, const std::vector<std::string>& readings) {
  for (const auto& name : readings)
    if (const auto found = member(name)) return found;
  return std::nullopt;
}
MemberNamed asked(Query& query, const RoomId& room) {
  return [&query, room](const std::string& name) { return read_named(*select_named(query, room, name)); };
}

}  // namespace

std::unique_ptr<Rows> select_named(Query& query, const RoomId& room, const std::string& name) {
  return query.select("SELECT n.user FROM names n JOIN members m ON m.room = ?1 AND m.user = n.user WHERE n.name = ?2", room, name);
}
std::optional<UserId> read_named(Rows& rows) { return rows.next() ? std::optional(rows.id<UserId>(0)) : std::nullopt; }

void keep_name(Transaction& transaction, const UserId& user, std::string_view username) {
  if (username.empty()) {
    transaction.execute("INSERT INTO nameless (user) VALUES (?1) ON CONFLICT DO NOTHING", user);
    return;
  }
  // Another account may have had the name, and its end may not have been heard of yet.
  transaction.execute(
      "INSERT INTO names (name, user) VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET user = excluded.user WHERE names.user <> excluded.user",
      lower_ascii(username), user);
}

void forget_name(Transaction& transaction, const UserId& user) { transaction.execute("DELETE FROM names WHERE user = ?1", user); }

std::vector<UserId> named_members(Query& query, const RoomId& room, const Mentions& mentions) { return named_members(asked(query, room), mentions); }

std::vector<UserId> named_members(const MemberNamed& named, const Mentions& mentions) {
  std::vector<UserId> out;
  for (const auto& readings : mentions.names) {
    const auto member = member_of(named, readings);
    if (member && std::find(out.begin(), out.end(), *member) == out.end()) out.push_back(*member);
  }
  return out;
}

Mentions meant(Query& query, const RoomId& room, const Mentions& mentions) {
  Mentions out;
  out.room = mentions.room;
  for (const auto& readings : mentions.names)
    if (member_of(asked(query, room), readings)) out.names.push_back(readings);
  return out;
}

std::vector<UserId> nameless(Query& query, std::int64_t limit) {
  auto rows = query.select("SELECT user FROM nameless LIMIT ?1", limit);
  std::vector<UserId> out;
  while (rows->next()) out.push_back(rows->id<UserId>(0));
  return out;
}

void no_longer_nameless(Transaction& transaction, const std::vector<UserId>& users) {
  for (const auto& user : users) transaction.execute("DELETE FROM nameless WHERE user = ?1", user);
}

}  // namespace loggia::chat
