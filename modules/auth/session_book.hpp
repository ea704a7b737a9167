#pragma once
// How sessions begin, go on and end: the row, the revocation, the event and what the verifier learns, all in one transaction of the
// caller. On the store's writer.
#include <optional>
#include <string>
#include <vector>
#include "account_store.hpp"
#include "loggia/auth/contract.hpp"
#include "parts.hpp"
#include "session_store.hpp"

namespace loggia::auth {

inline constexpr std::chrono::seconds refresh_repeatable{60};

/// A session with a new refresh token; from it come the answers of register, login and refresh.
struct Granted {
  AccountName user;
  std::vector<std::string> roles;
  SessionId session;
  Time session_expires{};
  std::string refresh_token;
};
Granted begin_session(const Parts& parts, Transaction& transaction, const Context& context, const AccountRow& account, Time now);

enum class Refreshing { granted, refused, reused };
struct Refreshed {
  Refreshing outcome = Refreshing::refused;
  Granted granted;
};
/// `text` is the refresh token; with the context's Idempotency-Key it may be repeated for a minute. Reuse ends the session.
Refreshed refresh_session(const Parts& parts, Transaction& transaction, const Context& context, const std::string& text, Time now);

/// False where there is none of this user.
bool end_session(const Parts& parts, Transaction& transaction, const Context& context, const UserId& user, const SessionId& session, Time now);
/// All of the user's but `except` (nil: all). `tell`: the verifier's watchers hear of each.
void end_sessions(const Parts& parts, Transaction& transaction, const Context& context, const UserId& user, const SessionId& except, Time now,
                  bool tell = true);

/// The answer, with an access token of its own. Not on the writer: it signs.
Tokens tokens_of(const Parts& parts, const Granted& granted, Time now);

/// The same context, acting as this account: for the audit log.
Context acting(const Context& context, const UserId& user);

}  // namespace loggia::auth
