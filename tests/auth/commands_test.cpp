#include "world.hpp"

using namespace loggia;
using namespace loggia::auth;
using namespace loggia::auth::testing;

TEST_CASE("user add makes an account with a profile that can sign in") {
  World world;
  const auto done = world.shell("user.add", {"root", good_password, "admin", "root@example.org"});
  REQUIRE(done);
  CHECK(done->find(good_password) == std::string::npos);
  REQUIRE(world.directory->made.size() == 1);
  CHECK(world.directory->made[0].username == "root");
  const auto tokens = world.login("root").value();
  CHECK(world.parts->verifier->verify(tokens.access_token)->caller.roles == std::vector<std::string>{"admin"});
  CHECK(world.events("user.registered").size() == 1);
  CHECK(world.audit("user.added").size() == 1);
  CHECK(world.audit("user.added")[0].address == "shell");
  CHECK(code_of(world.shell("user.add", {"ROOT", good_password, "", ""})) == Errc::conflict);
}

TEST_CASE("user add makes a password where none is given, and tells it once") {
  World world;
  const auto told = world.shell("user.add", {"ada", "", "", ""}).value();
  const auto at = told.find("password: ");
  REQUIRE(at != std::string::npos);
  const auto password = told.substr(at + 10, told.find('\n', at) - at - 10);
  CHECK(password.size() == 20);
  CHECK(world.login("ada", password));
  CHECK(world.audit("user.added")[0].detail == "ada member");
}

TEST_CASE("user add holds to the rules of names, passwords and roles") {
  World world;
  CHECK(code_of(world.shell("user.add", {"everyone", good_password, "", ""})) == Errc::invalid_request);
  CHECK(code_of(world.shell("user.add", {"ada", "short", "", ""})) == Errc::invalid_request);
  CHECK(code_of(world.shell("user.add", {"ada", good_password, "king", ""})) == Errc::invalid_request);
  CHECK(code_of(world.shell("user.add", {"ada", good_password, "", "nowhere"})) == Errc::invalid_request);
  CHECK(code_of(world.shell("user.add", {})) == Errc::invalid_request);
}

TEST_CASE("registration that is closed does not bind the shell") {
  World world;
  world.parts->settings.registration = "closed";
  CHECK(world.shell("user.add", {"ada", good_password, "", ""}));
}

TEST_CASE("user password ends all sessions, live, and the old password") {
  World world;
  const auto tokens = world.register_as("ada").value();
  REQUIRE(world.shell("user.password", {"Ada", "another password"}));
  CHECK_FALSE(world.live(tokens));
  CHECK(code_of(world.login("ada")) == Errc::unauthenticated);
  CHECK(world.login("ada", "another password"));
  const auto told = world.shell("user.password", {"ada", ""}).value();
  CHECK(told.find("password: ") != std::string::npos);
  CHECK(code_of(world.shell("user.password", {"nobody", good_password})) == Errc::not_found);
}

TEST_CASE("user role sets the roles and ends the sessions of who loses one") {
  World world;
  const auto tokens = world.register_as("ada").value();
  REQUIRE(world.shell("user.role", {"ada", "guest"}));
  CHECK_FALSE(world.live(tokens));
  CHECK(world.audit("user.roles")[0].detail == "member -> guest");
  CHECK(code_of(world.shell("user.role", {"ada", ""})) == Errc::invalid_request);
  CHECK(code_of(world.shell("user.role", {"nobody", "guest"})) == Errc::not_found);
}

TEST_CASE("the shell may disable the last administrator, since it can make another one") {
  World world;
  REQUIRE(world.shell("user.add", {"root", good_password, "admin", ""}));
  CHECK(world.shell("user.disable", {"root"}));
  CHECK(world.shell("user.disable", {"root"}));  // so it stays
  CHECK(world.events("user.disabled").size() == 1);
  CHECK(code_of(world.shell("user.enable", {"nobody"})) == Errc::not_found);
}

TEST_CASE("user list shows everybody with roles and state") {
  World world;
  REQUIRE(world.register_as("ada"));
  REQUIRE(world.register_as("bob"));
  REQUIRE(world.shell("user.disable", {"bob"}));
  const auto text = world.shell("user.list", {}).value();
  CHECK(text.find("ada") < text.find("bob"));
  CHECK(text.find("active") < text.find("bob"));
  CHECK(text.find("disabled") > text.find("bob"));
}
