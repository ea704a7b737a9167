// Both kinds of token: nothing passes that was not signed here, and of what was, only what says all that it must.
#include "auth/tokens.hpp"
#include "fuzz/target.hpp"
#include "loggia/kernel/json.hpp"
#include "loggia/kernel/json_value.hpp"

namespace loggia::fuzz::tokens_target {
namespace {

struct World {
  crypto::SigningKey key = crypto::SigningKey::generate();
  std::shared_ptr<const crypto::VerifyKey> verify = std::make_shared<const crypto::VerifyKey>(crypto::VerifyKey::from_jwk(key.jwk()).value());
  auth::KeyFinder find = [this](std::string_view kid) { return kid == key.kid() ? verify : nullptr; };
  Time now = Time(std::chrono::seconds(1767225600));  // 2026-01-01
  std::string secret = "0123456789abcdef0123456789abcdef";
  std::string good = make();

  std::string make() const {
    auth::Claims claims;
    claims.issuer = "loggia";
    claims.username = "ada";
    claims.token_id = "j";
    claims.subject = UserId::parse("01890000-0000-7000-8000-000000000001").value();
    claims.session = SessionId::parse("01890000-0000-7000-8000-000000000002").value();
    claims.roles = {"member"};
    claims.issued = now;
    claims.expires = now + std::chrono::minutes(10);
    return auth::sign_access_token(key, claims);
  }
};

/// The input changes bytes of a text: pairs of a position and a byte to put there.
std::string changed(std::string text, std::string_view by) {
  for (; by.size() >= 2; by.remove_prefix(2)) text[static_cast<unsigned char>(by[0]) * 7919u % text.size()] = by[1];
  return text;
}

/// Header and claims of the input's, with a signature that is right.
void check_signed(World& world, std::string_view input) {
  std::string header(part(input, '\n'));
  if (const auto at = header.find("KID"); at != header.npos) header.replace(at, 3, world.key.kid());
  const auto content = crypto::base64url(header) + '.' + crypto::base64url(input);
  const auto claims = auth::check_access_token(content + '.' + crypto::base64url(world.key.sign(content)), world.find, "loggia", world.now);
  if (!claims) return;
  const auto head = parse_untrusted(header), body = parse_untrusted(input);
  require(head && body, "what passes is JSON");
  require(head->at("alg") == "ES256" && head->at("typ") == "JWT" && head->at("kid") == world.key.kid() && head->size() == 3, "with the one header");
  require(body->at("iss") == "loggia" && body->at("aud") == "loggia", "from us and for us");
  const auto now = std::chrono::floor<std::chrono::seconds>(world.now.time_since_epoch()).count();
  require(body->at("exp").get<std::int64_t>() > now && body->at("iat").get<std::int64_t>() <= now + 60, "for now");
  require(!claims->subject.nil() && !claims->session.nil() && !claims->token_id.empty(), "of somebody");
}

}  // namespace
}  // namespace loggia::fuzz::tokens_target

LOGGIA_FUZZ(tokens) {
  using namespace loggia;
  using namespace loggia::fuzz;
  using namespace loggia::fuzz::tokens_target;
  static World world;
  switch (choice(input, 5)) {
    case 0:
      return require(!auth::check_access_token(input, world.find, "loggia", world.now), "what was not signed here does not pass");
    case 1:
      return check_signed(world, input);
    case 2: {
      const auto token = changed(world.good, input);
      const bool passes = auth::check_access_token(token, world.find, "loggia", world.now).has_value();
      return require(passes == (token == world.good), "a changed token does not pass");
    }
    case 3: {
      const auto opened = auth::open_refresh_token(world.secret, input);
      if (opened) require(auth::seal_refresh_token(world.secret, *opened) == input, "one text for one refresh token");
      return;
    }
    default: {
      auth::RefreshToken token;
      token.session = SessionId::parse("01890000-0000-7000-8000-000000000002").value();
      token.nonce = std::string(16, 'n');
      const auto sealed = auth::seal_refresh_token(world.secret, token);
      const auto text = changed(sealed, input);
      const auto opened = auth::open_refresh_token(world.secret, text);
      require(opened.has_value() == (text == sealed), "a changed refresh token does not open");
      auth::next_nonce(world.secret, input, input);
    }
  }
}
