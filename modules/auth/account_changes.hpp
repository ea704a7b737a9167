#pragma once
// What changes an account, with what it ends: shared by people's own requests, administrators and the shell. Coroutines on the caller's
// shard; the others on the store's writer.
#include <optional>
#include <string>
#include <vector>
#include "account_store.hpp"
#include "parts.hpp"
#include "session_book.hpp"

namespace loggia::auth {

struct NewAccount {
  std::string username, password;
  std::optional<std::string> email, display_name;
  std::vector<std::string> roles;
};
/// Makes account and profile; the account is ready, without a session. Errc::conflict where the name is taken.
Async<AccountRow> make_account(std::shared_ptr<Parts> parts, Context context, NewAccount wanted);

/// Makes the profile that a pending account lacks and announces the user; the row as it is then. Idempotent.
Async<AccountRow> complete_account(std::shared_ptr<Parts> parts, Context context, AccountRow account);

struct Rights {
  std::optional<std::vector<std::string>> roles;
  std::optional<bool> disabled;
  bool keep_an_admin = true;  // Errc::conflict rather than a server that nobody administers
};
/// Sessions end where a role is lost or the account disabled.
Result<AccountRow> change_rights(const Parts& parts, Transaction& transaction, const Context& context, AccountRow account, const Rights& wanted,
                                 Time now);

/// An entry of its own in the audit log; a failure is logged and changes nothing else.
Async<bool> record(std::shared_ptr<Parts> parts, Context context, std::string action, std::optional<std::string> target,
                   std::optional<std::string> detail);

}  // namespace loggia::auth
