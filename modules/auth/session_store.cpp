#include "session_store.hpp"
#include <span>

namespace loggia::auth::store {
namespace {

std::span<const std::uint8_t> blob(const std::string& bytes) { return {reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()}; }
std::optional<std::span<const std::uint8_t>> blob(const std::optional<std::string>& bytes) {
  return bytes ? std::optional(blob(*bytes)) : std::nullopt;
}
std::string bytes(const Rows& rows, int column) {
  const auto found = rows.blob(column);
  return std::string(found.begin(), found.end());
}
std::optional<std::string> maybe_bytes(const Rows& rows, int column) { return rows.null(column) ? std::nullopt : std::optional(bytes(rows, column)); }

SessionRow row_of(const Rows& rows) {
  SessionRow row;
  row.id = rows.id<SessionId>(0);
  row.user = rows.id<UserId>(1);
  row.token = bytes(rows, 2);
  row.token_before = maybe_bytes(rows, 3);
  row.key_before = maybe_bytes(rows, 4);
  row.refreshed_at = rows.maybe_time(5);
  row.client = rows.string(6);
  row.address = rows.string(7);
  row.created_at = rows.time(8);
  row.last_seen = rows.time(9);
  row.expires_at = rows.time(10);
  return row;
}

}  // namespace

std::optional<SessionRow> session(Query& query, const SessionId& id) {
  auto rows = query.select(
      "SELECT id, user, token, token_before, key_before, refreshed_at, client, address, created_at, last_seen, expires_at "
      "FROM sessions WHERE id = ?1",
      id);
  return rows->next() ? std::optional(row_of(*rows)) : std::nullopt;
}

std::vector<SessionRow> sessions_page(Query& query, const UserId& user, const SessionId& before, Time now, std::int64_t limit) {
  std::vector<SessionRow> out;
  auto rows = query.select(
      "SELECT id, user, token, token_before, key_before, refreshed_at, client, address, created_at, last_seen, expires_at "
      "FROM sessions WHERE user = ?1 AND (?2 = 1 OR id < ?3) AND expires_at > ?4 ORDER BY id DESC LIMIT ?5",
      user, before.nil(), before, now, limit);
  while (rows->next()) out.push_back(row_of(*rows));
  return out;
}

std::vector<SessionId> sessions_of(Query& query, const UserId& user, const SessionId& except) {
  std::vector<SessionId> out;
  auto rows = query.select("SELECT id FROM sessions WHERE user = ?1 AND id <> ?2", user, except);
  while (rows->next()) out.push_back(rows->id<SessionId>(0));
  return out;
}

void insert_session(Transaction& transaction, const SessionRow& row) {
  transaction.execute(
      "INSERT INTO sessions (id, user, token, client, address, created_at, last_seen, expires_at) "
      "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
      row.id, row.user, blob(row.token), row.client, row.address, row.created_at, row.last_seen, row.expires_at);
}

void update_session(Transaction& transaction, const SessionRow& row) {
  transaction.execute(
      "UPDATE sessions SET token = ?2, token_before = ?3, key_before = ?4, refreshed_at = ?5, client = ?6, address = ?7, "
      "last_seen = ?8, expires_at = ?9 WHERE id = ?1",
      row.id, blob(row.token), blob(row.token_before), blob(row.key_before), row.refreshed_at, row.client, row.address, row.last_seen,
      row.expires_at);
}

void erase_session(Transaction& transaction, const SessionId& id) { transaction.execute("DELETE FROM sessions WHERE id = ?1", id); }

void erase_expired(Transaction& transaction, Time now) {
  transaction.execute("DELETE FROM sessions WHERE expires_at <= ?1", now);
  transaction.execute("DELETE FROM revocations WHERE until <= ?1", now);
}

void insert_revocation(Transaction& transaction, const Revocation& revocation) {
  transaction.execute(
      "INSERT INTO revocations (session, user, until) VALUES (?1, ?2, ?3) "
      "ON CONFLICT (session) DO UPDATE SET user = excluded.user, until = excluded.until",
      revocation.session, revocation.user, revocation.until);
}

std::vector<Revocation> revocations(Query& query, Time now) {
  std::vector<Revocation> out;
  auto rows = query.select("SELECT session, user, until FROM revocations WHERE until > ?1", now);
  while (rows->next()) {
    Revocation one;
    one.session = rows->id<SessionId>(0);
    one.user = rows->id<UserId>(1);
    one.until = rows->time(2);
    out.push_back(one);
  }
  return out;
}

std::string secret(Transaction& transaction, const std::string& name, Random& random) {
  std::string made(32, '\0');
  random.fill(made.data(), made.size());
  // Of several processes that start at once on a new store one makes it, and the others wait here for what it has made.
  transaction.execute("INSERT INTO secrets (name, value) VALUES (?1, ?2) ON CONFLICT DO NOTHING", name, blob(made));
  auto rows = transaction.select("SELECT value FROM secrets WHERE name = ?1", name);
  return rows->next() ? bytes(*rows, 0) : made;
}

}  // namespace loggia::auth::store
