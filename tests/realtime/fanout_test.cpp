#include "world.hpp"

namespace loggia::realtime::test {
using namespace std::chrono_literals;
using Numbers = std::vector<std::int64_t>;

TEST_CASE("an event goes to every reader on every shard once, as it is stored, framed once") {
  World world;
  const auto p = world.user("p"), q = world.user("q"), stranger = world.user("s");
  const auto room = world.room({p, q});
  auto a = world.online(p, 0), b = world.online(q, 1), second = world.online(q, 1), other = world.online(stranger, 0);
  const auto sent = a->ask("send", {{"room", room.text()}, {"text", "hello"}, {"client_id", "c"}})["ok"];
  CHECK(sent["seq"] == 3);
  for (const auto& client : {a, b, second}) {
    REQUIRE(client->seqs(room) == Numbers{3});
    CHECK(client->pushed("message.created")[0].dump() == json::parse(world[room].events[2]).dump());
  }
  CHECK(b->pieces.back() == second->pieces.back());
  CHECK(other->seqs(room).empty());
}

TEST_CASE("what comes in one turn is one piece for each reader") {
  World world;
  const auto p = world.user("p");
  const auto room = world.room({p});
  auto a = world.online(p);
  const auto before = a->pieces.size();
  for (int n = 0; n < 10; ++n) world.post(room, p);
  world.run();
  CHECK(a->seqs(room) == Numbers{2, 3, 4, 5, 6, 7, 8, 9, 10, 11});
  CHECK(a->pieces.size() == before + 1);
}

TEST_CASE("a room of many readers is written at most once in 40 us a reader; a piece gathers for a moment, but not the first after a pause") {
  World world;
  std::vector<UserId> people;
  for (int n = 0; n < 200; ++n) people.push_back(world.user(std::to_string(n)));
  const auto room = world.room(people);
  auto a = world.online(people[0]);
  std::vector<std::shared_ptr<Client>> others;
  for (int n = 1; n < 200; ++n) others.push_back(world.online(people[static_cast<std::size_t>(n)]));
  world.advance(1000ms);
  const auto before = a->pieces.size();
  const auto first = world.post(room, people[1]);
  world.run();
  REQUIRE(a->seqs(room) == Numbers{first});
  for (int n = 0; n < 3; ++n) {
    world.advance(2ms);
    world.post(room, people[1]);
    world.run();
  }
  CHECK(a->seqs(room) == Numbers{first});
  world.advance(2ms);
  CHECK(a->seqs(room) == Numbers{first, first + 1, first + 2, first + 3});
  CHECK(a->pieces.size() == before + 2);

  SUBCASE("a busy room: what follows at once is one piece with what began it") {
    world.advance(20ms);
    world.post(room, people[1]);
    world.run();
    CHECK(a->seqs(room).back() == first + 3);
    world.advance(1ms);
    world.post(room, people[1]);
    world.run();
    CHECK(a->seqs(room).back() == first + 3);
    world.advance(1ms);
    CHECK(a->seqs(room).back() == first + 5);
    CHECK(a->pieces.size() == before + 3);
  }
  SUBCASE("a room that was quiet: at once") {
    world.advance(70ms);
    world.post(room, people[1]);
    world.run();
    CHECK(a->seqs(room).back() == first + 4);
  }
}

TEST_CASE("an event twice is sent once, and a gap is filled from chat") {
  World world;
  const auto p = world.user("p");
  const auto room = world.room({p});
  auto a = world.online(p);
  world.post(room, p);
  world.deliver(room, 2);
  world.deliver(room, 1);
  world.run();
  world.mute = true;
  for (int n = 0; n < 5; ++n) world.post(room, p);
  world.deliver(room, 7);
  world.deliver(room, 6);
  world.run();
  CHECK(a->seqs(room) == Numbers{2, 3, 4, 5, 6, 7});
  world.deliver(room, 7);
  world.mute = false;
  world.post(room, p);
  world.run();
  CHECK(a->seqs(room) == Numbers{2, 3, 4, 5, 6, 7, 8});
}

TEST_CASE("a new member gets room.added, and then what comes after its last_seq") {
  World world;
  const auto p = world.user("p"), q = world.user("q");
  const auto room = world.room({p});
  auto a = world.online(p, 0), b = world.online(q, 1), second = world.online(q, 0);
  world.post(room, p);
  world.before_standing = [&] { world.post(room, p); };
  world.join(room, q);
  world.post(room, p);
  world.run();
  world.post(room, p);
  world.run();
  CHECK(a->seqs(room) == Numbers{2, 3, 4, 5, 6});
  for (const auto& client : {b, second}) {
    REQUIRE(client->pushed("room.added").size() == 1);
    const auto added = client->pushed("room.added")[0];
    CHECK(added["room"] == room.text());
    CHECK(added["data"]["id"] == room.text());
    const auto last = added["data"]["last_seq"].get<std::int64_t>();
    Numbers rest;
    for (auto seq = last + 1; seq <= 6; ++seq) rest.push_back(seq);
    CHECK(client->seqs(room) == rest);
  }
}

TEST_CASE("who is removed gets room.removed and nothing more of the room") {
  World world;
  const auto p = world.user("p"), q = world.user("q");
  const auto room = world.room({p, q}), other = world.room({p, q});
  auto a = world.online(p, 0), b = world.online(q, 1);
  world.post(room, p);
  world.remove(room, q, "banned");
  world.post(room, p);
  world.post(other, p);
  world.run();
  CHECK(b->seqs(room) == Numbers{3});
  CHECK(b->seqs(other) == Numbers{3});
  REQUIRE(b->pushed("room.removed").size() == 1);
  CHECK(b->pushed("room.removed")[0]["data"]["why"] == "banned");
  CHECK(a->seqs(room) == Numbers{3, 4, 5});
  CHECK(b->ask("typing", {{"room", room.text()}})["error"]["code"] == "not_found");
}

TEST_CASE("who comes back gets room.added again") {
  World world;
  const auto p = world.user("p"), q = world.user("q");
  const auto room = world.room({p, q});
  auto b = world.online(q, 1);
  world.remove(room, q, "left");
  world.join(room, q);
  world.post(room, p);
  world.run();
  world.post(room, p);
  world.run();
  CHECK(b->evs()[0] == "room.removed");
  CHECK(b->evs()[1] == "room.added");
  CHECK(b->seqs(room).back() == 6);
}

TEST_CASE("who is gone before room.added was sent hears of nothing") {
  World world;
  const auto p = world.user("p"), q = world.user("q");
  const auto room = world.room({p});
  auto b = world.online(q, 1);
  world.before_standing = [&] { world.remove(room, q); };
  world.join(room, q);
  world.run();
  world.post(room, p);
  world.run();
  CHECK(b->evs().empty());
}

TEST_CASE("a room that is deleted ends with room.removed") {
  World world;
  const auto p = world.user("p"), q = world.user("q");
  const auto room = world.room({p, q});
  auto a = world.online(p, 0), b = world.online(q, 1);
  world.erase(room, p);
  world.run();
  for (const auto& client : {a, b}) {
    CHECK(client->seqs(room) == Numbers{3});
    CHECK(client->pushed("room.deleted").size() == 1);
    CHECK(client->evs().back() == "room.removed");
    CHECK(client->pushed("room.removed")[0]["data"]["why"] == "deleted");
  }
}

TEST_CASE("a connection that ends leaves nothing behind") {
  World world;
  const auto p = world.user("p"), q = world.user("q");
  const auto room = world.room({p, q});
  auto a = world.online(p), b = world.online(q), c = world.online(q);
  b->cut();
  world.post(room, p);
  world.run();
  CHECK(b->seqs(room).empty());
  CHECK(a->seqs(room) == Numbers{3});
  CHECK(c->seqs(room) == Numbers{3});
  CHECK(world.hub->connections_open == 2);
  a->cut();
  c->cut();
  auto again = world.online(p);
  world.post(room, p);
  world.run();
  CHECK(again->seqs(room) == Numbers{4});
}

TEST_CASE("a notification goes to the connections of its user") {
  World world;
  const auto p = world.user("p"), q = world.user("q");
  auto a = world.online(p, 0), b = world.online(q, 1);
  const std::string id = "0197c9a0-0000-7000-8000-000000000001";
  const json data = {{"id", id}, {"user_id", q.text()}, {"kind", "mention"}, {"created_at", "2026-01-31T12:00:00.000Z"}, {"read", false}};
  world.bus("notifications", "notification.created", q.text(), data.dump());
  world.run();
  CHECK(a->pushed("notification").empty());
  REQUIRE(b->pushed("notification").size() == 1);
  CHECK(b->pushed("notification")[0]["data"]["id"] == id);
  CHECK(!b->pushed("notification")[0]["data"].contains("user_id"));
}

TEST_CASE("without contact to auth pushes are held back and requests are refused") {
  World world;
  const auto p = world.user("p"), q = world.user("q");
  const auto room = world.room({p, q});
  auto a = world.online(p);
  world.contact = false;
  world.post(room, q);
  world.run();
  CHECK(a->seqs(room).empty());
  CHECK(a->ask("ping")["error"]["code"] == "unavailable");
  world.advance(3s);
  CHECK(a->seqs(room).empty());
  world.contact = true;
  world.post(room, q);
  world.advance(2s);
  CHECK(a->seqs(room) == Numbers{3, 4});
}

TEST_CASE("a session that is revoked ends its connections and no other") {
  World world;
  const auto p = world.user("p");
  auto a = world.online(p, 0), b = world.online(p, 1), kept = world.connect(1);
  kept->ask("hello", {{"token", p.text() + "/2"}});
  world.revoke(p, world.sessions[p.text()]);
  CHECK(a->code == 4009);
  CHECK(b->code == 4009);
  CHECK(kept->ask("ping").contains("ok"));
  world.revoke(p, SessionId());
  CHECK(kept->code == 4009);
}

}  // namespace loggia::realtime::test
