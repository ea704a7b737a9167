#include "loggia/kernel/crypto.hpp"
#include "world.hpp"

using namespace loggia;
using namespace loggia::user;
using namespace loggia::user::testing;

namespace {
Result<Profiles> list(World& world, const Context& as, const std::string& query, std::optional<std::int64_t> limit = std::nullopt,
                      std::optional<std::string> cursor = std::nullopt) {
  ListUsers request;
  request.query = query;
  request.limit = limit;
  request.cursor = std::move(cursor);
  return world.wait(world.users.on(as, request));
}
}  // namespace

TEST_CASE("a profile is created once for its id, and a username once in whatever case") {
  World world;
  const auto ada = world.person("Ada");
  CHECK(world.create(ada, "Ada"));
  CHECK(code_of(world.create(world.kernel.kernel.ids->make<UserId>(), "ADA")) == Errc::conflict);
  const auto me = world.me(ada).value();
  CHECK(me.username == "Ada");
  CHECK(me.display_name == "Ada");
  CHECK(me.created_at == world.kernel.clock->now());
  CHECK(me.locale == "en");
  CHECK(me.time_zone == "UTC");
  CHECK(me.show_presence);
  CHECK(me.show_receipts);
}

TEST_CASE("a display name is checked when the profile is created") {
  World world;
  const auto id = world.kernel.kernel.ids->make<UserId>();
  CHECK(pointer_of(world.create(id, "ada",
                                "a\xE2\x80\xAE"
                                "b")) == "/display_name");
  CHECK(world.create(id, "ada", " Ada L. "));
  CHECK(world.me(id)->display_name == "Ada L.");
}

TEST_CASE("a change is seen by its owner and by others") {
  World world;
  const auto ada = world.person("ada"), bob = world.person("bob");
  UpdateMe request;
  request.display_name = "Ada \xF0\x9F\xA6\x89";
  request.bio = "x\ny";
  request.status_text = "away on foot";
  request.locale = "de-AT";
  request.time_zone = "Europe/Oslo";
  const auto me = world.update(ada, request).value();
  CHECK(me.display_name == "Ada \xF0\x9F\xA6\x89");
  CHECK(me.locale == "de-AT");
  CHECK(me.time_zone == "Europe/Oslo");
  const auto seen = world.see(world.as(bob), ada).value();
  CHECK(seen.display_name == me.display_name);
  CHECK(seen.bio == "x\ny");
  CHECK(seen.status_text == "away on foot");
  GetUserByName by_name;
  by_name.username = "ADA";
  CHECK(world.wait(world.users.on(world.as(bob), by_name))->id == ada);
}

TEST_CASE("what no store takes is searched for nowhere") {
  World world;
  const auto ada = world.person("ada");
  for (const auto& text : {std::string(1, '\0'), std::string("\xFF")}) {
    CHECK(pointer_of(list(world, world.as(ada), text)) == "/query");
    CHECK(pointer_of(list(world, world.as(ada), "", std::nullopt, crypto::base64url(text))) == "/cursor");
  }
}

TEST_CASE("all that is wrong in a change is named, and nothing of it happens") {
  World world;
  const auto ada = world.person("ada");
  UpdateMe request;
  request.display_name = " ";
  request.bio = "a\rb";
  request.status_text = "a\nb";
  request.locale = "en_US";
  request.time_zone = "Europe/Atlantis";
  request.show_receipts = false;
  const auto refused = world.update(ada, request);
  CHECK(code_of(refused) == Errc::invalid_request);
  std::vector<std::string> pointers;
  for (const auto& field : refused.error().fields) pointers.push_back(field.pointer);
  CHECK(pointers == std::vector<std::string>{"/display_name", "/bio", "/status_text", "/locale", "/time_zone"});
  CHECK(world.me(ada)->show_receipts);
  CHECK(world.kernel.bus->appended.empty());
}

TEST_CASE("what changed is announced with the change, the status on its own topic") {
  World world;
  const auto ada = world.person("ada");
  UpdateMe request;
  request.bio = "x";
  request.locale = "en";  // as it is
  request.show_receipts = false;
  REQUIRE(world.update(ada, request));
  CHECK(world.events("user.changed") == std::vector<std::string>{R"({"user_id":")" + ada.text() + R"(","bio":"x","show_receipts":false})"});
  CHECK(world.kernel.bus->appended[0].topic == "user-events");
  CHECK(world.kernel.bus->appended[0].key == ada.text());
  UpdateMe status;
  status.status_text = "on foot";
  REQUIRE(world.update(ada, status));
  CHECK(world.events("status.changed") == std::vector<std::string>{R"({"user_id":")" + ada.text() + R"(","status_text":"on foot"})"});
  CHECK(world.kernel.bus->appended[1].topic == "user-status-updates");
  CHECK(world.events("user.changed").size() == 1);
}

