#include "world.hpp"

using namespace loggia;
using namespace loggia::user;
using namespace loggia::user::testing;

namespace {
Result<Profiles> blocks(World& world, const UserId& id, std::optional<std::int64_t> limit = std::nullopt,
                        std::optional<std::string> cursor = std::nullopt) {
  ListBlocks request;
  request.limit = limit;
  request.cursor = std::move(cursor);
  return world.wait(world.users.on(world.as(id), request));
}
std::vector<UserId> blocked_with(World& world, const UserId& id) {
  GetBlocked request;
  request.user = id;
  return world.wait(world.directory.on(Context(), request))->ids;
}
}  // namespace

TEST_CASE("a block is listed by who made it, known to modules from both sides, and gone when it is taken back") {
  World world;
  const auto ada = world.person("ada"), bob = world.person("bob");
  REQUIRE(world.block(ada, bob));
  REQUIRE(world.block(ada, bob));
  CHECK(names(blocks(world, ada).value()) == std::vector<std::string>{"bob"});
  CHECK(blocks(world, bob)->items.empty());
  CHECK(blocked_with(world, ada) == std::vector<UserId>{bob});
  CHECK(blocked_with(world, bob) == std::vector<UserId>{ada});
  UnblockUser request;
  request.user = bob;
  CHECK(world.wait(world.users.on(world.as(ada), request)));
  CHECK(world.wait(world.users.on(world.as(ada), request)));
  CHECK(blocked_with(world, bob).empty());
}

TEST_CASE("one takes back one's own blocks alone") {
  World world;
  const auto ada = world.person("ada"), bob = world.person("bob");
  REQUIRE(world.block(ada, bob));
  UnblockUser request;
  request.user = ada;
  REQUIRE(world.wait(world.users.on(world.as(bob), request)));
  CHECK(blocked_with(world, bob) == std::vector<UserId>{ada});
}

TEST_CASE("nobody blocks themselves, or somebody who is not there") {
  World world;
  const auto ada = world.person("ada");
  CHECK(pointer_of(world.block(ada, ada)) == "/user");
  CHECK(code_of(world.block(ada, world.kernel.kernel.ids->make<UserId>())) == Errc::not_found);
}

TEST_CASE("blocks are paged") {
  World world;
  const auto ada = world.person("ada");
  for (const char* name : {"bob", "carol", "dora"}) REQUIRE(world.block(ada, world.person(name)));
  const auto first = blocks(world, ada, 2).value();
  CHECK(names(first) == std::vector<std::string>{"bob", "carol"});
  const auto rest = blocks(world, ada, 2, first.next).value();
  CHECK(names(rest) == std::vector<std::string>{"dora"});
  CHECK_FALSE(rest.next);
  CHECK(pointer_of(blocks(world, ada, 2, "x")) == "/cursor");
}

TEST_CASE("modules get the people of many ids and names, those who exist") {
  World world;
  const auto ada = world.person("Ada", "Ada L."), bob = world.person("bob");
  UpdateMe status;
  status.status_text = "here";
  status.show_receipts = false;
  REQUIRE(world.update(ada, status));
  GetPeople by_id;
  by_id.ids = {bob, world.kernel.kernel.ids->make<UserId>(), ada};
  const auto people = world.wait(world.directory.on(Context(), by_id)).value();
  REQUIRE(people.items.size() == 2);
  CHECK(people.items[1].display_name == "Ada L.");
  CHECK(people.items[1].status_text == "here");
  CHECK_FALSE(people.items[1].show_receipts);
  FindPeople by_name;
  by_name.usernames = {"ADA", "nobody"};
  const auto found = world.wait(world.directory.on(Context(), by_name)).value();
  REQUIRE(found.items.size() == 1);
  CHECK(found.items[0].id == ada);
  by_id.ids.assign(1001, ada);
  CHECK(pointer_of(world.wait(world.directory.on(Context(), by_id))) == "/ids");
}
