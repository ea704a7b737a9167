#pragma once
// Answers people's own requests: registration, signing in, sessions, password, mail address. Called on every shard at once.
#include <memory>
#include "account_store.hpp"
#include "loggia/auth/contract.hpp"
#include "parts.hpp"

namespace loggia::auth {

class AccountsHere final : public Accounts {
 public:
  explicit AccountsHere(std::shared_ptr<Parts> parts) : parts_{std::move(parts)} {}
  // signing_in.cpp
  Async<Tokens> on(Context context, Register request) override;
  Async<Tokens> on(Context context, Login request) override;
  Async<Tokens> on(Context context, Refresh request) override;
  // sessions.cpp
  Async<Nothing> on(Context context, Logout request) override;
  Async<TokenState> on(Context context, Validate request) override;
  Async<loggia::auth::Sessions> on(Context context, ListSessions request) override;
  Async<Nothing> on(Context context, RevokeSession request) override;
  Async<Nothing> on(Context context, ChangePassword request) override;
  // recovery.cpp
  Async<Account> on(Context context, GetAccount request) override;
  Async<Account> on(Context context, PutAccount request) override;
  Async<Nothing> on(Context context, VerifyEmail request) override;
  Async<Nothing> on(Context context, ForgotPassword request) override;
  Async<Nothing> on(Context context, ResetPassword request) override;

 private:
  Async<Tokens> refused_login(Context context, std::optional<AccountRow> account, Error answer);
  Async<AccountRow> own_account(Context context);

  std::shared_ptr<Parts> parts_;
};

/// Answers notification. In recovery.cpp.
class MailboxesHere final : public Mailboxes {
 public:
  explicit MailboxesHere(std::shared_ptr<Parts> parts) : parts_{std::move(parts)} {}
  Async<Mailbox> on(Context context, GetMailbox request) override;

 private:
  std::shared_ptr<Parts> parts_;
};

}  // namespace loggia::auth
