#pragma once
// The Verifier of auth's own process: knows every revocation as soon as it is durable, since the store's writer tells it. Elsewhere the same
// one is told by auth's log (verifier_elsewhere.hpp).
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <shared_mutex>
#include <unordered_map>
#include <unordered_set>
#include "key_ring.hpp"
#include "known_tokens.hpp"
#include "loggia/auth/contract.hpp"
#include "loggia/auth/verifier.hpp"
#include "loggia/kernel/watchers.hpp"

namespace loggia::auth {

/// Safe from every thread.
class VerifierHere final : public Verifier {
 public:
  VerifierHere(std::string issuer, std::shared_ptr<const Keys> keys, std::shared_ptr<const Clock> clock)
      : keys_{std::move(keys)}, clock_{std::move(clock)}, issuer_{std::move(issuer)} {}

  Result<Verified> verify(std::string_view token) const override;
  std::string jwks() const override { return keys_->jwks(); }
  Watch on_revoked(std::function<void(UserId user, SessionId session)> handler) override { return watchers_.add(std::move(handler)); }
  bool in_contact() const override { return true; }

  /// A session has ended; heard again, it is told to nobody. Known until `until`: then its last access token is over anyway. `tell_watchers` false:
  /// at start, of old ones.
  void revoked(const UserId& user, const SessionId& session, Time until, bool tell_watchers);
  /// Nothing of the user is valid any more, until enabled().
  void disabled(const UserId& user, bool tell_watchers);
  void enabled(const UserId& user);
  /// It was signed here a moment ago.
  void made(std::string_view token, const Claims& claims) { known_.add(token, claims); }
  /// Whose tokens are good: another's than at first.
  void issued_by(std::string issuer);
  /// Forgets revocations that are over, and tokens.
  void forget(Time now);
  /// What is known, for verifiers elsewhere.
  std::vector<EndedSession> ended_sessions() const;
  std::vector<UserId> disabled_users() const;

 private:
  static constexpr std::size_t known_half = 8192;  // tokens, of some 400 bytes each
  std::string issuer() const;
  struct Ended {
    UserId user;
    Time until{};
  };

  const std::shared_ptr<const Keys> keys_;
  const std::shared_ptr<const Clock> clock_;
  mutable KnownTokens known_{known_half};
  mutable std::shared_mutex mutex_;
  std::string issuer_;
  std::unordered_map<SessionId, Ended> revoked_;
  std::unordered_set<UserId> disabled_;
  Watchers<UserId, SessionId> watchers_;
};

}  // namespace loggia::auth
