#pragma once
// Hashing and checking passwords beside the shards, on a pool that is bounded: a flood of logins is refused, not queued without end.
#include <functional>
#include <memory>
#include <string>
#include "loggia/kernel/shards.hpp"

namespace loggia::auth {

/// How a password is hashed; argon2id, but for tests. Safe from every thread.
struct Hasher {
  std::function<std::string(std::string_view password)> hash;
  std::function<bool(std::string_view password, const std::string& stored)> verify;
  std::string decoy;  // stands for the hash of who has none: no password is right, and to find that out takes as long as for any other
};
Hasher argon2(const std::shared_ptr<Random>& random);

/// Safe from every shard.
class Passwords {
 public:
  Passwords(Hasher hasher, std::size_t threads, std::size_t queue);
  Async<std::string> hash(std::string password);
  /// Without `stored` (an unknown login) it takes as long and says no.
  Async<bool> verify(std::string password, std::optional<std::string> stored);

 private:
  Hasher hasher_;
  WorkerPool pool_;
};

}  // namespace loggia::auth
