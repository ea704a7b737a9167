#include "world.hpp"

using namespace loggia;
using namespace loggia::auth;
using namespace loggia::auth::testing;
using std::chrono::hours;
using std::chrono::seconds;

TEST_CASE("a refresh token works once, and its second use ends the session") {
  World world;
  const auto first = world.register_as("ada").value();
  const auto second = world.refresh(*first.refresh_token).value();
  CHECK(second.refresh_token != first.refresh_token);
  CHECK(second.user.id == first.user.id);
  CHECK(world.live(second));
  CHECK(code_of(world.refresh(*first.refresh_token)) == Errc::unauthenticated);
  CHECK(code_of(world.refresh(*second.refresh_token)) == Errc::unauthenticated);
  CHECK_FALSE(world.live(second));
  CHECK(world.events("session.revoked").size() == 1);
  CHECK(world.audit("refresh.reused").size() == 1);
}

TEST_CASE("a token that is none of ours ends nothing") {
  World world;
  const auto tokens = world.register_as("ada").value();
  auto forged = *tokens.refresh_token;
  forged[40] = forged[40] == 'A' ? 'B' : 'A';
  CHECK(code_of(world.refresh(forged)) == Errc::unauthenticated);
  CHECK(code_of(world.refresh("x")) == Errc::unauthenticated);
  CHECK(code_of(world.wait(world.accounts.on(world.outside(), Refresh()))) == Errc::unauthenticated);
  CHECK(world.refresh(*tokens.refresh_token));
}

TEST_CASE("a refresh repeated with its key within 60 s gets the same new token") {
  World world;
  const auto tokens = world.register_as("ada").value();
  const auto one = world.refresh(*tokens.refresh_token, "key-1").value();
  world.kernel.clock->advance(seconds(60));
  const auto two = world.refresh(*tokens.refresh_token, "key-1").value();
  CHECK(one.refresh_token == two.refresh_token);
  CHECK(world.live(two));
  CHECK(world.refresh(*one.refresh_token));
}

TEST_CASE("any other second use revokes the session") {
  const auto reused = [](auto use) {
    World world;
    const auto tokens = world.register_as("ada").value();
    const auto next = world.refresh(*tokens.refresh_token, "key-1").value();
    use(world, *tokens.refresh_token, *next.refresh_token);
    CHECK_FALSE(world.live(next));
  };
  SUBCASE("with another key") {
    reused([](World& world, const std::string& old, const std::string&) { CHECK_FALSE(world.refresh(old, "key-2")); });
  }
  SUBCASE("without a key") {
    reused([](World& world, const std::string& old, const std::string&) { CHECK_FALSE(world.refresh(old)); });
  }
  SUBCASE("after more than 60 s") {
    reused([](World& world, const std::string& old, const std::string&) {
      world.kernel.clock->advance(milliseconds(60001));
      CHECK_FALSE(world.refresh(old, "key-1"));
    });
  }
  SUBCASE("after the new token was used") {
    reused([](World& world, const std::string& old, const std::string& next) {
      REQUIRE(world.refresh(next));
      CHECK_FALSE(world.refresh(old, "key-1"));
    });
  }
}

TEST_CASE("a session lasts as long as it was given without use, and no longer") {
  World world;
  const auto tokens = world.register_as("ada").value();
  world.kernel.clock->advance(hours(24 * 30) - milliseconds(1));
  const auto used = world.refresh(*tokens.refresh_token).value();
  world.kernel.clock->advance(hours(24 * 30) - milliseconds(1));
  const auto again = world.refresh(*used.refresh_token).value();
  world.kernel.clock->advance(hours(24 * 30));
  CHECK(code_of(world.refresh(*again.refresh_token)) == Errc::unauthenticated);
}

TEST_CASE("an access token never outlives its session") {
  World world;
  world.parts->settings.session_lifetime = seconds(30);
  const auto tokens = world.register_as("ada").value();
  CHECK(tokens.expires_in == 30);
  world.kernel.clock->advance(seconds(31));
  CHECK_FALSE(world.live(tokens));
}

TEST_CASE("an access token is good for its lifetime, to the second") {
  World world;
  const auto tokens = world.register_as("ada").value();
  world.kernel.clock->advance(seconds(600) - milliseconds(1));
  CHECK(world.live(tokens));
  world.kernel.clock->advance(milliseconds(1));
  CHECK_FALSE(world.live(tokens));
}

TEST_CASE("a refresh brings the roles as they are now") {
  World world;
  const auto tokens = world.register_as("ada").value();
  REQUIRE(world.shell("user.role", {"ada", "member,admin"}));
  CHECK(world.live(tokens));  // none was lost
  const auto next = world.refresh(*tokens.refresh_token).value();
  CHECK(world.parts->verifier->verify(next.access_token)->caller.roles == std::vector<std::string>{"admin", "member"});
}

TEST_CASE("no token and no secret of it is in the database as it is") {
  World world;
  const auto tokens = world.register_as("ada").value();
  const auto look = [](Query& query) -> Result<std::string> {
    std::string all;
    auto rows = query.select("SELECT hex(token) FROM sessions");
    while (rows->next()) all += rows->text(0);
    return all;
  };
  const auto stored = world.parts->database->read_now(look).value();
  CHECK(stored.size() == 64);
  const auto text = crypto::from_base64url(*tokens.refresh_token).value();
  CHECK(stored.find(text.substr(0, 16)) == std::string::npos);
}