TEST_CASE("a change that changes nothing announces nothing") {
  World world;
  const auto ada = world.person("ada");
  UpdateMe request;
  request.display_name = "ada ";
  request.status_text = "";
  REQUIRE(world.update(ada, request));
  REQUIRE(world.update(ada, UpdateMe()));
  CHECK(world.kernel.bus->appended.empty());
}

TEST_CASE("an empty status text removes it") {
  World world;
  const auto ada = world.person("ada");
  UpdateMe request;
  request.status_text = "here";
  REQUIRE(world.update(ada, request));
  request.status_text = "";
  CHECK_FALSE(world.update(ada, request)->status_text);
  CHECK(world.events("status.changed").back() == R"({"user_id":")" + ada.text() + R"(","status_text":""})");
}

TEST_CASE("a change repeated with its key gets the first answer and happens once; another with the key is refused") {
  World world;
  const auto ada = world.person("ada"), bob = world.person("bob");
  UpdateMe first, second;
  first.bio = "first";
  second.bio = "second";
  REQUIRE(world.update(ada, first, "key-1"));
  REQUIRE(world.update(ada, second, "key-2"));
  CHECK(world.update(ada, first, "key-1")->bio == "first");
  CHECK(world.me(ada)->bio == "second");
  CHECK(world.events("user.changed").size() == 2);
  CHECK(code_of(world.update(ada, second, "key-1")) == Errc::invalid_request);
  CHECK(world.update(bob, second, "key-1"));  // each user's own
}

TEST_CASE("nobody is found where nobody is") {
  World world;
  const auto ada = world.person("ada");
  CHECK(code_of(world.see(world.as(ada), world.kernel.kernel.ids->make<UserId>())) == Errc::not_found);
  GetUserByName request;
  request.username = "nobody";
  CHECK(code_of(world.wait(world.users.on(world.as(ada), request))) == Errc::not_found);
  CHECK(code_of(world.me(world.kernel.kernel.ids->make<UserId>())) == Errc::not_found);
}

TEST_CASE("people are found by a part of username or display name, without regard to case, and taken literally") {
  World world;
  const auto ada = world.person("ada", "Countess Lovelace");
  world.person("bob", "B_b 100%");
  world.person("zoe", "Zo\xC3\x8B");
  const auto found = [&](const std::string& query) { return names(list(world, world.as(ada), query).value()); };
  CHECK(found("AD") == std::vector<std::string>{"ada"});
  CHECK(found("lace") == std::vector<std::string>{"ada"});
  CHECK(found("zo\xC3\xAB") == std::vector<std::string>{"zoe"});
  CHECK(found("%") == std::vector<std::string>{"bob"});
  CHECK(found("b_b") == std::vector<std::string>{"bob"});
  CHECK(found("a%a").empty());
  CHECK(found("") == std::vector<std::string>{"ada", "bob", "zoe"});
  UpdateMe request;
  request.display_name = "Ada King";
  REQUIRE(world.update(ada, request));
  CHECK(found("lovelace").empty());
  CHECK(found("king") == std::vector<std::string>{"ada"});
}

TEST_CASE("people are paged with a URL-safe cursor, none twice and none left out") {
  World world;
  UserId ada;
  for (const char* name : {"dora", "Ada", "carol", "bob", "eve"}) ada = world.person(name);
  std::vector<std::string> all;
  std::optional<std::string> cursor;
  do {
    const auto page = list(world, world.as(ada), "", 2, cursor).value();
    for (const auto& name : names(page)) all.push_back(name);
    cursor = page.next;
    if (cursor) CHECK(cursor->find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") == std::string::npos);
  } while (cursor);
  CHECK(all == std::vector<std::string>{"Ada", "bob", "carol", "dora", "eve"});
  CHECK(pointer_of(list(world, world.as(ada), "", 2, "!")) == "/cursor");
}

TEST_CASE("a guest sees nobody but themselves") {
  World world;
  const auto guest = world.person("guest1"), ada = world.person("ada");
  const auto as = world.as(guest, "guest");
  CHECK(names(list(world, as, "").value()) == std::vector<std::string>{"guest1"});
  CHECK(names(list(world, as, "GUEST").value()) == std::vector<std::string>{"guest1"});
  CHECK(list(world, as, "ada")->items.empty());
  CHECK(code_of(world.see(as, ada)) == Errc::not_found);
  CHECK(world.see(as, guest));
  GetUserByName request;
  request.username = "ada";
  CHECK(code_of(world.wait(world.users.on(as, request))) == Errc::not_found);
  BlockUser block;
  block.user = ada;
  CHECK(code_of(world.wait(world.users.on(as, block))) == Errc::not_found);
  CHECK(names(list(world, world.as(ada), "").value()).size() == 2);
}
