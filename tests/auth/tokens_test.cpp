#include "tokens.hpp"
#include "world.hpp"

using namespace loggia;
using namespace loggia::auth;

namespace {

struct Signer {
  crypto::SigningKey key = crypto::SigningKey::generate();
  std::shared_ptr<const crypto::VerifyKey> verify = std::make_shared<const crypto::VerifyKey>(crypto::VerifyKey::from_jwk(key.jwk()).value());
  Time now = *parse_rfc3339("2026-01-31T12:00:00.000Z");

  KeyFinder finder() const {
    return [kid = key.kid(), verify = verify](std::string_view asked) { return asked == kid ? verify : nullptr; };
  }
  Claims claims() const {
    Claims out;
    out.issuer = "loggia";
    out.username = "ada";
    out.token_id = "t1";
    out.subject = UserId::parse("01900000-0000-7000-8000-000000000001").value();
    out.session = SessionId::parse("01900000-0000-7000-8000-000000000002").value();
    out.roles = {"member"};
    out.issued = now;
    out.expires = now + std::chrono::minutes(10);
    return out;
  }
  bool accepts(std::string_view token, std::string_view issuer = "loggia") const {
    return check_access_token(token, finder(), issuer, now).has_value();
  }
  /// Signed by us, whatever it says.
  std::string signed_text(const std::string& header, const std::string& body) const {
    const auto content = crypto::base64url(header) + '.' + crypto::base64url(body);
    return content + '.' + crypto::base64url(key.sign(content));
  }
  std::string header(const std::string& alg = "ES256", const std::string& more = "") const {
    return R"({"alg":")" + alg + R"(","kid":")" + key.kid() + R"(","typ":"JWT")" + more + "}";
  }
};

const char* const body_of_ada =
    R"("sub":"01900000-0000-7000-8000-000000000001","sid":"01900000-0000-7000-8000-000000000002","jti":"t","username":"ada","roles":["member"])";

}  // namespace

TEST_CASE("an access token is read as it was written") {
  const Signer signer;
  const auto claims = signer.claims();
  const auto read = check_access_token(sign_access_token(signer.key, claims), signer.finder(), "loggia", signer.now);
  REQUIRE(read);
  CHECK(read->subject == claims.subject);
  CHECK(read->session == claims.session);
  CHECK(read->username == "ada");
  CHECK(read->roles == claims.roles);
  CHECK(read->expires == claims.expires);
}

TEST_CASE("an access token that is changed, cut or continued is refused") {
  const Signer signer;
  const auto token = sign_access_token(signer.key, signer.claims());
  CHECK(signer.accepts(token));
  for (const auto& forged : {std::string(), std::string(" "), std::string("a.b.c"), std::string(".."), token + "x", token + ".", token + "=",
                             "x" + token, token.substr(0, token.size() - 1), token.substr(0, token.rfind('.') + 1), std::string(100000, 'a')}) {
    CAPTURE(forged.substr(0, 40));
    CHECK_FALSE(signer.accepts(forged));
  }
  for (std::size_t at = 0; at < token.size(); at += 7) {
    auto changed = token;
    changed[at] = changed[at] == 'A' ? 'B' : 'A';
    CHECK_FALSE(signer.accepts(changed));
  }
}

TEST_CASE("only ES256 with a known key and a header without surprises counts") {
  const Signer signer, other;
  const auto body = std::string(R"({"iss":"loggia","aud":"loggia","exp":1769861400,"iat":1769860800,)") + body_of_ada + "}";
  CHECK(signer.accepts(signer.signed_text(signer.header(), body)));
  CHECK_FALSE(signer.accepts(signer.signed_text(signer.header("none"), body)));
  CHECK_FALSE(signer.accepts(signer.signed_text(signer.header("HS256"), body)));
  CHECK_FALSE(signer.accepts(signer.signed_text(signer.header("ES256", R"(,"crit":["exp"])"), body)));
  CHECK_FALSE(signer.accepts(signer.signed_text(signer.header("ES256", R"(,"jwk":{})"), body)));
  CHECK_FALSE(signer.accepts(signer.signed_text(R"({"alg":"ES256","typ":"JWT"})", body)));
  CHECK_FALSE(signer.accepts(signer.signed_text("[]", body)));
  CHECK_FALSE(signer.accepts(other.signed_text(signer.header(), body)));
  CHECK_FALSE(signer.accepts(other.signed_text(other.header(), body)));
}

TEST_CASE("issuer, audience and times are checked, the end without leeway") {
  const Signer signer;
  const auto with = [&](const std::string& times, const std::string& iss = "loggia", const std::string& aud = "loggia") {
    return signer.accepts(signer.signed_text(signer.header(), R"({"iss":")" + iss + R"(","aud":")" + aud + "\"," + times + ',' + body_of_ada + "}"));
  };
  CHECK(with(R"("exp":1769860801,"iat":1769860800)"));
  CHECK_FALSE(with(R"("exp":1769860800,"iat":1769860700)"));
  CHECK(with(R"("exp":1769861400,"iat":1769860860)"));
  CHECK_FALSE(with(R"("exp":1769861400,"iat":1769860861)"));
  CHECK(with(R"("exp":1769861400,"iat":1769860800,"nbf":1769860860)"));
  CHECK_FALSE(with(R"("exp":1769861400,"iat":1769860800,"nbf":1769860861)"));
  CHECK_FALSE(with(R"("exp":1769861400,"iat":1769860800)", "elsewhere"));
  CHECK_FALSE(with(R"("exp":1769861400,"iat":1769860800)", "loggia", "elsewhere"));
  CHECK_FALSE(with(R"("exp":9223372036854775807,"iat":1769860800)"));
  CHECK_FALSE(with(R"("exp":"1769861400","iat":1769860800)"));
  CHECK_FALSE(with(R"("iat":1769860800)"));
}

TEST_CASE("a refresh token is known as ours without a look into the store") {
  RefreshToken token;
  token.session = SessionId::parse("01900000-0000-7000-8000-000000000002").value();
  token.nonce = std::string(16, 'n');
  const auto text = seal_refresh_token("secret", token);
  CHECK(open_refresh_token("secret", text) == token);
  CHECK_FALSE(open_refresh_token("other", text));
  CHECK_FALSE(open_refresh_token("secret", text + "A"));
  CHECK_FALSE(open_refresh_token("secret", ""));
  for (std::size_t at = 0; at < text.size(); ++at) {
    auto changed = text;
    changed[at] = changed[at] == 'A' ? 'B' : 'A';
    CHECK_FALSE(open_refresh_token("secret", changed));
  }
}

TEST_CASE("the token after a keyed refresh follows from token, key and secret") {
  CHECK(next_nonce("s", "token", "key") == next_nonce("s", "token", "key"));
  CHECK(next_nonce("s", "token", "key") != next_nonce("s", "token", "other"));
  CHECK(next_nonce("s", "token", "key") != next_nonce("s", "another", "key"));
  CHECK(next_nonce("s", "token", "key") != next_nonce("t", "token", "key"));
  CHECK(next_nonce("s", "token", "key").size() == 16);
}
