#include "world.hpp"

namespace loggia::realtime::test {
using namespace std::chrono_literals;

TEST_CASE("a connection that begins wrongly is closed with its code") {
  World world;
  const auto user = world.user("p");
  const auto closed_by = [&](const std::string& frame) {
    auto client = world.connect();
    client->say(frame);
    return client->code;
  };
  CHECK(closed_by("this is not json") == 4000);
  CHECK(closed_by("[]") == 4000);
  CHECK(closed_by(R"({"op":"hello","token":"x"})") == 4000);
  CHECK(closed_by(R"({"id":"text","op":"hello","token":"x"})") == 4000);
  CHECK(closed_by(R"({"id":1,"op":"ping"})") == 4000);
  CHECK(closed_by(R"({"id":1,"op":"no-such-op"})") == 4000);
  CHECK(closed_by(R"({"id":1,"op":"hello","token":"nonsense"})") == 4003);
  CHECK(closed_by(R"({"id":1,"op":"hello","token":")" + user.text() + R"("})") == 0);
}

TEST_CASE("without hello the connection ends after 10 s with 4001") {
  World world;
  auto client = world.connect();
  world.advance(9s);
  CHECK(client->code == 0);
  world.advance(2s);
  CHECK(client->code == 4001);
  CHECK(world.hub->connections_open == 0);
}

TEST_CASE("who does not ask for loggia.v1 is refused") {
  World world;
  const auto refused = world.knock("");
  REQUIRE(refused);
  CHECK(refused->status == 400);
  CHECK(json::parse(refused->body)["trace_id"] == "0123456789abcdef0123456789abcdef");  // the handshake's, as in the header
  CHECK(world.knock("loggia.v2, chat")->status == 400);
  CHECK(!world.knock("loggia.v1"));
}

TEST_CASE("hello is answered by the rooms of the user, and larger frames are taken from then on") {
  World world;
  const auto p = world.user("p"), q = world.user("q");
  const auto mine = world.room({p, q});
  world.room({q});
  auto client = world.connect();
  CHECK(client->message_max == 64u << 10);
  const auto ok = client->hello(p)["ok"];
  CHECK(client->message_max == 128u << 10);
  CHECK(ok["session"] == world.sessions[p.text()].text());
  CHECK(ok["user"]["id"] == p.text());
  CHECK(ok["epoch"] == "e1");
  CHECK(ok["cursor"] == "c1");
  CHECK(ok["heartbeat"] == 25);
  CHECK(ok["server"].is_string());
  CHECK(!ok.contains("more"));
  REQUIRE(ok["rooms"].size() == 1);
  CHECK(ok["rooms"][0]["id"] == mine.text());
  CHECK(ok["rooms"][0]["last_seq"] == 2);
  CHECK(client->pushed("replay.done").empty());
}

TEST_CASE("hello that cannot be answered now may be said again") {
  World world;
  const auto p = world.user("p");
  auto client = world.connect();
  world.down = true;
  const auto refused = client->hello(p)["error"];
  CHECK(refused["code"] == "unavailable");
  CHECK(refused["retry"] == true);
  world.down = false;
  CHECK(client->hello(p).contains("ok"));
  CHECK(client->hello(p)["error"]["code"] == "invalid_request");
}

TEST_CASE("an event that comes while hello is being answered is neither lost nor doubled") {
  World world;
  const auto p = world.user("p"), q = world.user("q");
  const auto room = world.room({p, q});
  SUBCASE("after the read") {
    world.after_hello_read = [&] { world.post(room, q); };
    auto client = world.online(p);
    CHECK(client->seqs(room) == std::vector<std::int64_t>{3});
  }
  SUBCASE("after the read, on a shard that reads the room already") {
    auto other = world.online(q, 1);
    world.after_hello_read = [&] { world.post(room, q); };
    auto client = world.online(p, 1);
    world.post(room, q);
    world.run();
    CHECK(client->seqs(room) == std::vector<std::int64_t>{3, 4});
    CHECK(other->seqs(room) == std::vector<std::int64_t>{3, 4});
  }
  SUBCASE("before the read, but late on the bus") {
    world.mute = true;
    world.post(room, q);
    world.mute = false;
    auto client = world.online(p);
    world.deliver(room, 3);
    world.post(room, q);
    world.run();
    CHECK(client->seqs(room) == std::vector<std::int64_t>{4});
  }
}

TEST_CASE("the first event comes a moment after the positions, where the client has none of its own") {
  World world;
  world.hub->options.settle = 20ms;
  const auto p = world.user("p"), q = world.user("q");
  const auto room = world.room({p, q});
  using Numbers = std::vector<std::int64_t>;
  SUBCASE("events wait, in their order") {
    auto client = world.online(p);
    world.post(room, q);
    world.post(room, q);
    world.advance(19ms);
    CHECK(client->seqs(room).empty());
    world.advance(1ms);
    CHECK(client->seqs(room) == Numbers{3, 4});
    world.post(room, q);
    world.run();
    CHECK(client->seqs(room) == Numbers{3, 4, 5});
  }
  SUBCASE("one that comes when the moment is over, and the timer not yet, brings what waits along") {
    auto client = world.online(p);
    const auto before_it = world.hub->shards->after(0, 20ms, [&] { world.post(room, q); });
    world.post(room, q);
    world.advance(20ms);
    CHECK(client->seqs(room) == Numbers{3, 4});
  }
  SUBCASE("what the log has already waits too") {
    auto other = world.online(q, 1);
    world.after_hello_read = [&] { world.post(room, q); };
    auto client = world.online(p, 1);
    CHECK(client->seqs(room).empty());
    world.advance(20ms);
    CHECK(client->seqs(room) == Numbers{3});
  }
  SUBCASE("who resumes waits for nothing") {
    auto client = world.connect();
    client->hello(p, {{"epoch", "e1"}, {"rooms", {{room.text(), 2}}}});
    world.post(room, q);
    world.run();
    CHECK(client->seqs(room) == Numbers{3});
  }
}

TEST_CASE("who is added or removed while hello is being answered is so afterwards") {
  World world;
  const auto p = world.user("p"), q = world.user("q");
  const auto before = world.room({p, q}), later = world.room({q});
  world.after_hello_read = [&] {
    world.remove(before, p);
    world.join(later, p);
  };
  auto client = world.online(p);
  world.post(before, q);
  world.post(later, q);
  world.run();
  REQUIRE(client->pushed("room.removed").size() == 1);
  CHECK(client->pushed("room.removed")[0]["room"] == before.text());
  REQUIRE(client->pushed("room.added").size() == 1);
  CHECK(client->pushed("room.added")[0]["data"]["last_seq"] == 2);
  CHECK(client->seqs(before).empty());
  CHECK(client->seqs(later) == std::vector<std::int64_t>{3});
}

TEST_CASE("a hello that is newer than an event of membership is right") {
  World world;
  const auto p = world.user("p"), q = world.user("q");
  const auto room = world.room({p, q});
  world.mute = true;
  world.remove(room, p);
  world.join(room, p);
  world.mute = false;
  auto client = world.online(p);
  world.deliver(room, 3);
  world.deliver(room, 4);
  world.post(room, q);
  world.run();
  CHECK(client->pushed("room.removed").empty());
  CHECK(client->seqs(room) == std::vector<std::int64_t>{5});
}

TEST_CASE("a twenty-first connection ends the oldest") {
  World world;
  const auto p = world.user("p");
  std::vector<std::shared_ptr<Client>> held;
  for (std::size_t at = 0; at < 21; ++at) held.push_back(world.online(p, at % 2));
  CHECK(held[0]->code == 4029);
  for (std::size_t at = 1; at < 21; ++at) CHECK(held[at]->code == 0);
  CHECK(held[1]->ask("ping").contains("ok"));
}

TEST_CASE("draining tells everybody, and closes with 1001 a moment later") {
  World world;
  const auto p = world.user("p");
  auto client = world.online(p);
  world.drain();
  REQUIRE(client->pushed("server.draining").size() == 1);
  CHECK(client->pushed("server.draining")[0]["data"]["reconnect_within"] == 5);
  CHECK(client->code == 0);
  CHECK(world.knock("loggia.v1")->status == 503);
  world.advance(2s);
  CHECK(client->code == 1001);
  CHECK(world.hub->connections_open == 0);
}

}  // namespace loggia::realtime::test
