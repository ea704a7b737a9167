#include "account_changes.hpp"
#include "accounts.hpp"
#include "credentials.hpp"
#include "session_book.hpp"
#include "tokens.hpp"

namespace loggia::auth {
namespace {

constexpr std::int64_t page_standard = 50;

Async<bool> end_one(std::shared_ptr<Parts> parts, Context context, UserId user, SessionId session, std::string action) {
  const auto now = parts->clock->now();
  auto work = [parts, context, user, session, action, now](Transaction& transaction) -> Result<bool> {
    const bool ended = end_session(*parts, transaction, context, user, session, now);
    if (ended) store::audit(transaction, context, now, action, session.text(), std::nullopt);
    return ended;
  };
  auto done = co_await parts->database->write(context, std::move(work));
  co_return done;
}

/// The session that a refresh token of ours is of, also of an old one: who holds it may end it.
Async<bool> end_by_token(std::shared_ptr<Parts> parts, Context context, RefreshToken token) {
  const auto now = parts->clock->now();
  auto work = [parts, context, token, now](Transaction& transaction) -> Result<bool> {
    const auto row = store::session(transaction, token.session);
    if (!row) return false;
    const auto owner = acting(context, row->user);
    store::audit(transaction, owner, now, "logout", row->id.text(), std::nullopt);
    return end_session(*parts, transaction, owner, row->user, row->id, now);
  };
  auto done = co_await parts->database->write(context, std::move(work));
  co_return done;
}

}  // namespace

Async<Nothing> AccountsHere::on(Context context, Logout request) {
  const SessionId session(context.caller().session);
  if (context.caller().known() && !session.nil()) {
    auto ended = co_await end_one(parts_, context, UserId(context.caller().subject), session, "logout");
    if (!ended) co_return ended.error();
    co_return Nothing();
  }
  const auto token = request.refresh_token ? open_refresh_token(parts_->secret, *request.refresh_token) : std::nullopt;
  if (!token) co_return Error(Errc::unauthenticated, "there is no session to end: send its access token or its cookie");
  auto ended = co_await end_by_token(parts_, context, *token);
  if (!ended) co_return ended.error();
  co_return Nothing();
}

Async<TokenState> AccountsHere::on(Context, Validate request) {
  TokenState out;
  const auto verified = parts_->verifier->verify(request.token);
  if (!verified) co_return out;
  out.active = true;
  out.sub = UserId(verified->caller.subject);
  out.username = verified->caller.username;
  out.roles = verified->caller.roles;
  out.session = SessionId(verified->caller.session);
  out.exp = std::chrono::floor<std::chrono::seconds>(verified->expires).time_since_epoch().count();
  co_return out;
}

Async<loggia::auth::Sessions> AccountsHere::on(Context context, ListSessions request) {
  const auto limit = request.limit.value_or(page_standard);
  const auto before = request.cursor ? SessionId::parse(*request.cursor) : Result<SessionId>(SessionId());
  if (!before) co_return wrong_field("/cursor", "is not a cursor of this list");
  const auto now = parts_->clock->now();
  auto work = [user = UserId(context.caller().subject), before = *before, now, limit](Query& query) -> Result<std::vector<SessionRow>> {
    return store::sessions_page(query, user, before, now, limit + 1);
  };
  auto rows = co_await parts_->database->read(context, std::move(work));
  if (!rows) co_return rows.error();
  loggia::auth::Sessions out;
  for (const auto& row : *rows) {
    if (out.items.size() == static_cast<std::size_t>(limit)) {
      out.next = out.items.back().id.text();
      break;
    }
    SessionInfo info;
    info.id = row.id;
    info.current = Uuid(row.id) == context.caller().session;
    info.client = row.client;
    info.address = row.address;
    info.created_at = row.created_at;
    info.last_seen = row.last_seen;
    out.items.push_back(std::move(info));
  }
  co_return out;
}

Async<Nothing> AccountsHere::on(Context context, RevokeSession request) {
  auto ended = co_await end_one(parts_, context, UserId(context.caller().subject), request.id, "session.revoked");
  if (!ended) co_return ended.error();
  if (!*ended) co_return Error(Errc::not_found, "you have no such session");
  co_return Nothing();
}

Async<AccountRow> AccountsHere::own_account(Context context) {
  auto work = [user = UserId(context.caller().subject)](Query& query) -> Result<AccountRow> {
    auto row = store::account(query, user);
    if (!row) return Error(Errc::not_found, "there is no such account");
    return *row;
  };
  auto account = co_await parts_->database->read(context, std::move(work));
  co_return account;
}

Async<Nothing> AccountsHere::on(Context context, ChangePassword request) {
  if (auto wrong = wrong_password(request.new_password)) co_return wrong_field("/new_password", *wrong);
  auto account = co_await own_account(context);
  if (!account) co_return account.error();
  auto right = co_await parts_->passwords->verify(request.current_password, account->password);
  if (!right) co_return right.error();
  if (!*right) {
    auto recorded = co_await record(parts_, context, "password.refused", account->id.text(), std::nullopt);
    co_return wrong_field("/current_password", "is not your password");
  }
  auto hash = co_await parts_->passwords->hash(request.new_password);
  if (!hash) co_return hash.error();
  const auto now = parts_->clock->now();
  auto work = [parts = parts_, context, row = *account, hash = *hash, now](Transaction& transaction) -> Result<Nothing> {
    store::lock_account(transaction, row.id);
    if (!store::set_password(transaction, row.id, row.password, hash))
      return Error(Errc::conflict, "the password was changed meanwhile; sign in again");
    store::audit(transaction, context, now, "password.changed", row.id.text(), std::nullopt);
    end_sessions(*parts, transaction, context, row.id, SessionId(context.caller().session), now);
    return Nothing();
  };
  auto done = co_await parts_->database->write(context, std::move(work));
  co_return done;
}

}  // namespace loggia::auth
