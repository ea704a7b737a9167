#pragma once
// What a verifier elsewhere asks for.
#include "loggia/auth/contract.hpp"
#include "parts.hpp"

namespace loggia::auth {

class TrustHere final : public Trust {
 public:
  explicit TrustHere(std::shared_ptr<Parts> parts) : parts_{std::move(parts)} {}
  Async<Trusted> on(Context, GetTrust) override {
    Trusted out;
    out.issuer = parts_->settings.issuer;
    out.token_lifetime = parts_->settings.token_lifetime.count();
    out.keys = RawJson(parts_->keys->jwks());
    out.ended = parts_->verifier->ended_sessions();
    out.disabled = parts_->verifier->disabled_users();
    co_return out;
  }

 private:
  std::shared_ptr<Parts> parts_;
};

}  // namespace loggia::auth
