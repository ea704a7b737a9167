#include "names.hpp"
#include "fixture.hpp"
#include "support/memory_store.hpp"

using namespace loggia;
using namespace loggia::chat;
using namespace loggia::chat::test;

TEST_CASE("of a mention's readings the longest that is a member's is meant") {
  House house;
  const auto plain = house.person("eve"), dotted = house.person("eve.");
  const auto room = house.room(house.ada, {plain});
  const auto whom = [&](const std::string& text) { return house.post(house.ada, room, text).value().value.mentions; };
  CHECK(whom("well, @eve.") == std::vector<UserId>{plain});
  CHECK(house.put(house.ada, room, dotted));
  CHECK(whom("well, @eve.") == std::vector<UserId>{dotted});
  CHECK(whom("well, @EVE!") == std::vector<UserId>{plain});
}

TEST_CASE("whoever comes in by whatever way can be mentioned, until they or their account are gone") {
  House house;
  const auto room = house.room(house.ada, {house.bob}, "public");
  CHECK(house.put(house.ada, room, house.cid));
  CHECK(house.rooms(house.as(house.dan), JoinRoom{room}));
  const auto whom = [&] { return house.post(house.bob, room, "@ada @bob @cid @dan").value().value.mentions; };
  CHECK(whom() == std::vector<UserId>{house.ada, house.bob, house.cid, house.dan});
  CHECK(house.remove(house.ada, room, house.cid.text()));
  CHECK(whom() == std::vector<UserId>{house.ada, house.bob, house.dan});
  OpenDirect open;
  open.user_id = house.bob;
  const auto direct = house.rooms(house.as(house.ada), open).value().value.id;
  CHECK(house.post(house.ada, direct, "@bob").value().value.mentions == std::vector<UserId>{house.bob});
}

TEST_CASE("a text of very many mentions finds the members among them") {
  House house;
  const auto room = house.room(house.ada, {house.bob});
  std::string text = "@ada ";
  for (int n = 0; n < 200; ++n) text += "@nobody" + std::to_string(n) + ' ';
  CHECK(house.post(house.ada, room, text + "@bob").value().value.mentions == std::vector<UserId>{house.ada, house.bob});
}

TEST_CASE("a name passes on to the account that has it now") {
  const auto clock = std::make_shared<loggia::test::FakeClock>();
  const auto store = loggia::test::memory_database(clock, module().migrations);
  const RoomId room(Bytes16{1});
  const UserId one(Bytes16{2}), other(Bytes16{3});
  const auto mentions = find_mentions("@ada");
  store
      ->write_now([&](Transaction& t) -> Result<bool> {
        for (const auto& user : {one, other})
          t.execute("INSERT INTO members (room, user, role, joined_at, joined_seq, read_seq, read_at, changed) VALUES (?1, ?2, 1, 0, 1, 1, 0, 1)",
                    room, user);
        keep_name(t, one, "Ada");
        keep_name(t, one, "Ada");
        CHECK(named_members(t, room, mentions) == std::vector<UserId>{one});
        keep_name(t, other, "ada");
        forget_name(t, one);  // heard late
        CHECK(named_members(t, room, mentions) == std::vector<UserId>{other});
        forget_name(t, other);
        CHECK(named_members(t, room, mentions).empty());
        CHECK(nameless(t, 10).empty());
        keep_name(t, one, "");
        CHECK(nameless(t, 10) == std::vector<UserId>{one});
        return true;
      })
      .value();
}

TEST_CASE("members from before chat kept names are asked for at the start") {
  loggia::test::FakeKernel fake;
  const auto directory = std::make_shared<FakeDirectory>();
  user::Person ada;
  ada.id = UserId(Bytes16{7});
  ada.username = "ada";
  directory->people.emplace(ada.id, ada);
  fake.kernel.ports.offer<user::Directory>(directory);
  std::shared_ptr<Database> store;
  const auto open = fake.kernel.open;
  fake.kernel.open = [&](const std::string& name, std::vector<Migration> steps) {
    store = open(name, std::move(steps));
    store
        ->write_now([&](Transaction& t) -> Result<bool> {
          t.execute("INSERT INTO nameless (user) VALUES (?1)", ada.id);
          return true;
        })
        .value();
    return store;
  };
  auto made = module().make(fake.kernel);
  made->start().value();
  const auto known = [&] {
    return store
        ->read_now([&](Query& query) -> Result<bool> {
          return nameless(query, 1).empty() && query.select("SELECT 1 FROM names WHERE name = 'ada' AND user = ?1", ada.id)->next();
        })
        .value();
  };
  fake.shards->run_until(known);
  loggia::test::blocking(*fake.shards, [&] { made->stop(); });
}
