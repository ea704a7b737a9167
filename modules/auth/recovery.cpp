// The mail address of an account, and the way back in by it. Nobody learns here whether an address is known: the answers are the same, and so
// is the work.
#include "account_changes.hpp"
#include "accounts.hpp"
#include "credentials.hpp"
#include "loggia/kernel/log.hpp"
#include "loggia/kernel/storable.hpp"
#include "mailing.hpp"

namespace loggia::auth {
namespace {

Error stale_link() { return wrong_field("/token", "is not good any more, or never was: ask for a new mail"); }

Account shown(const AccountRow& row) {
  Account out;
  out.email = row.email;
  out.email_verified = row.email_verified;
  out.roles = row.roles;
  return out;
}

/// With its account locked: of two who use it at once, at two servers, the second finds it used.
std::optional<MailToken> token_to_use(Transaction& transaction, const std::string& hash, const std::string& purpose, Time now) {
  auto token = store::mail_token(transaction, hash, purpose, now);
  if (token && store::lock_account(transaction, token->account)) token = store::mail_token(transaction, hash, purpose, now);
  return token;
}

}  // namespace

Async<Account> AccountsHere::on(Context context, GetAccount) {
  auto row = co_await own_account(std::move(context));
  if (!row) co_return row.error();
  co_return shown(*row);
}

Async<Account> AccountsHere::on(Context context, PutAccount request) {
  const bool none = !request.email || request.email->empty();
  if (!none)
    if (auto wrong = wrong_email(*request.email)) co_return wrong_field("/email", *wrong);
  const auto wanted = none ? std::nullopt : std::optional(lower_ascii(*request.email));
  const auto now = parts_->clock->now();
  auto work = [parts = parts_, context, wanted, now](Transaction& transaction) -> Result<Account> {
    auto row = store::account_to_change(transaction, UserId(context.caller().subject));
    if (!row) return Error(Errc::not_found, "there is no such account");
    if (row->email == wanted && (!wanted || row->email_verified)) return shown(*row);
    // Their own mails are counted aloud; whether others had mail sent there, they do not learn.
    if (wanted && store::tokens_of_account(transaction, row->id, now - links_counted) >= links_of_account) {
      Error often(Errc::rate_limited, "a mail with a link was sent to you several times within the hour; look for it, or come back later");
      often.retry_after = static_cast<int>(std::chrono::seconds(links_counted).count());
      return often;
    }
    if (row->email != wanted) {
      mail_moved(*parts, transaction, *row, now);
      store::use_tokens_of(transaction, row->id, "reset");
      store::set_email(transaction, row->id, wanted, false);
      store::audit(transaction, context, now, wanted ? "email.changed" : "email.removed", row->id.text(), std::nullopt);
      row->email = wanted;
      row->email_verified = false;
    }
    if (wanted && may_mail(transaction, row->id, *wanted, now)) mail_proof(*parts, transaction, *row, now);
    return shown(*row);
  };
  auto done = co_await parts_->database->write(context, std::move(work));
  if (done && wanted && !done->email_verified && !parts_->settings.mail) log::warn(context, "auth.mail_not_configured", Field("for", "verification"));
  co_return done;
}

Async<Nothing> AccountsHere::on(Context context, VerifyEmail request) {
  const auto now = parts_->clock->now();
  auto work = [context, hash = mail_token_hash(request.token), now](Transaction& transaction) -> Result<Nothing> {
    const auto token = token_to_use(transaction, hash, "verify", now);
    const auto row = token ? store::account(transaction, token->account) : std::nullopt;
    if (!row || row->disabled || row->email != token->address) return stale_link();
    store::lock_accounts(transaction);
    // Who gets here reads mail at this address, so it is theirs to know.
    if (store::verified_elsewhere(transaction, token->address, row->id))
      return Error(Errc::conflict, "another account has this address; take it away there first, or choose another one");
    store::use_token(transaction, hash);
    store::set_email(transaction, row->id, token->address, true);
    store::audit(transaction, acting(context, row->id), now, "email.verified", row->id.text(), std::nullopt);
    return Nothing();
  };
  auto done = co_await parts_->database->write(context, std::move(work));
  co_return done;
}

Async<Nothing> AccountsHere::on(Context context, ForgotPassword request) {
  const auto address = lower_ascii(request.email);
  const auto now = parts_->clock->now();
  // Whether the address is known is found out when the mail is due: here the work is the same for every one.
  auto work = [parts = parts_, context, address, now](Transaction& transaction) -> Result<Nothing> {
    const auto detail = parts->settings.mail ? std::nullopt : std::optional<std::string>("this server sends no mail: smtp.url is not set");
    store::audit(transaction, context, now, "password.forgot", std::nullopt, detail);
    if (storable(address)) mail_reset(*parts, transaction, address, now);  // else nobody's
    return Nothing();
  };
  auto done = co_await parts_->database->write(context, std::move(work));
  if (!parts_->settings.mail) log::warn(context, "auth.mail_not_configured", Field("for", "password reset"));
  co_return done;
}

Async<Nothing> AccountsHere::on(Context context, ResetPassword request) {
  if (auto wrong = wrong_password(request.new_password)) co_return wrong_field("/new_password", *wrong);
  const auto hash = mail_token_hash(request.token);
  const auto now = parts_->clock->now();
  // Before the password is hashed: a guess costs little.
  auto look = [hash, now](Query& query) -> Result<bool> { return store::mail_token(query, hash, "reset", now).has_value(); };
  auto good = co_await parts_->database->read(context, std::move(look));
  if (!good) co_return good.error();
  if (!*good) {
    auto recorded = co_await record(parts_, context, "password.reset.refused", std::nullopt, std::nullopt);
    co_return stale_link();
  }
  auto hashed = co_await parts_->passwords->hash(request.new_password);
  if (!hashed) co_return hashed.error();
  auto work = [parts = parts_, context, hash, password = *hashed, now](Transaction& transaction) -> Result<Nothing> {
    const auto token = token_to_use(transaction, hash, "reset", now);
    const auto row = token ? store::account(transaction, token->account) : std::nullopt;
    if (!row || row->disabled || row->email != token->address || !row->email_verified) return stale_link();
    store::use_tokens_of(transaction, row->id, "reset");
    store::set_password(transaction, row->id, std::string(), password);
    store::audit(transaction, acting(context, row->id), now, "password.reset", row->id.text(), std::nullopt);
    end_sessions(*parts, transaction, context, row->id, SessionId(), now);
    return Nothing();
  };
  auto done = co_await parts_->database->write(context, std::move(work));
  co_return done;
}

Async<Mailbox> MailboxesHere::on(Context context, GetMailbox request) {
  auto work = [id = request.user](Query& query) -> Result<Mailbox> {
    const auto row = store::account(query, id);
    if (!row || row->pending) return Error(Errc::not_found, "there is no such account");
    Mailbox out;
    out.disabled = row->disabled;
    if (row->email_verified && !row->disabled) out.address = row->email;
    return out;
  };
  auto found = co_await parts_->database->read(context, std::move(work));
  co_return found;
}

}  // namespace loggia::auth
