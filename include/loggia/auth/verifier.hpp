#pragma once
// Checks access tokens where they arrive (gateway, realtime), with the keys and the revocations that auth publishes; never asks.
// In auth's own process it knows a revocation as soon as it is durable.
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include "loggia/ids.hpp"
#include "loggia/kernel/context.hpp"

namespace loggia::auth {

struct Verified {
  Caller caller;  // subject, session, username, roles
  Time expires{};
};

/// Safe from every thread.
class Verifier {
 public:
  virtual ~Verifier() = default;
  /// Errc::unauthenticated, with a detail that says why without helping a forger; Errc::unavailable without contact to auth for 5 s.
  virtual Result<Verified> verify(std::string_view token) const = 0;
  /// The public keys as a JWK Set (RFC 7517).
  virtual std::string jwks() const = 0;
  /// Called, on any thread, once for each session that ended from now on; `session` nil: all of the user's (account disabled).
  /// Drop the returned handle to be called no more.
  using Watch = std::shared_ptr<void>;
  virtual Watch on_revoked(std::function<void(UserId user, SessionId session)> handler) = 0;
  /// False without contact to auth for 5 s: hold pushes back.
  virtual bool in_contact() const = 0;
};

}  // namespace loggia::auth
