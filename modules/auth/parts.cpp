#include "parts.hpp"
#include "account_store.hpp"
#include "mail_store.hpp"
#include "session_store.hpp"

namespace loggia::auth {

Result<bool> Parts::load() {
  const auto now = clock->now();
  const auto prepare = [this, now](Transaction& transaction) -> Result<bool> {
    secret = store::secret(transaction, "refresh", *random);
    for (const auto& one : store::revocations(transaction, now)) verifier->revoked(one.user, one.session, one.until, false);
    for (const auto& id : store::disabled_accounts(transaction)) verifier->disabled(id, false);
    return KeyRing::update(keys, transaction, now);
  };
  return database->write_now(prepare);
}

Async<bool> Parts::maintain(std::shared_ptr<Parts> parts, Context context) {
  const auto now = parts->clock->now();
  auto work = [keys = parts->keys, verifier = parts->verifier, now](Transaction& transaction) -> Result<bool> {
    store::erase_expired(transaction, now);
    store::erase_old_tokens(transaction, now - std::chrono::hours(1));  // until then they count against the limits
    transaction.on_commit([verifier, now] { verifier->forget(now); });
    return KeyRing::update(keys, transaction, now);
  };
  auto done = co_await parts->database->write(context, std::move(work));
  co_return done;
}

}  // namespace loggia::auth
