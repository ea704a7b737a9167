#include "world.hpp"

using namespace loggia;
using namespace loggia::auth;
using namespace loggia::auth::testing;

namespace {
Result<AdminUser> set_roles(World& world, const Context& as, const UserId& id, std::vector<std::string> roles) {
  UpdateAccount request;
  request.id = id;
  request.roles = std::move(roles);
  return world.wait(world.administration.on(as, request));
}
Result<AdminUser> set_disabled(World& world, const Context& as, const UserId& id, bool disabled) {
  UpdateAccount request;
  request.id = id;
  request.disabled = disabled;
  return world.wait(world.administration.on(as, request));
}
}  // namespace

TEST_CASE("losing a role ends the sessions, gaining one does not") {
  World world;
  const auto ada = world.register_as("ada").value();
  const auto admin = world.admin();
  CHECK(set_roles(world, admin, ada.user.id, {"member", "admin"})->roles == std::vector<std::string>{"admin", "member"});
  CHECK(world.live(ada));
  REQUIRE(world.shell("user.add", {"root", good_password, "admin", ""}));
  CHECK(set_roles(world, admin, ada.user.id, {"member"})->roles == std::vector<std::string>{"member"});
  CHECK_FALSE(world.live(ada));
  CHECK(world.events("session.revoked").size() == 1);
  CHECK(code_of(world.refresh(*ada.refresh_token)) == Errc::unauthenticated);
}

TEST_CASE("the last administrator can neither be disabled nor demoted, by himself or another") {
  World world;
  const auto ada = world.register_as("ada").value();
  REQUIRE(world.shell("user.role", {"ada", "admin,member"}));
  const auto self = world.with(world.login("ada").value());
  CHECK(code_of(set_roles(world, self, ada.user.id, {"member"})) == Errc::conflict);
  CHECK(code_of(set_disabled(world, self, ada.user.id, true)) == Errc::conflict);
  CHECK(world.audit("admin.user.refused").size() == 2);
  REQUIRE(world.register_as("bob"));
  REQUIRE(world.shell("user.role", {"bob", "admin"}));
  REQUIRE(world.shell("user.disable", {"bob"}));
  CHECK(code_of(set_disabled(world, self, ada.user.id, true)) == Errc::conflict);  // bob cannot help
  REQUIRE(world.shell("user.enable", {"bob"}));
  CHECK(set_disabled(world, self, ada.user.id, true)->disabled);
}

TEST_CASE("a change that changes nothing announces nothing and ends nothing") {
  World world;
  const auto ada = world.register_as("ada").value();
  const auto before = world.kernel.bus->appended.size();
  CHECK(set_roles(world, world.admin(), ada.user.id, {"member"}));
  CHECK(set_disabled(world, world.admin(), ada.user.id, false));
  CHECK(world.kernel.bus->appended.size() == before);
  CHECK(world.live(ada));
}

TEST_CASE("roles that are none and accounts that are none are refused") {
  World world;
  const auto ada = world.register_as("ada").value();
  CHECK(pointer_of(set_roles(world, world.admin(), ada.user.id, {"king"})) == "/roles");
  CHECK(code_of(set_disabled(world, world.admin(), world.kernel.kernel.ids->make<UserId>(), true)) == Errc::not_found);
}

TEST_CASE("an administrator can end all sessions of an account") {
  World world;
  const auto first = world.register_as("ada").value(), second = world.login("ada").value();
  EndSessions request;
  request.id = first.user.id;
  REQUIRE(world.wait(world.administration.on(world.admin(), request)));
  CHECK_FALSE(world.live(first));
  CHECK_FALSE(world.live(second));
  CHECK(world.login("ada"));
  request.id = world.kernel.kernel.ids->make<UserId>();
  CHECK(code_of(world.wait(world.administration.on(world.admin(), request))) == Errc::not_found);
}

