#include "account_changes.hpp"
#include "accounts.hpp"
#include "credentials.hpp"
#include "loggia/kernel/log.hpp"
#include "loggia/kernel/storable.hpp"
#include "session_book.hpp"
#include "tokens.hpp"

namespace loggia::auth {
namespace {

Error wrong_login() { return Error(Errc::unauthenticated, "the login or the password is wrong"); }
Error disabled_account() { return Error(Errc::forbidden, "this account is disabled; ask an administrator"); }

void count_login(Metrics& metrics, const char* result) {
  Labels labels;
  labels.emplace_back("result", result);
  metrics.counter("loggia_auth_logins_total", "Logins by their result.", std::move(labels)).add();
}

/// The session that a right password opens. The account is read again: it may have changed while the password was checked.
Async<Granted> open_session(std::shared_ptr<Parts> parts, Context context, AccountRow checked, std::string action, Time now) {
  auto work = [parts, context, checked, action, now](Transaction& transaction) -> Result<Granted> {
    const auto account = store::account_to_change(transaction, checked.id);
    if (!account || account->password != checked.password) return wrong_login();
    if (account->disabled) return disabled_account();
    store::set_login(transaction, account->id, now);
    store::audit(transaction, acting(context, account->id), now, action, std::nullopt, std::nullopt);
    return begin_session(*parts, transaction, context, *account, now);
  };
  auto granted = co_await parts->database->write(context, std::move(work));
  co_return granted;
}

}  // namespace

Async<Tokens> AccountsHere::on(Context context, Register request) {
  const auto& mode = parts_->settings.registration;
  if (mode != "open") {
    const bool invite = mode == "invite";
    auto recorded = co_await record(parts_, context, "register.refused", std::nullopt, mode);
    co_return Error(Errc::forbidden, invite ? "registration needs an invite that is valid; ask a member for one"
                                            : "registration is closed; ask an administrator for an account");
  }
  Wrongs wrong;
  wrong.check("/username", wrong_username(request.username));
  wrong.check("/password", wrong_password(request.password));
  if (request.email) wrong.check("/email", wrong_email(*request.email));
  // The rest is for user to say, when the account is there.
  if (request.display_name && !storable(*request.display_name)) wrong.check("/display_name", "has no control or direction characters");
  if (wrong.any()) co_return wrong.error();
  NewAccount wanted;
  wanted.username = request.username;
  wanted.password = request.password;
  wanted.email = request.email;
  wanted.display_name = request.display_name;
  wanted.roles.emplace_back("member");
  auto account = co_await make_account(parts_, context, std::move(wanted));
  if (!account) co_return account.error();
  const auto now = parts_->clock->now();
  auto granted = co_await open_session(parts_, context, *account, "login", now);
  if (!granted) co_return granted.error();
  log::info(context, "user.registered", Field("user", account->id));
  co_return tokens_of(*parts_, *granted, now);
}

Async<Tokens> AccountsHere::refused_login(Context context, std::optional<AccountRow> account, Error answer) {
  // The same for a known and an unknown login, in time too. What was typed is not kept: it may be a password.
  const auto target = account ? std::optional(account->id.text()) : std::nullopt;
  auto recorded = co_await record(parts_, std::move(context), "login.refused", target, answer.detail);
  count_login(*parts_->metrics, "refused");
  co_return answer;
}

Async<Tokens> AccountsHere::on(Context context, Login request) {
  auto look = [login = request.login](Query& query) -> Result<std::optional<AccountRow>> { return store::account_for_login(query, login); };
  auto found = co_await parts_->database->read(context, std::move(look));
  if (!found) co_return found.error();
  auto account = std::move(*found);
  const auto stored = account ? std::optional(account->password) : std::nullopt;
  auto right = co_await parts_->passwords->verify(request.password, stored);
  if (!right) co_return right.error();
  if (!*right) {
    auto refused = co_await refused_login(context, account, wrong_login());
    co_return refused;
  }
  if (account->disabled) {
    auto refused = co_await refused_login(context, account, disabled_account());
    co_return refused;
  }
  // What a crash between account and profile left, is made good here. A name that user refuses gives way to the username.
  auto complete = co_await complete_account(parts_, context, *account);
  if (!complete && complete.error().code == Errc::invalid_request) {
    account->display_name.reset();
    complete = co_await complete_account(parts_, context, *account);
  }
  if (!complete) co_return complete.error();
  const auto now = parts_->clock->now();
  auto granted = co_await open_session(parts_, context, *complete, "login", now);
  if (!granted) co_return granted.error();
  count_login(*parts_->metrics, "accepted");
  co_return tokens_of(*parts_, *granted, now);
}

Async<Tokens> AccountsHere::on(Context context, Refresh request) {
  if (!request.refresh_token) co_return Error(Errc::unauthenticated, "there is no refresh token; sign in");
  const auto now = parts_->clock->now();
  auto work = [parts = parts_, context, text = *request.refresh_token, now](Transaction& transaction) -> Result<Refreshed> {
    return refresh_session(*parts, transaction, context, text, now);  // also what is refused is stored
  };
  auto refreshed = co_await parts_->database->write(context, std::move(work));
  if (!refreshed) co_return refreshed.error();
  switch (refreshed->outcome) {
    case Refreshing::granted:
      co_return tokens_of(*parts_, refreshed->granted, now);
    case Refreshing::refused:
      break;
    case Refreshing::reused:
      log::warn(context, "auth.refresh_reused");
      break;
  }
  co_return Error(Errc::unauthenticated, "the refresh token is not valid any more; sign in again");
}

}  // namespace loggia::auth
