#pragma once
// The Verifier of a process without auth: keys and ended sessions as auth had them at the start, and from then on what its log says, read over
// rpc whatever brings other events (contract, section 3, guarantee 6).
#include "loggia/kernel/module.hpp"
#include "verifier_here.hpp"

namespace loggia::auth {

/// Keys that auth has published.
class PublishedKeys final : public Keys {
 public:
  /// A JWK Set, or an error, and then the old ones stay.
  Result<bool> take(const std::string& jwks);
  std::shared_ptr<const crypto::VerifyKey> find(std::string_view kid) const override;
  std::string jwks() const override;
  /// Whether a key was asked for since the last time that is none of them: there may be a new one.
  bool missed() const { return missed_.exchange(false); }

 private:
  mutable std::shared_mutex mutex_;
  std::map<std::string, std::shared_ptr<const crypto::VerifyKey>, std::less<>> by_kid_;
  std::string jwks_ = R"({"keys":[]})";
  mutable std::atomic<bool> missed_{false};
};

/// Stands for auth where that is elsewhere: offers a Verifier, and keeps it told.
std::unique_ptr<Module> stand_in(Kernel& kernel);

}  // namespace loggia::auth
