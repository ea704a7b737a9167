#pragma once
// The keys that sign access tokens: made at the first start, kept in the database, changed every 30 days. A new key is shown at least one
// token lifetime before it signs and stays for 24 h after it signed last (contract, section 2), so nobody meets an unknown key.
#include <map>
#include <memory>
#include <optional>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <vector>
#include "loggia/kernel/crypto.hpp"
#include "loggia/kernel/storage.hpp"

namespace loggia::auth {

inline constexpr std::chrono::hours key_used_for{24 * 30}, key_shown_after{24};

/// What is to be done about the keys, as a pure rule.
struct KeyTimes {
  std::string kid;
  Time published{}, first_use{};
};
struct KeyPlan {
  std::optional<Time> make_with_first_use;
  std::vector<std::string> drop;
};
KeyPlan plan_keys(std::vector<KeyTimes> keys, Time now, milliseconds token_lifetime);

/// Where a verifier finds the keys. Safe from every thread.
class Keys {
 public:
  virtual ~Keys() = default;
  virtual std::shared_ptr<const crypto::VerifyKey> find(std::string_view kid) const = 0;
  virtual std::string jwks() const = 0;
};

/// Safe from every thread.
class KeyRing : public Keys {
 public:
  explicit KeyRing(milliseconds token_lifetime) : token_lifetime_{token_lifetime} {}
  /// Reads, makes and drops keys as planned; in memory once it is durable. `ring` because the commit may come later.
  static Result<bool> update(const std::shared_ptr<KeyRing>& ring, Transaction& transaction, Time now);
  crypto::SigningKey signing(Time now) const;
  std::shared_ptr<const crypto::VerifyKey> find(std::string_view kid) const override;
  std::string jwks() const override;

 private:
  struct Kept {
    crypto::SigningKey key;
    std::shared_ptr<const crypto::VerifyKey> verify;
    Time first_use{};
  };
  const milliseconds token_lifetime_;
  mutable std::shared_mutex mutex_;
  std::vector<Kept> keys_;  // ascending by first use
  std::map<std::string, std::shared_ptr<const crypto::VerifyKey>, std::less<>> by_kid_;
  std::string jwks_ = R"({"keys":[]})";
};

}  // namespace loggia::auth
