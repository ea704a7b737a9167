#pragma once
// Access tokens whose signature was found good, or made, here: who comes back with one, or calls with it again, costs a hash and no
// verification. Nothing else about a token is settled by being here: its times, and whether its session has ended, are asked each time.
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include "tokens.hpp"

namespace loggia::auth {

/// Safe from every thread. Holds at most twice `half` tokens: of two generations, the younger one and what it had replaced.
class KnownTokens {
 public:
  explicit KnownTokens(std::size_t half) : half_{half} {}
  std::shared_ptr<const Claims> find(std::string_view token);
  std::shared_ptr<const Claims> add(std::string_view token, Claims claims);
  /// Those that have expired.
  void forget(Time now);
  std::size_t size() const;

 private:
  /// By SHA-256 of the whole text, signature and all: nobody can make another one with the same.
  using Generation = std::unordered_map<std::string, std::shared_ptr<const Claims>>;
  void put(std::string hash, std::shared_ptr<const Claims> claims);
  const std::size_t half_;
  mutable std::mutex mutex_;
  Generation young_, old_;
};

}  // namespace loggia::auth
