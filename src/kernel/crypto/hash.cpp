#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>
#include <new>
#include "loggia/kernel/crypto.hpp"

namespace loggia::crypto {
namespace {

const unsigned char* bytes(std::string_view text) { return reinterpret_cast<const unsigned char*>(text.data()); }

std::string encode(std::string_view data, const char* alphabet, bool padded) {
  std::string out;
  out.reserve((data.size() + 2) / 3 * 4);
  for (std::size_t at = 0; at < data.size(); at += 3) {
    const auto left = data.size() - at;
    const auto byte = [&](std::size_t offset) { return offset < left ? static_cast<unsigned char>(data[at + offset]) : 0u; };
    const unsigned value = byte(0) << 16 | byte(1) << 8 | byte(2);
    out += alphabet[value >> 18 & 63];
    out += alphabet[value >> 12 & 63];
    if (left > 1) out += alphabet[value >> 6 & 63];
    else if (padded) out += '=';
    if (left > 2) out += alphabet[value & 63];
    else if (padded) out += '=';
  }
  return out;
}

int value_of(char c) {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  if (c >= '0' && c <= '9') return c - '0' + 52;
  if (c == '-') return 62;
  if (c == '_') return 63;
  return -1;
}

}  // namespace

std::string sha256(std::string_view data) {
  // Looked up once: SHA256() of OpenSSL 3 does so each time, which costs more than the digest of a short text.
  static const EVP_MD* const digest = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  std::string out(SHA256_DIGEST_LENGTH, '\0');
  if (EVP_Digest(data.data(), data.size(), reinterpret_cast<unsigned char*>(out.data()), nullptr, digest, nullptr) != 1) throw std::bad_alloc();
  return out;
}

std::string sha1(std::string_view data) {
  std::string out(SHA_DIGEST_LENGTH, '\0');
  SHA1(bytes(data), data.size(), reinterpret_cast<unsigned char*>(out.data()));
  return out;
}

std::string hmac_sha256(std::string_view key, std::string_view data) {
  std::string out(SHA256_DIGEST_LENGTH, '\0');
  unsigned size = 0;
  HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), bytes(data), data.size(), reinterpret_cast<unsigned char*>(out.data()), &size);
  return out;
}

std::string base64url(std::string_view data) { return encode(data, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_", false); }
std::string base64(std::string_view data) { return encode(data, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/", true); }

Result<std::string> from_base64url(std::string_view text) {
  const auto bad = [] { return Error(Errc::malformed, "is not base64url"); };
  if (text.size() % 4 == 1) return bad();
  std::string out;
  unsigned value = 0, bits = 0;
  for (const char c : text) {
    const int six = value_of(c);
    if (six < 0) return bad();
    value = value << 6 | static_cast<unsigned>(six);
    bits += 6;
    if (bits < 8) continue;
    bits -= 8;
    out += static_cast<char>(value >> bits & 0xFF);
  }
  if (value & ((1u << bits) - 1)) return bad();  // one text for one value
  return out;
}

bool equal(std::string_view a, std::string_view b) { return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0; }

}  // namespace loggia::crypto
