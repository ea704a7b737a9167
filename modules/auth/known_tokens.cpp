#include "known_tokens.hpp"

namespace loggia::auth {

std::shared_ptr<const Claims> KnownTokens::find(std::string_view token) {
  auto hash = crypto::sha256(token);
  const std::lock_guard lock(mutex_);
  if (const auto found = young_.find(hash); found != young_.end()) return found->second;
  const auto found = old_.find(hash);
  if (found == old_.end()) return nullptr;
  auto claims = found->second;
  put(std::move(hash), claims);
  return claims;
}

std::shared_ptr<const Claims> KnownTokens::add(std::string_view token, Claims claims) {
  auto kept = std::make_shared<const Claims>(std::move(claims));
  auto hash = crypto::sha256(token);
  const std::lock_guard lock(mutex_);
  put(std::move(hash), kept);
  return kept;
}

void KnownTokens::put(std::string hash, std::shared_ptr<const Claims> claims) {
  if (young_.size() >= half_) {
    old_ = std::move(young_);
    young_ = Generation();
  }
  young_.insert_or_assign(std::move(hash), std::move(claims));
}

void KnownTokens::forget(Time now) {
  const std::lock_guard lock(mutex_);
  for (auto* generation : {&young_, &old_}) {
    std::erase_if(*generation, [now](const auto& one) { return one.second->expires <= now; });
    if (generation->empty()) *generation = Generation();  // its table, too
  }
}

std::size_t KnownTokens::size() const {
  const std::lock_guard lock(mutex_);
  return young_.size() + old_.size();
}

}  // namespace loggia::auth
