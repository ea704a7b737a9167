// How calls are spread over instances that are well.
#include <doctest/doctest.h>
#include <numeric>
#include "discovery/world.hpp"
#include "support/print.hpp"

using namespace loggia;
using test::Balance;

namespace {

struct Seen {
  double slow_share = 0;
  milliseconds p90{0};
};

/// `per_second` calls for `seconds`, each 3 to 12 ms of work, `delay` more at instance c; what is measured begins after 5 s.
Seen load(int per_second, int delay, bool by_room, int seconds = 25) {
  Balance world({"a", "b", "c"});
  test::FakeRandom dice(3);
  for (auto& [name, instance] : world.instances) {
    const int more = name == "c" ? delay : 0;
    instance->takes = [&dice, more] { return milliseconds(3 + static_cast<int>(dice.below(10)) + more); };
  }
  if (by_room) world.options.affinity = [](const Call& call) { return call.path.at(0).second; };
  std::vector<Balance::SentPtr> all;
  int before = 0, others = 0;
  const auto end = seconds * 1000;
  for (int ms = 0; ms < end; ++ms) {
    if (ms == 5000) {
      all.clear();
      before = world["c"].calls;
      others = world["a"].calls + world["b"].calls;
    }
    if (static_cast<int>(dice.below(1000)) < per_second) {
      Call call;
      call.route = "POST /rooms/{room}/messages";
      call.path.emplace_back("room", std::to_string(dice.below(30)));
      call.keyed = true;
      all.push_back(world.begin(std::move(call), Context().keyed("k")));
    }
    world.pass(1);
  }
  world.pass(1000);
  std::vector<milliseconds> took;
  for (const auto& one : all) took.push_back(one->took());
  std::sort(took.begin(), took.end());
  const double slow = world["c"].calls - before, rest = world["a"].calls + world["b"].calls - others;
  Seen out;
  out.slow_share = slow / (slow + rest);
  out.p90 = took.at(took.size() * 9 / 10);
  return out;
}

std::string room_owner(Balance& world, const std::string& room) {
  std::map<std::string, int> before;
  for (const auto& [name, instance] : world.instances) before[name] = instance->calls;
  Call call;
  call.route = "GET /rooms/{room}";
  call.path.emplace_back("room", room);
  world.begin(std::move(call), Context());
  for (const auto& [name, instance] : world.instances)
    if (instance->calls > before[name]) return name;
  return "";
}

}  // namespace

TEST_CASE("three instances alike have a third each") {
  Balance world({"a", "b", "c"});
  for (int count = 0; count < 3000; ++count) CHECK(world.get()->ok());
  for (auto& [name, instance] : world.instances) CHECK(instance->calls == doctest::Approx(1000).epsilon(0.15));
}

TEST_CASE("one of three with 200 ms more has less than a tenth of the calls, and p90 stays within 1.5 times that of three well ones") {
  for (const bool by_room : {false, true})
    for (const int per_second : {20, 100, 400}) {
      CAPTURE(by_room);
      CAPTURE(per_second);
      const auto well = load(per_second, 0, by_room), slow = load(per_second, 200, by_room);
      CHECK(well.slow_share == doctest::Approx(0.333).epsilon(0.4));
      CHECK(slow.slow_share < 0.1);
      CHECK(static_cast<double>(slow.p90.count()) < 1.5 * static_cast<double>(well.p90.count()));
    }
}

TEST_CASE("an instance that was slow has its share again some seconds after it is no more") {
  Balance world({"a", "b"});
  world["a"].takes = [] { return milliseconds(5); };
  world["b"].takes = [] { return milliseconds(205); };
  const auto run = [&](int ms) {
    for (; ms > 0; ms -= 10) {
      world.get();
      world.pass(10);
    }
  };
  run(5000);
  world["b"].takes = [] { return milliseconds(5); };
  run(15000);
  const auto a = world["a"].calls, b = world["b"].calls;
  run(5000);
  CHECK(world["b"].calls - b == doctest::Approx(world["a"].calls - a).epsilon(0.25));
}

TEST_CASE("calls of a room go to the same instance, and of another only those whose instance left go elsewhere") {
  Balance world({"a", "b", "c"});
  world.options.affinity = [](const Call& call) { return call.path.at(0).second; };
  std::map<std::string, std::string> owners;
  std::map<std::string, int> rooms;
  for (int room = 0; room < 90; ++room) {
    const auto name = std::to_string(room);
    owners[name] = room_owner(world, name);
    ++rooms[owners[name]];
    CHECK(room_owner(world, name) == owners[name]);
  }
  for (const char* name : {"a", "b", "c"}) CHECK(rooms[name] > 15);
  world.discovery->directory.replace("chat", {"a", "c"});
  for (const auto& [room, owner] : owners)
    if (owner != "b") CHECK(room_owner(world, room) == owner);
    else CHECK(room_owner(world, room) != "b");
}

TEST_CASE("what a call is about is the parameter behind the beginning of its path") {
  const auto about = affinity_after({"/rooms/", "/internal/rooms/"});
  Call call;
  call.path = {{"user", "u"}, {"id", "general"}};
  for (const auto& [route, key] : std::vector<std::pair<std::string, std::string>>{{"GET /rooms/{id}", "general"},
                                                                                   {"PUT /rooms/{id}/members/{user}", "general"},
                                                                                   {"POST /internal/rooms/{id}/send", "general"},
                                                                                   {"GET /rooms", ""},
                                                                                   {"GET /rooms/discover", ""},
                                                                                   {"GET /users/{user}", ""},
                                                                                   {"GET /rooms/{other}", ""},
                                                                                   {"", ""}}) {
    call.route = route;
    CHECK_MESSAGE(about(call) == key, route);
  }
}

TEST_CASE("a room whose instance is out is answered by another, and by its own again when it is back") {
  Balance world({"a", "b", "c"});
  world.with_checks();
  world.options.affinity = [](const Call& call) { return call.path.at(0).second; };
  const auto owner = room_owner(world, "general");
  world[owner].does = test::FakeInstance::Does::refuses;
  room_owner(world, "general");
  CHECK(room_owner(world, "general") != owner);
  world[owner].does = test::FakeInstance::Does::answers;
  world.pass(1000);
  CHECK(room_owner(world, "general") == owner);
}

TEST_CASE("an instance that hangs with nothing known of it takes few calls") {
  Balance world({"a", "b"});
  for (int count = 0; count < 10; ++count) {
    world.get();
    world.pass(10);
  }
  world.add("new");
  world["new"].does = test::FakeInstance::Does::hangs;
  world["a"].takes = world["b"].takes = [] { return milliseconds(10); };
  world.discovery->directory.replace("chat", {"a", "b", "new"});
  for (int count = 0; count < 400; ++count) {
    world.get();
    world.pass(5);
  }
  CHECK(world["new"].calls < 40);  // a tenth, and not one more after these
}
