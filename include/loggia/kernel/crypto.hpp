#pragma once
// The few primitives that modules need, on OpenSSL 3 and libargon2; all safe from every thread.
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include "loggia/kernel/result.hpp"
#include "loggia/kernel/time.hpp"

namespace loggia::crypto {

std::string sha256(std::string_view data);  // 32 bytes
std::string hmac_sha256(std::string_view key, std::string_view data);
std::string base64url(std::string_view data);  // without padding
Result<std::string> from_base64url(std::string_view text);
std::string base64(std::string_view data);
std::string sha1(std::string_view data);             // for the WebSocket handshake alone
bool equal(std::string_view a, std::string_view b);  // in constant time for equal lengths

/// argon2id as a PHC string (RFC 9106); m=19456, t=2, p=1. About 25 ms: run it in a WorkerPool.
std::string hash_password(std::string_view password, Random& random);
bool verify_password(std::string_view password, const std::string& phc);
/// A PHC string with the parameters of hash_password() that is the hash of nothing known: to check a password against it takes as long, and
/// making it takes no time.
std::string decoy_hash(Random& random);

/// An ES256 key (P-256, RFC 7518). Immutable.
class SigningKey {
 public:
  static SigningKey generate();
  static Result<SigningKey> from_pem(const std::string& pem);
  std::string pem() const;
  std::string kid() const;                        // RFC 7638 thumbprint
  std::string jwk() const;                        // public part: kty, crv, x, y, kid, alg, use
  std::string sign(std::string_view data) const;  // r || s, 64 bytes
  struct Key;

 private:
  std::shared_ptr<Key> key_;
};
class VerifyKey {
 public:
  static Result<VerifyKey> from_jwk(const std::string& jwk);
  const std::string& kid() const { return kid_; }
  bool verify(std::string_view data, std::string_view signature) const;
  struct Key;

 private:
  std::string kid_;
  std::shared_ptr<Key> key_;
};

}  // namespace loggia::crypto
