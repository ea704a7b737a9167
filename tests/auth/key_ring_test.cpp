#include "key_ring.hpp"
#include "loggia/kernel/json_value.hpp"
#include "world.hpp"

using namespace loggia;
using namespace loggia::auth;
using loggia::auth::testing::World;
using std::chrono::hours;
using std::chrono::minutes;

namespace {
const Time start = *parse_rfc3339("2026-01-31T12:00:00.000Z");
constexpr milliseconds lifetime = minutes(10);
KeyTimes key(const char* kid, Time first_use) { return {kid, first_use - hours(1), first_use}; }

void update(World& world) {
  const auto done = world.wait(Parts::maintain(world.parts, Context()));
  REQUIRE(done);
}
std::size_t published(const World& world) { return static_cast<std::size_t>(json::parse(world.parts->verifier->jwks())["keys"].size()); }
}  // namespace

TEST_CASE("the first key signs at once, since nobody can hold an older set") {
  const auto plan = plan_keys({}, start, lifetime);
  CHECK(plan.make_with_first_use == start);
  CHECK(plan.drop.empty());
}

TEST_CASE("a new key is published at least one token lifetime before its first use") {
  const std::vector<KeyTimes> keys{key("a", start)};
  CHECK_FALSE(plan_keys(keys, start + key_used_for - hours(2), lifetime).make_with_first_use);
  const auto now = start + key_used_for - minutes(59);
  const auto plan = plan_keys(keys, now, lifetime);
  REQUIRE(plan.make_with_first_use);
  CHECK(*plan.make_with_first_use >= now + lifetime);
  const auto late = start + key_used_for * 3;  // the server was off for long
  CHECK(*plan_keys(keys, late, hours(5)).make_with_first_use == late + hours(5));
}

TEST_CASE("an old key is published for 24 hours after its last use") {
  const std::vector<KeyTimes> keys{key("new", start + key_used_for), key("old", start)};
  CHECK(plan_keys(keys, start + key_used_for + hours(24) - milliseconds(1), lifetime).drop.empty());
  CHECK(plan_keys(keys, start + key_used_for + hours(24), lifetime).drop == std::vector<std::string>{"old"});
  CHECK(plan_keys(keys, start + key_used_for + hours(24), lifetime).make_with_first_use == std::nullopt);
}

TEST_CASE("keys survive a restart, and the set shows no private part") {
  World world;
  const auto tokens = world.register_as("ada").value();
  const auto before = world.parts->verifier->jwks();
  world.start();
  CHECK(world.parts->verifier->jwks() == before);
  CHECK(world.live(tokens));
  const auto key_shown = json::parse(before)["keys"][0];
  CHECK_FALSE(key_shown.contains("d"));
  CHECK(key_shown["alg"] == "ES256");
}

TEST_CASE("tokens stay good while the keys change") {
  World world;
  const auto first_kid = world.parts->keys->signing(world.kernel.clock->now()).kid();
  world.kernel.clock->advance(key_used_for - minutes(30));
  update(world);
  CHECK(published(world) == 2);
  CHECK(world.parts->keys->signing(world.kernel.clock->now()).kid() == first_kid);
  world.kernel.clock->advance(minutes(59));
  const auto tokens = world.register_as("ada").value();
  world.kernel.clock->advance(minutes(2));
  CHECK(world.parts->keys->signing(world.kernel.clock->now()).kid() != first_kid);
  CHECK(world.live(tokens));
  update(world);
  CHECK(published(world) == 2);
  world.kernel.clock->advance(hours(24));
  update(world);
  CHECK(published(world) == 1);
}
