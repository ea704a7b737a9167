#include "session_book.hpp"
#include <algorithm>
#include "loggia/auth/events.hpp"
#include "loggia/kernel/announce.hpp"
#include "tokens.hpp"

namespace loggia::auth {
namespace {

constexpr std::size_t client_max = 200;

/// At most `max` bytes, not within a code point.
std::string shortened(const std::string& text, std::size_t max) {
  if (text.size() <= max) return text;
  while (max > 0 && (static_cast<unsigned char>(text[max]) & 0xC0) == 0x80) --max;
  return text.substr(0, max);
}

std::string chance(Random& random) {
  std::string out(16, '\0');
  random.fill(out.data(), out.size());
  return out;
}

Granted granted_to(const AccountRow& account, const SessionRow& session, std::string refresh_token) {
  Granted out;
  out.user.id = account.id;
  out.user.username = account.username;
  out.roles = account.roles;
  out.session = session.id;
  out.session_expires = session.expires_at;
  out.refresh_token = std::move(refresh_token);
  return out;
}

/// Whether this is the question of a moment ago again, whose answer was lost.
bool repeated(const SessionRow& row, const std::string& hash, const std::string& key, Time now) {
  return !key.empty() && row.token_before && row.key_before && row.refreshed_at && crypto::equal(*row.token_before, hash) &&
         crypto::equal(*row.key_before, crypto::sha256(key)) && now - *row.refreshed_at <= refresh_repeatable;
}

void end(const Parts& parts, Transaction& transaction, const Context& context, const UserId& user, const SessionId& session, Time now, bool tell) {
  store::erase_session(transaction, session);
  Revocation revocation;
  revocation.session = session;
  revocation.user = user;
  // A token that is being signed at this moment counts from a little later.
  revocation.until = now + parts.settings.token_lifetime + clock_skew;
  store::insert_revocation(transaction, revocation);
  SessionRevoked event;
  event.user_id = user;
  event.session = session;
  announce(*parts.log, transaction, event, event.user_id.text(), context.trace());
  transaction.on_commit(
      [verifier = parts.verifier, revocation, tell] { verifier->revoked(revocation.user, revocation.session, revocation.until, tell); });
}

}  // namespace

Context acting(const Context& context, const UserId& user) {
  auto caller = context.caller();
  caller.subject = Uuid(user);
  return context.as(std::move(caller));
}

Granted begin_session(const Parts& parts, Transaction& transaction, const Context& context, const AccountRow& account, Time now) {
  SessionRow row;
  row.id = parts.ids->make<SessionId>();
  row.user = account.id;
  row.client = shortened(context.client(), client_max);
  row.address = context.address();
  row.created_at = row.last_seen = now;
  row.expires_at = now + parts.settings.session_lifetime;
  RefreshToken token;
  token.session = row.id;
  token.nonce = chance(*parts.random);
  auto text = seal_refresh_token(parts.secret, token);
  row.token = crypto::sha256(text);
  store::insert_session(transaction, row);
  return granted_to(account, row, std::move(text));
}

Refreshed refresh_session(const Parts& parts, Transaction& transaction, const Context& context, const std::string& text, Time now) {
  Refreshed out;
  const auto token = open_refresh_token(parts.secret, text);
  if (!token) return out;
  auto row = store::session(transaction, token->session);
  // Another process may be giving this very token its successor.
  if (row && store::lock_account(transaction, row->user)) row = store::session(transaction, token->session);
  if (!row || row->expires_at <= now) return out;
  const auto account = store::account(transaction, row->user);
  if (!account || account->disabled) return out;
  const auto& key = context.idempotency_key();
  const auto hash = crypto::sha256(text);
  const bool good = crypto::equal(row->token, hash);
  if (!good && !repeated(*row, hash, key, now)) {
    const auto owner = acting(context, row->user);
    end(parts, transaction, owner, row->user, row->id, now, true);
    store::audit(transaction, owner, now, "refresh.reused", row->id.text(), "a refresh token was used twice: the session was ended");
    out.outcome = Refreshing::reused;
    return out;
  }
  RefreshToken next;
  next.session = row->id;
  next.nonce = key.empty() ? chance(*parts.random) : next_nonce(parts.secret, text, key);
  auto next_text = seal_refresh_token(parts.secret, next);
  if (good) {
    row->token = crypto::sha256(next_text);
    row->token_before = hash;
    row->key_before = key.empty() ? std::nullopt : std::optional(crypto::sha256(key));
    row->refreshed_at = now;
    row->last_seen = now;
    row->expires_at = now + parts.settings.session_lifetime;
    if (!context.client().empty()) row->client = shortened(context.client(), client_max);
    if (!context.address().empty()) row->address = context.address();
    store::update_session(transaction, *row);
  }
  out.outcome = Refreshing::granted;
  out.granted = granted_to(*account, *row, std::move(next_text));
  return out;
}

bool end_session(const Parts& parts, Transaction& transaction, const Context& context, const UserId& user, const SessionId& session, Time now) {
  const auto row = store::session(transaction, session);
  if (!row || row->user != user) return false;
  end(parts, transaction, context, user, session, now, true);
  return true;
}

void end_sessions(const Parts& parts, Transaction& transaction, const Context& context, const UserId& user, const SessionId& except, Time now,
                  bool tell) {
  for (const auto& session : store::sessions_of(transaction, user, except)) end(parts, transaction, context, user, session, now, tell);
}

Tokens tokens_of(const Parts& parts, const Granted& granted, Time now) {
  Claims claims;
  claims.issuer = parts.settings.issuer;
  claims.username = granted.user.username;
  claims.token_id = parts.ids->make<Uuid>().text();
  claims.subject = granted.user.id;
  claims.session = granted.session;
  claims.roles = granted.roles;
  claims.issued = std::chrono::floor<std::chrono::seconds>(now);
  claims.expires = std::chrono::floor<std::chrono::seconds>(std::min<Time>(claims.issued + parts.settings.token_lifetime, granted.session_expires));
  Tokens out;
  out.user = granted.user;
  out.access_token = sign_access_token(parts.keys->signing(now), claims);
  parts.verifier->made(out.access_token, claims);
  out.token_type = "Bearer";
  out.expires_in = std::chrono::duration_cast<std::chrono::seconds>(claims.expires - claims.issued).count();
  out.refresh_token = granted.refresh_token;
  return out;
}

}  // namespace loggia::auth
