#include "account_changes.hpp"
#include "credentials.hpp"
#include "loggia/auth/events.hpp"
#include "loggia/kernel/announce.hpp"
#include "loggia/kernel/log.hpp"
#include "mailing.hpp"

namespace loggia::auth {
namespace {

Error taken() { return Error(Errc::conflict, "this username is taken; choose another one"); }

/// Auth on its own behalf: the person who registers is nobody yet.
Context as_module(const Context& context) {
  Caller caller;
  caller.module = "auth";
  return context.as(std::move(caller));
}

Async<bool> name_is_free(std::shared_ptr<Parts> parts, Context context, std::string username) {
  auto work = [username](Query& query) -> Result<bool> { return !store::account_named(query, username); };
  auto done = co_await parts->database->read(context, std::move(work));
  co_return done;
}

Async<bool> insert_pending(std::shared_ptr<Parts> parts, Context context, AccountRow row) {
  auto work = [row](Transaction& transaction) -> Result<bool> {
    if (store::account_named(transaction, row.username)) return taken();
    store::insert_account(transaction, row);
    return true;
  };
  auto done = co_await parts->database->write(context, std::move(work));
  co_return done;
}

Async<bool> erase_pending(std::shared_ptr<Parts> parts, Context context, UserId id) {
  auto work = [id](Transaction& transaction) -> Result<bool> {
    store::erase_pending(transaction, id);
    return true;
  };
  auto done = co_await parts->database->write(context, std::move(work));
  co_return done;
}

}  // namespace

Async<AccountRow> make_account(std::shared_ptr<Parts> parts, Context context, NewAccount wanted) {
  // Before the hash: a taken name costs little.
  auto free = co_await name_is_free(parts, context, wanted.username);
  if (!free) co_return free.error();
  if (!*free) co_return taken();
  auto hash = co_await parts->passwords->hash(wanted.password);
  if (!hash) co_return hash.error();
  AccountRow row;
  row.id = parts->ids->make<UserId>();
  row.username = wanted.username;
  row.password = *hash;
  row.roles = wanted.roles;
  if (wanted.email) row.email = lower_ascii(*wanted.email);
  row.display_name = wanted.display_name;
  row.created_at = parts->clock->now();
  auto inserted = co_await insert_pending(parts, context, row);
  if (!inserted) co_return inserted.error();
  auto done = co_await complete_account(parts, context, row);
  if (!done && (done.error().code == Errc::invalid_request || done.error().code == Errc::conflict)) {
    // Refused for good, such as a display name that is none: the account never was.
    auto erased = co_await erase_pending(parts, context, row.id);
    if (!erased) log::warn(context, "auth.pending_account_left", Field("user", row.id), Field("why", erased.error().detail));
  }
  co_return done;
}

Async<AccountRow> complete_account(std::shared_ptr<Parts> parts, Context context, AccountRow account) {
  if (!account.pending) co_return account;
  const auto display_name = account.display_name.value_or(account.username);
  const auto ours = as_module(context);
  auto profile = co_await parts->directory->ask<user::CreateProfile>(ours, account.id, account.username, display_name);
  if (!profile) co_return profile.error();
  auto work = [parts, context, id = account.id](Transaction& transaction) -> Result<AccountRow> {
    auto row = store::account_to_change(transaction, id);
    if (!row) return Error(Errc::conflict, "the account was removed meanwhile");
    if (!row->pending) return *row;
    store::set_ready(transaction, id);
    row->pending = false;
    UserRegistered event;
    event.user_id = id;
    event.username = row->username;
    announce(*parts->log, transaction, event, event.user_id.text(), context.trace());
    const auto now = parts->clock->now();
    store::audit(transaction, acting(context, id), now, "user.registered", id.text(), row->username);
    if (row->email && may_mail(transaction, id, *row->email, now)) mail_proof(*parts, transaction, *row, now);
    return *row;
  };
  auto done = co_await parts->database->write(context, std::move(work));
  co_return done;
}

Result<AccountRow> change_rights(const Parts& parts, Transaction& transaction, const Context& context, AccountRow account, const Rights& wanted,
                                 Time now) {
  auto after = account;
  if (wanted.roles) after.roles = split_roles(join_roles(*wanted.roles));
  if (wanted.disabled) after.disabled = *wanted.disabled;
  if (after.roles == account.roles && after.disabled == account.disabled) return account;
  const bool was_admin = account.is_admin() && !account.disabled, stays_admin = after.is_admin() && !after.disabled;
  if (wanted.keep_an_admin && was_admin && !stays_admin) {
    store::lock_accounts(transaction);
    if (!store::other_admin(transaction, account.id)) return Error(Errc::conflict, "this is the last administrator; make somebody else one first");
  }
  store::set_rights(transaction, account.id, after.roles, after.disabled);
  if (after.roles != account.roles)
    store::audit(transaction, context, now, "user.roles", account.id.text(), join_roles(account.roles) + " -> " + join_roles(after.roles));
  if (after.disabled && !account.disabled) {
    store::audit(transaction, context, now, "user.disabled", account.id.text(), account.username);
    UserDisabled event;
    event.user_id = account.id;
    announce(*parts.log, transaction, event, event.user_id.text(), context.trace());
    end_sessions(parts, transaction, context, account.id, SessionId(), now, false);  // the watchers hear once: all of them
    transaction.on_commit([verifier = parts.verifier, id = account.id] { verifier->disabled(id, true); });
  } else if (loses_role(account.roles, after.roles)) {
    end_sessions(parts, transaction, context, account.id, SessionId(), now);
  }
  if (!after.disabled && account.disabled) {
    store::audit(transaction, context, now, "user.enabled", account.id.text(), account.username);
    UserEnabled event;
    event.user_id = account.id;
    announce(*parts.log, transaction, event, event.user_id.text(), context.trace());
    transaction.on_commit([verifier = parts.verifier, id = account.id] { verifier->enabled(id); });
  }
  return after;
}

Async<bool> record(std::shared_ptr<Parts> parts, Context context, std::string action, std::optional<std::string> target,
                   std::optional<std::string> detail) {
  const auto now = parts->clock->now();
  auto work = [context, now, action, target, detail](Transaction& transaction) -> Result<bool> {
    store::audit(transaction, context, now, action, target, detail);
    return true;
  };
  auto done = co_await parts->database->write(context, std::move(work));
  if (!done) log::warn(context, "auth.audit_lost", Field("action", action), Field("why", done.error().detail));
  co_return done;
}

}  // namespace loggia::auth
