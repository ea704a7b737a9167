#include "resume.hpp"
#include "world.hpp"

namespace loggia::realtime::test {
using namespace std::chrono_literals;
using Numbers = std::vector<std::int64_t>;

namespace {

Numbers from_to(std::int64_t from, std::int64_t to) {
  Numbers out;
  for (auto at = from; at <= to; ++at) out.push_back(at);
  return out;
}
json at(const RoomId& room, std::int64_t seq, const std::string& epoch = "e1") {
  return {{"epoch", epoch}, {"cursor", "c0"}, {"rooms", {{room.text(), seq}}}};
}

}  // namespace

TEST_CASE("resume brings exactly what was missed, in order, and then one replay.done") {
  World world;
  world.hub->options.resume_limit = 2000;
  const auto p = world.user("p"), q = world.user("q");
  const auto room = world.room({p, q}), same = world.room({p, q});
  for (int n = 0; n < 900; ++n) world.post(room, q);
  world.run();
  auto a = world.connect();
  auto resume = at(room, 2);
  resume["rooms"][same.text()] = 2;
  a->hello(p, resume);
  CHECK(a->seqs(room) == from_to(3, 902));
  CHECK(a->seqs(same).empty());
  CHECK(a->evs().back() == "replay.done");
  REQUIRE(a->pushed("replay.done").size() == 1);
  CHECK(a->pushed("replay.done")[0]["data"]["cursor"] == "c1");
  world.post(room, q);
  world.run();
  CHECK(a->seqs(room).back() == 903);
}

TEST_CASE("a live event never overtakes the replay of its room") {
  World world;
  const auto p = world.user("p"), q = world.user("q");
  const auto room = world.room({p, q}), other = world.room({p, q});
  for (int n = 0; n < 500; ++n) world.post(room, q, std::string(300, 'x'));
  auto a = world.connect(), b = world.online(q, 1);
  world.after_hello_read = [&] { world.post(room, q); };
  world.timeline_down = true;
  a->hello(p, at(room, 2));
  world.post(room, q);
  world.post(other, q);
  world.run();
  CHECK(a->seqs(room).empty());
  CHECK(a->seqs(other) == Numbers{3});
  CHECK(a->pushed("replay.done").empty());
  world.timeline_down = false;
  world.advance(2s);
  CHECK(a->seqs(room) == from_to(3, 504));
  CHECK(a->pushed("replay.done").size() == 1);
}

TEST_CASE("what cannot be replayed is a reset, and never a silent hole") {
  World world;
  world.hub->options.resume_limit = 10;
  world.hub->options.resume_total = 12;
  const auto p = world.user("p");
  const auto room = world.room({p}), few = world.room({p}), many = world.room({p});
  for (int n = 0; n < 8; ++n) world.post(many, p);
  for (int n = 0; n < 5; ++n) world.post(few, p);
  for (int n = 0; n < 20; ++n) world.post(room, p);
  world.run();
  const auto reset_of = [&](const json& resume) {
    auto a = world.connect();
    a->hello(p, resume);
    CHECK(a->evs() == std::vector<std::string>{"room.reset", "replay.done"});
    CHECK(a->pushed("room.reset")[0]["data"]["last_seq"] == 21);
    world.post(room, p);
    world.run();
    CHECK(a->seqs(room) == Numbers{22});
    world[room].events.pop_back();
    const auto why = a->pushed("room.reset")[0]["data"]["why"].get<std::string>();
    return why;
  };
  SUBCASE("too many in the room") { CHECK(reset_of(at(room, 10)) == "too_many"); }
  SUBCASE("another epoch") { CHECK(reset_of(at(room, 21, "e0")) == "epoch"); }
  SUBCASE("ahead of the log") { CHECK(reset_of(at(room, 26)) == "ahead"); }
  SUBCASE("too many in all: the rooms with the fewest are brought") {
    auto a = world.connect();
    a->hello(p, {{"epoch", "e1"}, {"rooms", {{few.text(), 1}, {many.text(), 1}}}});
    CHECK(a->seqs(few) == from_to(2, 6));
    REQUIRE(a->pushed("room.reset").size() == 1);
    CHECK(a->pushed("room.reset")[0]["room"] == many.text());
    CHECK(a->pushed("room.reset")[0]["data"]["why"] == "too_many");
    CHECK(a->evs().back() == "replay.done");
  }
}

TEST_CASE("rooms that are not theirs are removed, with why") {
  World world;
  const auto p = world.user("p"), q = world.user("q");
  const auto left = world.room({p, q}), deleted = world.room({p, q}), never = world.room({q});
  world.remove(left, p, "banned");
  world.erase(deleted, q);
  world.post(never, q, "hidden");
  auto a = world.connect();
  a->hello(p, {{"epoch", "e1"}, {"rooms", {{left.text(), 2}, {deleted.text(), 2}, {never.text(), 0}}}});
  std::map<std::string, std::string> why;
  for (const auto& one : a->pushed("room.removed")) why[one["room"].get<std::string>()] = one["data"]["why"].get<std::string>();
  CHECK(why[left.text()] == "banned");
  CHECK(why[deleted.text()] == "deleted");
  CHECK(why[never.text()] == "unknown");
  CHECK(a->evs().back() == "replay.done");
  CHECK(a->seqs(never).empty());
}

TEST_CASE("who is removed during the replay gets no more of it, and replay.done") {
  World world;
  const auto p = world.user("p"), q = world.user("q");
  const auto room = world.room({p, q});
  for (int n = 0; n < 300; ++n) world.post(room, q);
  world.run();
  SUBCASE("the bus tells") {
    world.timeline_down = true;
    auto a = world.connect();
    a->hello(p, at(room, 2));
    world.remove(room, p);
    world.timeline_down = false;
    world.run();
    world.advance(2s);
    CHECK(a->evs() == std::vector<std::string>{"room.removed", "replay.done"});
  }
  SUBCASE("the log tells, before the bus") {
    bool elsewhere = false;
    SUBCASE("here") {}
    SUBCASE("from another process") { elsewhere = true; }
    world.mute = true;
    world.after_hello_read = [&] {
      world.remove(room, p);
      world.post(room, q, "not for you");
      if (elsewhere)  // the same objects with their names in another order
        for (auto& event : world.rooms.at(room).events) event = json::parse(event).dump();
    };
    auto a = world.connect();
    a->hello(p, at(room, 250));
    CHECK(a->seqs(room) == from_to(251, 302));
    CHECK(a->pushed("room.removed").size() == 1);
    CHECK(a->pushed("replay.done").size() == 1);
    world.deliver(room, 303);
    world.deliver(room, 304);
    world.run();
    CHECK(a->seqs(room).back() == 302);
    CHECK(a->pushed("room.removed").size() == 1);
  }
}

TEST_CASE("one's own leaving and coming back, both long ago, are part of a replay") {
  World world;
  const auto p = world.user("p"), q = world.user("q");
  const auto room = world.room({p, q});
  world.remove(room, p, "left");
  world.join(room, p);
  world.post(room, q);
  world.run();
  auto a = world.connect();
  a->hello(p, at(room, 2));
  CHECK(a->seqs(room) == from_to(3, 5));
  CHECK(a->pushed("room.removed").empty());
}

TEST_CASE("a resume names rooms by their ids, and at most 1000") {
  World world;
  const auto p = world.user("p");
  auto a = world.connect();
  a->hello(p, {{"epoch", "e1"}, {"rooms", {{"no-room", 3}}}});
  CHECK(a->evs() == std::vector<std::string>{"replay.done"});
  auto b = world.connect();
  json rooms = json::object();
  for (int n = 0; n < 1001; ++n) rooms["r" + std::to_string(n)] = 1;
  CHECK(b->hello(p, {{"epoch", "e1"}, {"rooms", rooms}})["error"]["code"] == "invalid_request");
  CHECK(b->hello(p, {{"epoch", "e1"}, {"rooms", {{"r", -1}}}})["error"]["code"] == "invalid_request");
  CHECK(b->code == 0);
}

}  // namespace loggia::realtime::test
