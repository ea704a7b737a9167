#pragma once
// The rows of sessions, revocations and secrets. Plain functions over a query or transaction; on the store's threads.
#include <optional>
#include <string>
#include <vector>
#include "loggia/ids.hpp"
#include "loggia/kernel/storage.hpp"

namespace loggia::auth {

struct SessionRow {
  SessionId id;
  UserId user;
  std::string token;                                    // SHA-256 of the refresh token that is good
  std::optional<std::string> token_before, key_before;  // SHA-256 of the one before, and of the key that it was used with
  std::optional<Time> refreshed_at;
  std::string client, address;
  Time created_at{}, last_seen{}, expires_at{};
};
struct Revocation {
  SessionId session;
  UserId user;
  Time until{};
};

namespace store {

std::optional<SessionRow> session(Query& query, const SessionId& id);
/// Newest first, with id < `before` (nil: from the newest); those that have not expired.
std::vector<SessionRow> sessions_page(Query& query, const UserId& user, const SessionId& before, Time now, std::int64_t limit);
/// All of the user's, but `except`.
std::vector<SessionId> sessions_of(Query& query, const UserId& user, const SessionId& except);
void insert_session(Transaction& transaction, const SessionRow& row);
/// What a refresh changes.
void update_session(Transaction& transaction, const SessionRow& row);
void erase_session(Transaction& transaction, const SessionId& id);
void erase_expired(Transaction& transaction, Time now);

void insert_revocation(Transaction& transaction, const Revocation& revocation);
std::vector<Revocation> revocations(Query& query, Time now);

/// A secret of this server, made where there is none.
std::string secret(Transaction& transaction, const std::string& name, Random& random);

}  // namespace store
}  // namespace loggia::auth
