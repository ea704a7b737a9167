#include "tokens.hpp"
#include <algorithm>
#include "loggia/kernel/json.hpp"

namespace loggia::auth {
namespace {

struct TokenHeader {
  std::string alg, kid, typ;
};
BOOST_DESCRIBE_STRUCT(TokenHeader, (), (alg, kid, typ))

struct TokenClaims {
  std::string iss, aud, jti, username;
  UserId sub;
  SessionId sid;
  std::int64_t exp = 0, iat = 0;
  std::optional<std::int64_t> nbf;
  std::vector<std::string> roles;
};
BOOST_DESCRIBE_STRUCT(TokenClaims, (), (iss, sub, aud, exp, iat, nbf, jti, sid, username, roles))

constexpr std::size_t id_size = 16, nonce_size = 16, seal_size = 32;

Error bad() { return Error(Errc::unauthenticated, "the access token is not valid"); }
std::int64_t seconds_of(Time time) { return std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count(); }
Time time_of(std::int64_t seconds) { return Time(std::chrono::seconds(seconds)); }
bool in_range(std::int64_t seconds) { return seconds >= 0 && seconds < (std::int64_t{1} << 40); }

template <class T> Result<T> decode_part(std::string_view part, Manner manner) {
  const auto text = crypto::from_base64url(part);
  if (!text) return bad();
  auto value = decode_text<T>(*text, manner);
  if (!value) return bad();
  return value;
}

std::string id_bytes(const SessionId& id) { return std::string(reinterpret_cast<const char*>(id.bytes().data()), id.bytes().size()); }
std::string seal_of(const std::string& secret, const std::string& content) { return crypto::hmac_sha256(secret, "refresh token " + content); }

}  // namespace

std::string sign_access_token(const crypto::SigningKey& key, const Claims& claims) {
  TokenHeader header;
  header.alg = "ES256";
  header.kid = key.kid();
  header.typ = "JWT";
  TokenClaims body;
  body.iss = claims.issuer;
  body.sub = claims.subject;
  body.aud = audience;
  body.exp = seconds_of(claims.expires);
  body.iat = seconds_of(claims.issued);
  body.jti = claims.token_id;
  body.sid = claims.session;
  body.username = claims.username;
  body.roles = claims.roles;
  const auto content = crypto::base64url(encode(header)) + '.' + crypto::base64url(encode(body));
  return content + '.' + crypto::base64url(key.sign(content));
}

Result<Claims> check_access_token(std::string_view token, const KeyFinder& find, std::string_view issuer, Time now) {
  if (token.empty() || token.size() > access_token_max) return bad();
  const auto first = token.find('.');
  const auto second = first == token.npos ? first : token.find('.', first + 1);
  if (second == token.npos || token.find('.', second + 1) != token.npos) return bad();
  const auto header = decode_part<TokenHeader>(token.substr(0, first), Manner::strict);  // nothing that we do not know, such as crit
  if (!header || header->alg != "ES256" || header->typ != "JWT") return bad();
  const auto key = find(header->kid);
  if (!key) return bad();
  const auto signature = crypto::from_base64url(token.substr(second + 1));
  if (!signature || !key->verify(token.substr(0, second), *signature)) return bad();
  const auto body = decode_part<TokenClaims>(token.substr(first + 1, second - first - 1), Manner::lenient);
  if (!body || body->iss != issuer || body->aud != audience || body->jti.empty() || body->sub.nil() || body->sid.nil()) return bad();
  if (!in_range(body->exp) || !in_range(body->iat) || !in_range(body->nbf.value_or(0))) return bad();
  Claims claims;
  claims.issuer = body->iss;
  claims.username = body->username;
  claims.token_id = body->jti;
  claims.subject = body->sub;
  claims.session = body->sid;
  claims.roles = body->roles;
  claims.issued = time_of(body->iat);
  claims.expires = time_of(body->exp);
  claims.not_before = time_of(body->nbf.value_or(0));
  if (const auto fine = check_times(claims, now); !fine) return fine.error();
  return claims;
}

Result<bool> check_times(const Claims& claims, Time now) {
  if (claims.issued > now + clock_skew || claims.not_before > now + clock_skew) return bad();
  if (claims.expires <= now) return Error(Errc::unauthenticated, "the access token has expired; refresh it");
  return true;
}

std::string seal_refresh_token(const std::string& secret, const RefreshToken& token) {
  const auto content = id_bytes(token.session) + token.nonce;
  return crypto::base64url(content + seal_of(secret, content));
}

std::optional<RefreshToken> open_refresh_token(const std::string& secret, std::string_view text) {
  const auto bytes = crypto::from_base64url(text);
  if (!bytes || bytes->size() != id_size + nonce_size + seal_size) return std::nullopt;
  const auto content = bytes->substr(0, id_size + nonce_size);
  if (!crypto::equal(bytes->substr(id_size + nonce_size), seal_of(secret, content))) return std::nullopt;
  Bytes16 id{};
  std::copy_n(content.begin(), id_size, id.begin());
  RefreshToken out;
  out.session = SessionId(id);
  out.nonce = content.substr(id_size);
  return out;
}

std::string next_nonce(const std::string& secret, std::string_view text, std::string_view key) {
  std::string content = "next refresh token ";
  ((content += text) += ' ') += key;
  return crypto::hmac_sha256(secret, content).substr(0, nonce_size);
}

}  // namespace loggia::auth
