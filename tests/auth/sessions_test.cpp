#include "world.hpp"

using namespace loggia;
using namespace loggia::auth;
using namespace loggia::auth::testing;

TEST_CASE("after logout the session is worth nothing, and the others live on") {
  World world;
  const auto tokens = world.register_as("ada").value();
  const auto other = world.login("ada").value();
  REQUIRE(world.wait(world.accounts.on(world.with(tokens), Logout())));
  CHECK_FALSE(world.live(tokens));
  CHECK(code_of(world.refresh(*tokens.refresh_token)) == Errc::unauthenticated);
  CHECK(world.live(other));
  CHECK(world.events("session.revoked").size() == 1);
}

TEST_CASE("a logout by refresh token ends that token's session, also with an old one") {
  World world;
  const auto tokens = world.register_as("ada").value();
  REQUIRE(world.refresh(*tokens.refresh_token));
  Logout request;
  request.refresh_token = tokens.refresh_token;
  CHECK(world.wait(world.accounts.on(world.outside(), request)));
  CHECK_FALSE(world.live(tokens));
  CHECK(world.wait(world.accounts.on(world.outside(), request)));  // gone is gone
  CHECK(world.events("session.revoked").size() == 1);
}

TEST_CASE("a logout without any proof is refused") {
  World world;
  CHECK(code_of(world.wait(world.accounts.on(world.outside(), Logout()))) == Errc::unauthenticated);
  Logout request;
  request.refresh_token = "guess";
  CHECK(code_of(world.wait(world.accounts.on(world.outside(), request))) == Errc::unauthenticated);
}

TEST_CASE("validate says who a good token is, and of any other nothing but that it is not") {
  World world;
  const auto tokens = world.register_as("ada").value();
  Validate request;
  request.token = tokens.access_token;
  const auto good = world.wait(world.accounts.on(world.outside(), request)).value();
  CHECK(good.active);
  CHECK(good.sub == tokens.user.id);
  CHECK(good.username == "ada");
  CHECK(good.roles == std::vector<std::string>{"member"});
  CHECK(good.session == SessionId(world.with(tokens).caller().session));
  CHECK(good.exp == 1769861400);
  request.token += "x";
  CHECK(encode(world.wait(world.accounts.on(world.outside(), request)).value()) == R"({"active":false})");
  REQUIRE(world.wait(world.accounts.on(world.with(tokens), Logout())));
  request.token = tokens.access_token;
  CHECK(encode(world.wait(world.accounts.on(world.outside(), request)).value()) == R"({"active":false})");
}

TEST_CASE("sessions are listed, newest first, page by page, the present one marked") {
  World world;
  const auto first = world.register_as("ada").value();
  REQUIRE(world.register_as("bob"));
  world.kernel.clock->advance(milliseconds(1000));
  const auto second = world.login("ada").value();
  const auto me = world.with(first);
  ListSessions request;
  request.limit = 1;
  const auto page = world.wait(world.accounts.on(me, request)).value();
  REQUIRE(page.items.size() == 1);
  CHECK_FALSE(page.items[0].current);
  CHECK(page.items[0].client == "browser/1");
  CHECK(page.items[0].address == "192.0.2.7");
  REQUIRE(page.next);
  request.cursor = page.next;
  const auto rest = world.wait(world.accounts.on(me, request)).value();
  REQUIRE(rest.items.size() == 1);
  CHECK(rest.items[0].current);
  CHECK(rest.items[0].created_at + milliseconds(1000) == page.items[0].created_at);
  CHECK_FALSE(rest.next);
  request.cursor = "nonsense";
  CHECK(pointer_of(world.wait(world.accounts.on(me, request))) == "/cursor");
}

TEST_CASE("one revokes one's own sessions, one by one, and nobody else's") {
  World world;
  const auto ada = world.register_as("ada").value(), elsewhere = world.login("ada").value(), bob = world.register_as("bob").value();
  const auto revoke = [&](const Tokens& as, const Tokens& what) {
    RevokeSession request;
    request.id = SessionId(world.with(what).caller().session);
    return world.wait(world.accounts.on(world.with(as), request));
  };
  CHECK(code_of(revoke(ada, bob)) == Errc::not_found);
  CHECK(world.live(bob));
  const auto id = SessionId(world.with(elsewhere).caller().session);
  CHECK(revoke(ada, elsewhere));
  CHECK_FALSE(world.live(elsewhere));
  CHECK(world.live(ada));
  RevokeSession again;
  again.id = id;
  CHECK(code_of(world.wait(world.accounts.on(world.with(ada), again))) == Errc::not_found);
}

TEST_CASE("a new password ends all other sessions and is the one that counts") {
  World world;
  const auto tokens = world.register_as("ada").value(), other = world.login("ada").value();
  ChangePassword request;
  request.current_password = "not it at all";
  request.new_password = "a better horse";
  CHECK(pointer_of(world.wait(world.accounts.on(world.with(tokens), request))) == "/current_password");
  CHECK(world.live(other));
  request.current_password = good_password;
  request.new_password = "short";
  CHECK(pointer_of(world.wait(world.accounts.on(world.with(tokens), request))) == "/new_password");
  request.new_password = "a better horse";
  REQUIRE(world.wait(world.accounts.on(world.with(tokens), request)));
  CHECK(world.live(tokens));
  CHECK_FALSE(world.live(other));
  CHECK(world.refresh(*tokens.refresh_token));
  CHECK(code_of(world.login("ada")) == Errc::unauthenticated);
  CHECK(world.login("ada", "a better horse"));
  CHECK(world.events("session.revoked").size() == 1);
  CHECK(world.audit("password.changed").size() == 1);
  CHECK(world.audit("password.refused").size() == 1);
}

TEST_CASE("each session that ends is announced with its user, once") {
  World world;
  const auto tokens = world.register_as("ada").value();
  const auto session = SessionId(world.with(tokens).caller().session);
  REQUIRE(world.wait(world.accounts.on(world.with(tokens), Logout())));
  const auto events = world.events("session.revoked");
  REQUIRE(events.size() == 1);
  CHECK(events[0] == R"({"user_id":")" + tokens.user.id.text() + R"(","session":")" + session.text() + "\"}");
  CHECK(world.kernel.bus->appended.back().key == tokens.user.id.text());
}