TEST_CASE("accounts are listed by name, searched and paged") {
  World world;
  for (const char* name : {"carol", "Bob", "ada"}) REQUIRE(world.register_as(name));
  ListAccounts request;
  request.limit = 2;
  const auto page = world.wait(world.administration.on(world.admin(), request)).value();
  REQUIRE(page.items.size() == 2);
  CHECK(page.items[0].username == "ada");
  CHECK(page.items[1].username == "Bob");
  CHECK(page.items[0].last_login);
  request.cursor = page.next;
  const auto rest = world.wait(world.administration.on(world.admin(), request)).value();
  REQUIRE(rest.items.size() == 1);
  CHECK(rest.items[0].username == "carol");
  CHECK_FALSE(rest.next);
  ListAccounts search;
  search.query = "BO";
  CHECK(world.wait(world.administration.on(world.admin(), search))->items.size() == 1);
  search.query = "_";  // no pattern
  CHECK(world.wait(world.administration.on(world.admin(), search))->items.empty());
}

TEST_CASE("what no store takes is searched for nowhere, and not written down") {
  World world;
  const auto admin = world.admin();
  for (const auto& text : {std::string(1, '\0'), std::string("\xFF")}) {
    ListAccounts search, page;
    search.query = text;
    page.cursor = crypto::base64url(text);
    CHECK(pointer_of(world.wait(world.administration.on(admin, search))) == "/query");
    CHECK(pointer_of(world.wait(world.administration.on(admin, page))) == "/cursor");
    ListAudit audit;
    audit.action = text;
    CHECK(pointer_of(world.wait(world.administration.on(admin, audit))) == "/action");
  }
  CHECK(world.audit("admin.users.read").empty());
}

TEST_CASE("the audit log is newest first, in pages, by actor, action and time") {
  World world;
  const auto ada = world.register_as("ada").value();
  const auto admin = world.admin();
  const auto note = [&](const char* action, const Context& as) {
    RecordAudit request;
    request.action = action;
    request.target = "room";
    world.kernel.clock->advance(milliseconds(1000));
    REQUIRE(world.wait(world.administration.on(as, request)));
  };
  const auto begin = world.kernel.clock->now();
  for (const char* action : {"x.one", "x.two", "x.one"}) note(action, world.with(ada));
  note("x.one", admin);
  ListAudit request;
  request.action = "x.one";
  request.limit = 2;
  const auto page = world.wait(world.administration.on(admin, request)).value();
  REQUIRE(page.items.size() == 2);
  CHECK(page.items[0].actor == UserId(admin.caller().subject));
  CHECK(page.items[0].target == "room");
  CHECK(page.items[0].address == "192.0.2.9");
  CHECK(page.items[0].at > page.items[1].at);
  request.cursor = page.next;
  const auto rest = world.wait(world.administration.on(admin, request)).value();
  CHECK(rest.items.size() == 1);
  CHECK_FALSE(rest.next);
  ListAudit mine;
  mine.actor = ada.user.id;
  mine.since = begin + milliseconds(1);
  mine.until = begin + milliseconds(2500);
  CHECK(world.wait(world.administration.on(admin, mine))->items.size() == 2);
  mine.action = "x.two";
  CHECK(world.wait(world.administration.on(admin, mine))->items.size() == 1);
  ListAudit since;
  since.since = begin + milliseconds(3500);
  CHECK(world.wait(world.administration.on(admin, since))->items.front().action == "admin.audit.read");
  since.cursor = "12x";
  CHECK(pointer_of(world.wait(world.administration.on(admin, since))) == "/cursor");
}

TEST_CASE("what administrators do and read is written down: who, what, whom, from where") {
  World world;
  const auto ada = world.register_as("ada").value();
  const auto admin = world.admin();
  REQUIRE(set_disabled(world, admin, ada.user.id, true));
  REQUIRE(world.wait(world.administration.on(admin, ListAccounts())));
  const auto disabled = world.audit("user.disabled");
  REQUIRE(disabled.size() == 1);
  CHECK(disabled[0].actor == UserId(admin.caller().subject));
  CHECK(disabled[0].target == ada.user.id.text());
  CHECK(disabled[0].address == "192.0.2.9");
  CHECK(world.audit("admin.user.updated").size() == 1);
  CHECK(world.audit("admin.users.read").size() == 1);
}
