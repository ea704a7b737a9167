#include "key_ring.hpp"
#include <algorithm>
#include <mutex>
#include "loggia/kernel/log.hpp"

namespace loggia::auth {

KeyPlan plan_keys(std::vector<KeyTimes> keys, Time now, milliseconds token_lifetime) {
  KeyPlan plan;
  if (keys.empty()) {
    plan.make_with_first_use = now;  // nobody can have fetched keys before there was one
    return plan;
  }
  std::sort(keys.begin(), keys.end(), [](const KeyTimes& a, const KeyTimes& b) { return a.first_use < b.first_use; });
  // A lifetime ahead and something more, since this rule runs now and then only.
  const auto ahead = std::max<milliseconds>(token_lifetime, std::chrono::hours(1));
  if (now + ahead >= keys.back().first_use + key_used_for) plan.make_with_first_use = now + ahead;
  for (std::size_t at = 0; at + 1 < keys.size(); ++at) {
    const auto last_use = keys[at + 1].first_use;
    if (now >= last_use + std::max<milliseconds>(key_shown_after, token_lifetime)) plan.drop.push_back(keys[at].kid);
  }
  return plan;
}

Result<bool> KeyRing::update(const std::shared_ptr<KeyRing>& ring, Transaction& transaction, Time now) {
  std::vector<Kept> kept;
  std::vector<KeyTimes> times;
  {
    auto rows = transaction.select("SELECT kid, pem, published, first_use FROM signing_keys ORDER BY first_use");
    while (rows->next()) {
      auto key = crypto::SigningKey::from_pem(rows->string(1));
      if (!key) return key.error();
      times.push_back({rows->string(0), rows->time(2), rows->time(3)});
      kept.push_back({*key, nullptr, rows->time(3)});
    }
  }
  const auto plan = plan_keys(times, now, ring->token_lifetime_);
  for (const auto& kid : plan.drop) {
    transaction.execute("DELETE FROM signing_keys WHERE kid = ?1", kid);
    std::erase_if(kept, [&](const Kept& one) { return one.key.kid() == kid; });
  }
  if (plan.make_with_first_use) {
    const auto key = crypto::SigningKey::generate();
    transaction.execute("INSERT INTO signing_keys (kid, pem, published, first_use) VALUES (?1, ?2, ?3, ?4)", key.kid(), key.pem(), now,
                        *plan.make_with_first_use);
    kept.push_back({key, nullptr, *plan.make_with_first_use});
    log::info("auth.key_made", Field("kid", key.kid()), Field("first_use", to_rfc3339(*plan.make_with_first_use)));
  }
  std::string jwks;
  for (auto& one : kept) {
    auto verify = crypto::VerifyKey::from_jwk(one.key.jwk());
    if (!verify) return verify.error();
    one.verify = std::make_shared<const crypto::VerifyKey>(std::move(*verify));
    (jwks += jwks.empty() ? "" : ",") += one.key.jwk();
  }
  transaction.on_commit([ring, kept = std::move(kept), jwks = std::move(jwks)] {
    const std::unique_lock lock(ring->mutex_);
    ring->keys_ = kept;
    ring->by_kid_.clear();
    for (const auto& one : kept) ring->by_kid_[one.key.kid()] = one.verify;
    ring->jwks_ = R"({"keys":[)" + jwks + "]}";
  });
  return true;
}

crypto::SigningKey KeyRing::signing(Time now) const {
  const std::shared_lock lock(mutex_);
  if (keys_.empty()) throw std::logic_error("the key ring was not read yet");
  const auto later = std::find_if(keys_.begin(), keys_.end(), [&](const Kept& one) { return one.first_use > now; });
  return later == keys_.begin() ? keys_.front().key : std::prev(later)->key;
}

std::shared_ptr<const crypto::VerifyKey> KeyRing::find(std::string_view kid) const {
  const std::shared_lock lock(mutex_);
  const auto found = by_kid_.find(kid);
  return found == by_kid_.end() ? nullptr : found->second;
}

std::string KeyRing::jwks() const {
  const std::shared_lock lock(mutex_);
  return jwks_;
}

}  // namespace loggia::auth
