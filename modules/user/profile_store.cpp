#include "profile_store.hpp"
#include "profile_rules.hpp"

namespace loggia::user::store {
namespace {

ProfileRow row_of(const Rows& rows) {
  ProfileRow row;
  row.id = rows.id<UserId>(0);
  row.username = rows.string(1);
  row.display_name = rows.string(2);
  row.bio = rows.string(3);
  row.status_text = rows.maybe_string(4);
  row.locale = rows.string(5);
  row.time_zone = rows.string(6);
  row.show_presence = rows.flag(7);
  row.show_receipts = rows.flag(8);
  row.last_seen = rows.maybe_time(9);
  row.created_at = rows.time(10);
  row.deleted = rows.flag(11);
  return row;
}

std::optional<ProfileRow> first(Rows& rows) { return rows.next() ? std::optional(row_of(rows)) : std::nullopt; }
std::vector<ProfileRow> all(Rows& rows) {
  std::vector<ProfileRow> out;
  while (rows.next()) out.push_back(row_of(rows));
  return out;
}

std::string search_of(const ProfileRow& row) { return folded(row.username) + '\n' + folded(row.display_name); }

}  // namespace

std::optional<ProfileRow> by_id(Query& query, const UserId& id) {
  return first(
      *query.select("SELECT id, username, display_name, bio, status_text, locale, time_zone, show_presence, show_receipts, last_seen, "
                    "created_at, deleted FROM profiles WHERE id = ?1",
                    id));
}

std::optional<ProfileRow> to_change(Transaction& transaction, const UserId& id) {
  transaction.lock(0, "SELECT 1 FROM profiles WHERE id = ?1", id);
  return by_id(transaction, id);
}

std::optional<ProfileRow> by_name(Query& query, const std::string& name) {
  return first(
      *query.select("SELECT id, username, display_name, bio, status_text, locale, time_zone, show_presence, show_receipts, last_seen, "
                    "created_at, deleted FROM profiles WHERE name = ?1",
                    name));
}

std::vector<ProfileRow> page(Query& query, const std::string& search, const std::string& after, std::int64_t limit) {
  return all(
      *query.select("SELECT id, username, display_name, bio, status_text, locale, time_zone, show_presence, show_receipts, last_seen, "
                    "created_at, deleted FROM profiles WHERE name > ?1 AND deleted = 0 "
                    "AND (?2 = '' OR instr(search, ?2) > 0) ORDER BY name LIMIT ?3",
                    after, search, limit));
}

void insert(Transaction& transaction, const ProfileRow& row) {
  transaction.execute("INSERT INTO profiles (id, username, name, display_name, search, created_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)", row.id,
                      row.username, folded(row.username), row.display_name, search_of(row), row.created_at);
}

void update(Transaction& transaction, const ProfileRow& row) {
  transaction.execute(
      "UPDATE profiles SET display_name = ?2, search = ?3, bio = ?4, status_text = ?5, locale = ?6, time_zone = ?7, "
      "show_presence = ?8, show_receipts = ?9 WHERE id = ?1",
      row.id, row.display_name, search_of(row), row.bio, row.status_text, row.locale, row.time_zone, row.show_presence, row.show_receipts);
}

void seen(Transaction& transaction, const UserId& id, Time at) {
  transaction.execute("UPDATE profiles SET last_seen = ?2 WHERE id = ?1 AND (last_seen IS NULL OR last_seen < ?2)", id, at);
}

bool block(Transaction& transaction, const UserId& user, const UserId& blocked, Time now) {
  return transaction.execute("INSERT INTO blocks (user, blocked, at) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING", user, blocked, now) > 0;
}

void unblock(Transaction& transaction, const UserId& user, const UserId& blocked) {
  transaction.execute("DELETE FROM blocks WHERE user = ?1 AND blocked = ?2", user, blocked);
}

std::int64_t blocks(Query& query, const UserId& user) {
  auto rows = query.select("SELECT count(*) FROM blocks WHERE user = ?1", user);
  return rows->next() ? rows->integer(0) : 0;
}

std::vector<ProfileRow> blocked_page(Query& query, const UserId& user, const UserId& after, std::int64_t limit) {
  return all(
      *query.select("SELECT id, username, display_name, bio, status_text, locale, time_zone, show_presence, show_receipts, last_seen, "
                    "created_at, deleted FROM blocks JOIN profiles ON profiles.id = blocks.blocked WHERE user = ?1 AND blocked > ?2 "
                    "ORDER BY blocked LIMIT ?3",
                    user, after, limit));
}

std::unordered_set<UserId> blocked_with(Query& query, const UserId& user) {
  std::unordered_set<UserId> out;
  auto rows = query.select("SELECT blocked FROM blocks WHERE user = ?1 UNION SELECT user FROM blocks WHERE blocked = ?1", user);
  while (rows->next()) out.insert(rows->id<UserId>(0));
  return out;
}

}  // namespace loggia::user::store
