#pragma once
// The two kinds of token (contract, section 2: "auth"). An access token is a JWT (RFC 7519) signed with ES256 that anybody can check with
// the published keys. A refresh token is opaque: session, chance, and a seal that tells ours from guesses; only its hash is stored.
// Pure functions; any thread.
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>
#include "loggia/ids.hpp"
#include "loggia/kernel/crypto.hpp"

namespace loggia::auth {

inline constexpr std::string_view audience = "loggia";
inline constexpr std::size_t access_token_max = 4096;
inline constexpr std::chrono::seconds clock_skew{60};

struct Claims {
  std::string issuer, username, token_id;
  UserId subject;
  SessionId session;
  std::vector<std::string> roles;
  Time issued{}, expires{}, not_before{};
};

std::string sign_access_token(const crypto::SigningKey& key, const Claims& claims);

using KeyFinder = std::function<std::shared_ptr<const crypto::VerifyKey>(std::string_view kid)>;
/// Strict: ES256 alone, a known key, our issuer and audience, not expired (no leeway), not from the future (60 s of skew). The error is
/// Errc::unauthenticated and says no more than whether it has expired.
Result<Claims> check_access_token(std::string_view token, const KeyFinder& find, std::string_view issuer, Time now);

/// What of it depends on the time, which check_access_token() has asked already.
Result<bool> check_times(const Claims& claims, Time now);

struct RefreshToken {
  SessionId session;
  std::string nonce;  // 16 bytes
  friend bool operator==(const RefreshToken&, const RefreshToken&) = default;
};
std::string seal_refresh_token(const std::string& secret, const RefreshToken& token);
/// Nothing where it was not made with this secret.
std::optional<RefreshToken> open_refresh_token(const std::string& secret, std::string_view text);
/// The chance of the token that follows `text` when it was refreshed with this Idempotency-Key: derived, so it need not be stored.
std::string next_nonce(const std::string& secret, std::string_view text, std::string_view key);

}  // namespace loggia::auth
