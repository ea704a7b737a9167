#pragma once
// The rows of accounts and of the audit log. Plain functions over a query or transaction; on the store's threads.
#include <optional>
#include <string>
#include <vector>
#include "loggia/auth/contract.hpp"
#include "loggia/kernel/storage.hpp"

namespace loggia::auth {

struct AccountRow {
  UserId id;
  std::string username, password;  // a PHC string
  std::vector<std::string> roles;
  bool pending = true, disabled = false, email_verified = false;
  std::optional<std::string> email, display_name;
  Time created_at{};
  std::optional<Time> last_login;

  bool is_admin() const;
};

namespace store {

std::optional<AccountRow> account(Query& query, const UserId& id);
/// Without regard to case.
std::optional<AccountRow> account_named(Query& query, const std::string& username);
/// By username or by an address that was verified.
std::optional<AccountRow> account_for_login(Query& query, const std::string& login);
/// Keeps the account as it is until the commit, where other processes write too. Before what is decided on is read. True where it was taken now.
bool lock_account(Transaction& transaction, const UserId& id);
/// Locked, then read.
std::optional<AccountRow> account_to_change(Transaction& transaction, const UserId& id);
std::optional<AccountRow> account_to_change(Transaction& transaction, const std::string& username);
/// Of what there is one for all accounts: that somebody is an administrator, that an address is one person's. After lock_account.
void lock_accounts(Transaction& transaction);
/// Ascending by name, from after `after`; `part` is in each name; both folded.
std::vector<AccountRow> accounts_page(Query& query, const std::string& part, const std::string& after, std::int64_t limit);
std::vector<UserId> disabled_accounts(Query& query);
/// Whether anybody but `id` is an admin who can sign in.
bool other_admin(Query& query, const UserId& id);

void insert_account(Transaction& transaction, const AccountRow& row);
/// Of an account that never was: its name is free again.
void erase_pending(Transaction& transaction, const UserId& id);
void set_ready(Transaction& transaction, const UserId& id);
void set_login(Transaction& transaction, const UserId& id, Time now);
/// False where the password is no longer `before` (empty: whatever it is).
bool set_password(Transaction& transaction, const UserId& id, const std::string& before, const std::string& after);
void set_email(Transaction& transaction, const UserId& id, const std::optional<std::string>& email, bool verified);
/// Whether another account has this address, verified.
bool verified_elsewhere(Query& query, const std::string& email, const UserId& id);
void set_rights(Transaction& transaction, const UserId& id, const std::vector<std::string>& roles, bool disabled);

/// `actor` and `address` are the caller's.
void audit(Transaction& transaction, const Context& context, Time now, const std::string& action, const std::optional<std::string>& target,
           const std::optional<std::string>& detail);
/// Newest first, with number < `before`. The second: the number of each.
std::vector<std::pair<AuditEntry, std::int64_t>> audit_page(Query& query, const ListAudit& filter, std::int64_t before, std::int64_t limit);

}  // namespace store
}  // namespace loggia::auth
