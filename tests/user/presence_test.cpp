#include "presence.hpp"
#include <doctest/doctest.h>
#include "loggia/user/module.hpp"
#include "wire.hpp"
#include "world.hpp"

using namespace loggia;
using namespace loggia::user;
using namespace loggia::user::testing;
using std::chrono::minutes;
using std::chrono::seconds;

TEST_CASE("a person has the best state of the leases that are not over") {
  World world;
  const auto ada = world.person("ada");
  const auto state = [&] { return world.me(ada)->presence; };
  CHECK(state() == "offline");
  world.lease(ada, "one", "away", seconds(60));
  CHECK(state() == "away");
  world.lease(ada, "two", "online", seconds(60));
  CHECK(state() == "online");
  world.lease(ada, "two", "offline", seconds(0));
  CHECK(state() == "away");
  world.kernel.clock->advance(seconds(60));
  CHECK(state() == "offline");
}

TEST_CASE("a lease is renewed by its instance alone, and none lasts for ever") {
  World world;
  const auto ada = world.person("ada");
  world.lease(ada, "one", "online", seconds(60));
  world.kernel.clock->advance(seconds(50));
  world.lease(ada, "one", "online", seconds(60));
  world.kernel.clock->advance(seconds(50));
  CHECK(world.me(ada)->presence == "online");
  world.lease(ada, "mad", "online", std::chrono::hours(1000));
  world.kernel.clock->advance(minutes(3));
  CHECK(world.me(ada)->presence == "offline");
}

TEST_CASE("last_seen is the newest sign of life, and is stored at most once a minute") {
  World world;
  const auto ada = world.person("ada");
  CHECK_FALSE(world.me(ada)->last_seen);
  int stored = 0;
  const auto begin = world.kernel.clock->now();
  for (int step = 0; step < 30; ++step) {  // ten minutes of renewals every 20 s
    world.lease(ada, "one", "online", seconds(60));
    CHECK(world.me(ada)->last_seen == world.kernel.clock->now());
    stored += static_cast<int>(world.parts->presence->due(world.kernel.clock->now()).size());
    world.kernel.clock->advance(seconds(20));
  }
  CHECK(stored == 10);
  world.lease(ada, "one", "offline", seconds(0));
  CHECK(world.me(ada)->last_seen == begin + minutes(10));
}

TEST_CASE("coming and going stores no more often") {
  World world;
  const auto ada = world.person("ada");
  std::size_t stored = 0;
  for (int second = 0; second < 120; ++second) {
    world.lease(ada, "one", second % 2 == 0 ? "online" : "offline", seconds(second % 2 == 0 ? 60 : 0));
    stored += world.parts->presence->due(world.kernel.clock->now()).size();
    world.kernel.clock->advance(seconds(1));
  }
  CHECK(stored == 2);
}

TEST_CASE("what is stored of last_seen outlives the process") {
  World world;
  const auto ada = world.person("ada");
  world.lease(ada, "one", "online", seconds(60));
  const auto seen = world.kernel.clock->now();
  REQUIRE(world.wait(store_last_seen(world.parts, Context())));
  world.parts->presence = std::make_shared<Presence>();  // as after a restart
  CHECK(world.me(ada)->last_seen == seen);
  CHECK(world.me(ada)->presence == "offline");
}

TEST_CASE("who hides their presence shows none and sees none; it stays visible to themselves") {
  World world;
  const auto ada = world.person("ada"), bob = world.person("bob");
  world.lease(ada, "one", "online", seconds(60));
  world.lease(bob, "one", "online", seconds(60));
  CHECK(world.see(world.as(bob), ada)->presence == "online");
  UpdateMe hide;
  hide.show_presence = false;
  REQUIRE(world.update(ada, hide));
  const auto seen = world.see(world.as(bob), ada).value();
  CHECK(seen.presence == "offline");
  CHECK_FALSE(seen.last_seen);
  const auto other = world.see(world.as(ada), bob).value();
  CHECK(other.presence == "offline");
  CHECK_FALSE(other.last_seen);
  CHECK(world.me(ada)->presence == "online");
  CHECK(world.see(world.as(ada), ada)->presence == "online");
}

TEST_CASE("a block hides presence in both directions") {
  World world;
  const auto ada = world.person("ada"), bob = world.person("bob"), carol = world.person("carol");
  for (const auto& one : {ada, bob, carol}) world.lease(one, "one", "online", seconds(60));
  REQUIRE(world.block(ada, bob));
  CHECK(world.see(world.as(bob), ada)->presence == "offline");
  CHECK(world.see(world.as(ada), bob)->presence == "offline");
  CHECK_FALSE(world.see(world.as(ada), bob)->last_seen);
  CHECK(world.see(world.as(carol), ada)->presence == "online");
}

TEST_CASE("the module follows what realtime signals, and nothing else of the topic") {
  test::FakeKernel kernel(module().keys);
  auto here = module().make(kernel.kernel);
  auto users = kernel.kernel.ports.get<Users>();
  CreateProfile create;
  create.id = kernel.kernel.ids->make<UserId>();
  create.username = "ada";
  REQUIRE(kernel.wait(kernel.kernel.ports.get<Directory>()->on(Context(), create)));
  const auto key = create.id.text();
  const auto until = to_rfc3339(kernel.clock->now() + seconds(60));
  const auto deliver = [&](const char* type, const std::string& data) {
    kernel.bus->deliver(test::FakeBus::event("user-status-updates", type, key, data));
  };
  const auto state = [&] { return kernel.wait(users->on(kernel.as(Uuid(create.id)), GetMe()))->presence; };
  deliver("status.changed", R"({"user_id":")" + key + R"(","status_text":"x"})");
  deliver("presence.changed", "{}");
  CHECK(state() == "offline");
  deliver("presence.changed", R"({"user_id":")" + key + R"(","instance":"i","state":"online","until":")" + until + R"(","later":1})");
  CHECK(state() == "online");
}
