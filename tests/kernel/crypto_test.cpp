#include "loggia/kernel/crypto.hpp"
#include <doctest/doctest.h>
#include "kernel/fixtures.hpp"
#include "loggia/kernel/json.hpp"
#include "loggia/kernel/json_value.hpp"
#include "support/print.hpp"

using namespace loggia;
using namespace std::string_view_literals;

namespace {
std::string hex(std::string_view bytes) {
  std::string out;
  for (const unsigned char c : bytes) {
    out += "0123456789abcdef"[c >> 4];
    out += "0123456789abcdef"[c & 15];
  }
  return out;
}
// RFC 7515, appendix A.3: key, signing input and signature.
constexpr const char* rfc_key =
    R"({"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0","kid":"rfc"})";
constexpr const char* rfc_input =
    "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
constexpr const char* rfc_signature = "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";
}  // namespace

TEST_CASE("digests are those of the standards") {
  CHECK(hex(crypto::sha256("abc")) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  CHECK(hex(crypto::sha1("abc")) == "a9993e364706816aba3e25717850c26c9cd0d89d");
  // RFC 4231, test case 2.
  CHECK(hex(crypto::hmac_sha256("Jefe", "what do ya want for nothing?")) == "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  // RFC 6455, section 1.3.
  CHECK(crypto::base64(crypto::sha1("dGhlIHNhbXBsZSBub25jZQ==258EAFA5-E914-47DA-95CA-C5AB0DC85B11")) == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
}

TEST_CASE("base64 is RFC 4648, and base64url has one text for one value") {
  const std::tuple<const char*, const char*, const char*> cases[] = {
      {"", "", ""},
      {"f", "Zg==", "Zg"},
      {"fo", "Zm8=", "Zm8"},
      {"foo", "Zm9v", "Zm9v"},
      {"foobar", "Zm9vYmFy", "Zm9vYmFy"},
      {"\xfb\xff", "+/8=", "-_8"},
  };
  for (const auto& [bytes, padded, url] : cases) {
    CHECK(crypto::base64(bytes) == padded);
    CHECK(crypto::base64url(bytes) == url);
    CHECK(crypto::from_base64url(url).value() == bytes);
  }
  for (const char* text : {"Z", "Zg==", "Zh", "Zm9", "Z g", "+/8", "Zm9vY"}) {
    CAPTURE(text);
    CHECK_FALSE(crypto::from_base64url(text));
  }
}

TEST_CASE("texts are equal only where all of them is") {
  CHECK(crypto::equal("", ""));
  CHECK(crypto::equal("abc", "abc"));
  CHECK_FALSE(crypto::equal("abc", "abd"));
  CHECK_FALSE(crypto::equal("abc", "ab"));
  CHECK_FALSE(crypto::equal("a\0b"sv, "a\0c"sv));
}

TEST_CASE("a password is known again by its PHC string, and no other is") {
  testing::CountingRandom random;
  const auto phc = crypto::hash_password("correct horse", random);
  CHECK(phc.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
  CHECK(crypto::verify_password("correct horse", phc));
  CHECK_FALSE(crypto::verify_password("correct horsf", phc));
  CHECK_FALSE(crypto::verify_password("", phc));
  CHECK(crypto::hash_password("correct horse", random) != phc);
}

TEST_CASE("a PHC string of another argon2 verifies, and what is none does not") {
  // From the reference implementation's test.c (version 0x13, m=2^16, t=2, p=1, argon2id).
  const std::string reference = "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc";
  CHECK(crypto::verify_password("password", reference));
  CHECK_FALSE(crypto::verify_password("passwore", reference));
  for (const char* text : {"", "plain", "$argon2id$", "$argon2i$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc"})
    CHECK_FALSE(crypto::verify_password("password", text));
}

TEST_CASE("the signature of RFC 7515 verifies, and no change of it does") {
  const auto key = crypto::VerifyKey::from_jwk(rfc_key);
  REQUIRE(key);
  CHECK(key->kid() == "rfc");
  const auto signature = crypto::from_base64url(rfc_signature).value();
  CHECK(key->verify(rfc_input, signature));
  CHECK_FALSE(key->verify(std::string(rfc_input) + ".", signature));
  for (const std::size_t at : {0u, 31u, 32u, 63u}) {
    auto changed = signature;
    changed[at] = static_cast<char>(changed[at] ^ 1);
    CHECK_FALSE(key->verify(rfc_input, changed));
  }
  CHECK_FALSE(key->verify(rfc_input, ""));
  CHECK_FALSE(key->verify(rfc_input, signature.substr(1)));
  CHECK_FALSE(key->verify(rfc_input, std::string(64, '\0')));  // CVE-2022-21449: r = s = 0
  CHECK_FALSE(key->verify(rfc_input, std::string(64, '\xff')));
}

TEST_CASE("what a key signs its public part verifies, also after it was stored") {
  const auto key = crypto::SigningKey::generate();
  const auto verify = crypto::VerifyKey::from_jwk(key.jwk());
  REQUIRE(verify);
  CHECK(verify->kid() == key.kid());
  for (int at = 0; at < 20; ++at) {
    const auto signature = key.sign("header.payload" + std::to_string(at));
    REQUIRE(signature.size() == 64);
    REQUIRE(verify->verify("header.payload" + std::to_string(at), signature));
  }
  const auto again = crypto::SigningKey::from_pem(key.pem());
  REQUIRE(again);
  CHECK(again->kid() == key.kid());
  CHECK(verify->verify("x", again->sign("x")));
  CHECK_FALSE(verify->verify("x", crypto::SigningKey::generate().sign("x")));
}

TEST_CASE("a public key says what it is and nothing of its secret") {
  const auto key = crypto::SigningKey::generate();
  const auto jwk = parse_untrusted(key.jwk()).value();
  CHECK(jwk["kty"] == "EC");
  CHECK(jwk["crv"] == "P-256");
  CHECK(jwk["alg"] == "ES256");
  CHECK(jwk["use"] == "sig");
  CHECK_FALSE(jwk.contains("d"));
  // RFC 7638: the digest of the required members in the order of their names.
  const std::string canonical =
      R"({"crv":"P-256","kty":"EC","x":")" + jwk["x"].get<std::string>() + R"(","y":")" + jwk["y"].get<std::string>() + R"("})";
  CHECK(jwk["kid"] == crypto::base64url(crypto::sha256(canonical)));
}

TEST_CASE("what is no key of P-256 is refused") {
  for (const char* text :
       {"", "{}", "[]", R"({"kty":7})", R"({"kty":"RSA","n":"AQAB","e":"AQAB"})", R"({"kty":"EC","crv":"P-256","x":"AA","y":"AA"})",
        // A point that is not on the curve.
        R"({"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU"})"}) {
    CAPTURE(text);
    CHECK_FALSE(crypto::VerifyKey::from_jwk(text));
  }
  CHECK_FALSE(crypto::SigningKey::from_pem(""));
  CHECK_FALSE(crypto::SigningKey::from_pem("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"));
}
