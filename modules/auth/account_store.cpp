#include "account_store.hpp"
#include <algorithm>
#include "credentials.hpp"
#include "loggia/kernel/storable.hpp"

namespace loggia::auth {

bool AccountRow::is_admin() const { return std::find(roles.begin(), roles.end(), "admin") != roles.end(); }

namespace store {
namespace {

constexpr int account_rank = 0, accounts_rank = 1;

AccountRow row_of(const Rows& rows) {
  AccountRow row;
  row.id = rows.id<UserId>(0);
  row.username = rows.string(1);
  row.password = rows.string(2);
  row.roles = split_roles(rows.text(3));
  row.pending = rows.flag(4);
  row.disabled = rows.flag(5);
  row.email = rows.maybe_string(6);
  row.email_verified = rows.flag(7);
  row.display_name = rows.maybe_string(8);
  row.created_at = rows.time(9);
  row.last_login = rows.maybe_time(10);
  return row;
}
std::optional<AccountRow> first(Rows& rows) { return rows.next() ? std::optional(row_of(rows)) : std::nullopt; }

}  // namespace

std::optional<AccountRow> account(Query& query, const UserId& id) {
  return first(
      *query.select("SELECT id, username, password, roles, pending, disabled, email, email_verified, display_name, created_at, last_login "
                    "FROM accounts WHERE id = ?1",
                    id));
}

std::optional<AccountRow> account_named(Query& query, const std::string& username) {
  if (!storable(username)) return std::nullopt;  // nobody's
  return first(
      *query.select("SELECT id, username, password, roles, pending, disabled, email, email_verified, display_name, created_at, last_login "
                    "FROM accounts WHERE folded = ?1",
                    lower_ascii(username)));
}

std::optional<AccountRow> account_for_login(Query& query, const std::string& login) {
  if (login.find('@') == std::string::npos) return account_named(query, login);  // no username holds one
  if (!storable(login)) return std::nullopt;
  return first(
      *query.select("SELECT id, username, password, roles, pending, disabled, email, email_verified, display_name, created_at, last_login "
                    "FROM accounts WHERE email = ?1 AND email_verified = 1",
                    lower_ascii(login)));
}

bool lock_account(Transaction& transaction, const UserId& id) { return transaction.lock(account_rank, "SELECT 1 FROM accounts WHERE id = ?1", id); }
std::optional<AccountRow> account_to_change(Transaction& transaction, const UserId& id) {
  lock_account(transaction, id);
  return account(transaction, id);
}
std::optional<AccountRow> account_to_change(Transaction& transaction, const std::string& username) {
  const auto found = account_named(transaction, username);
  return found ? account_to_change(transaction, found->id) : std::nullopt;
}
void lock_accounts(Transaction& transaction) { transaction.lock(accounts_rank, "SELECT 1 FROM secrets WHERE name = ?1", "refresh"); }

std::vector<AccountRow> accounts_page(Query& query, const std::string& part, const std::string& after, std::int64_t limit) {
  std::vector<AccountRow> out;
  auto rows = query.select(
      "SELECT id, username, password, roles, pending, disabled, email, email_verified, display_name, created_at, last_login "
      "FROM accounts WHERE folded > ?1 AND (?2 = '' OR instr(folded, ?2) > 0) ORDER BY folded LIMIT ?3",
      after, part, limit);
  while (rows->next()) out.push_back(row_of(*rows));
  return out;
}

std::vector<UserId> disabled_accounts(Query& query) {
  std::vector<UserId> out;
  auto rows = query.select("SELECT id FROM accounts WHERE disabled = 1");
  while (rows->next()) out.push_back(rows->id<UserId>(0));
  return out;
}

bool other_admin(Query& query, const UserId& id) {
  return query.select("SELECT 1 FROM accounts WHERE disabled = 0 AND instr(',' || roles || ',', ',admin,') > 0 AND id <> ?1 LIMIT 1", id)->next();
}

void insert_account(Transaction& transaction, const AccountRow& row) {
  transaction.execute(
      "INSERT INTO accounts (id, username, folded, password, roles, email, display_name, created_at) "
      "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
      row.id, row.username, lower_ascii(row.username), row.password, join_roles(row.roles), row.email, row.display_name, row.created_at);
}

void erase_pending(Transaction& transaction, const UserId& id) { transaction.execute("DELETE FROM accounts WHERE id = ?1 AND pending = 1", id); }
void set_ready(Transaction& transaction, const UserId& id) {
  transaction.execute("UPDATE accounts SET pending = 0, display_name = NULL WHERE id = ?1", id);
}
void set_login(Transaction& transaction, const UserId& id, Time now) {
  transaction.execute("UPDATE accounts SET last_login = ?2 WHERE id = ?1", id, now);
}

bool set_password(Transaction& transaction, const UserId& id, const std::string& before, const std::string& after) {
  return transaction.execute("UPDATE accounts SET password = ?3 WHERE id = ?1 AND (?2 = '' OR password = ?2)", id, before, after) > 0;
}

void set_email(Transaction& transaction, const UserId& id, const std::optional<std::string>& email, bool verified) {
  transaction.execute("UPDATE accounts SET email = ?2, email_verified = ?3 WHERE id = ?1", id, email, verified);
}
bool verified_elsewhere(Query& query, const std::string& email, const UserId& id) {
  return query.select("SELECT 1 FROM accounts WHERE email = ?1 AND email_verified = 1 AND id <> ?2 LIMIT 1", email, id)->next();
}

void set_rights(Transaction& transaction, const UserId& id, const std::vector<std::string>& roles, bool disabled) {
  transaction.execute("UPDATE accounts SET roles = ?2, disabled = ?3 WHERE id = ?1", id, join_roles(roles), disabled);
}

void audit(Transaction& transaction, const Context& context, Time now, const std::string& action, const std::optional<std::string>& target,
           const std::optional<std::string>& detail) {
  const auto actor = context.caller().known() ? std::optional(context.caller().subject) : std::nullopt;
  const auto address = context.address().empty() ? std::nullopt : std::optional(context.address());
  transaction.execute("INSERT INTO audit (at, actor, action, target, address, detail) VALUES (?1, ?2, ?3, ?4, ?5, ?6)", now, actor, action, target,
                      address, detail);
}

std::vector<std::pair<AuditEntry, std::int64_t>> audit_page(Query& query, const ListAudit& filter, std::int64_t before, std::int64_t limit) {
  std::vector<std::pair<AuditEntry, std::int64_t>> out;
  const auto read = [&](std::unique_ptr<Rows> rows) {
    while (rows->next()) {
      AuditEntry entry;
      entry.at = rows->time(0);
      entry.actor = rows->maybe_id<UserId>(1);
      entry.action = rows->string(2);
      entry.target = rows->maybe_string(3);
      entry.address = rows->maybe_string(4);
      entry.detail = rows->maybe_string(5);
      out.emplace_back(std::move(entry), rows->integer(6));
    }
  };
  // One statement for each index that may serve.
  if (filter.actor)
    read(
        query.select("SELECT at, actor, action, target, address, detail, number FROM audit WHERE actor = ?5 AND number < ?1 "
                     "AND (?2 IS NULL OR action = ?2) AND (?3 IS NULL OR at >= ?3) AND (?4 IS NULL OR at < ?4) ORDER BY number DESC LIMIT ?6",
                     before, filter.action, filter.since, filter.until, filter.actor, limit));
  else if (filter.action)
    read(
        query.select("SELECT at, actor, action, target, address, detail, number FROM audit WHERE action = ?2 AND number < ?1 "
                     "AND (?3 IS NULL OR at >= ?3) AND (?4 IS NULL OR at < ?4) ORDER BY number DESC LIMIT ?5",
                     before, filter.action, filter.since, filter.until, limit));
  else
    read(
        query.select("SELECT at, actor, action, target, address, detail, number FROM audit WHERE number < ?1 "
                     "AND (?2 IS NULL OR at >= ?2) AND (?3 IS NULL OR at < ?3) ORDER BY number DESC LIMIT ?4",
                     before, filter.since, filter.until, limit));
  return out;
}

}  // namespace store
}  // namespace loggia::auth
