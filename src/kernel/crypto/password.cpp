#include <argon2.h>
#include <stdexcept>
#include "loggia/kernel/crypto.hpp"

namespace loggia::crypto {
namespace {
// OWASP's second choice for argon2id: 19 MiB, two passes, one lane.
constexpr std::uint32_t memory_kib = 19456, passes = 2, lanes = 1;
constexpr std::size_t salt_size = 16, hash_size = 32;
}  // namespace

std::string hash_password(std::string_view password, Random& random) {
  unsigned char salt[salt_size];
  random.fill(salt, sizeof salt);
  std::string out(argon2_encodedlen(passes, memory_kib, lanes, salt_size, hash_size, Argon2_id), '\0');
  const int problem =
      argon2id_hash_encoded(passes, memory_kib, lanes, password.data(), password.size(), salt, sizeof salt, hash_size, out.data(), out.size());
  if (problem != ARGON2_OK) throw std::runtime_error(std::string("argon2: ") + argon2_error_message(problem));
  out.resize(out.find('\0') == out.npos ? out.size() : out.find('\0'));
  return out;
}

std::string decoy_hash(Random& random) {
  // Base64 as PHC has it: without padding.
  const auto chance = [&](std::size_t size) {
    std::string bytes(size, '\0');
    random.fill(bytes.data(), bytes.size());
    auto text = base64(bytes);
    text.resize(text.find_last_not_of('=') + 1);
    return text;
  };
  const auto salt = chance(salt_size), hash = chance(hash_size);
  return "$argon2id$v=" + std::to_string(ARGON2_VERSION_NUMBER) + "$m=" + std::to_string(memory_kib) + ",t=" + std::to_string(passes) +
         ",p=" + std::to_string(lanes) + '$' + salt + '$' + hash;
}

bool verify_password(std::string_view password, const std::string& phc) {
  return argon2id_verify(phc.c_str(), password.data(), password.size()) == ARGON2_OK;
}

}  // namespace loggia::crypto
