#include "presence.hpp"
#include "world.hpp"

namespace loggia::realtime::test {
using namespace std::chrono_literals;

namespace {

PresenceChanged lease(const UserId& user, const std::string& instance, const std::string& state, Time until) {
  PresenceChanged out;
  out.user_id = user;
  out.instance = instance;
  out.state = state;
  out.until = until;
  return out;
}
std::vector<std::string> states(const Client& client, const UserId& about) {
  std::vector<std::string> out;
  for (const auto& one : client.pushed("presence"))
    if (one["data"]["user_id"] == about.text()) out.push_back(one["data"]["state"].get<std::string>());
  return out;
}
using States = std::vector<std::string>;

}  // namespace

TEST_CASE("a user has the best state of the leases that are not over") {
  World world;
  const auto p = world.user("p");
  const auto now = world.now();
  Leases leases;
  CHECK(leases.state(p, now) == "offline");
  CHECK(leases.apply(lease(p, "one", "away", now + 60s), now));
  CHECK(leases.apply(lease(p, "two", "online", now + 30s), now));
  CHECK(leases.state(p, now) == "online");
  CHECK(!leases.apply(lease(p, "one", "away", now + 90s), now));
  CHECK(leases.state(p, now + 31s) == "away");
  CHECK(leases.expire(now + 31s) == std::vector<UserId>{p});
  CHECK(leases.expire(now + 32s).empty());
  CHECK(leases.apply(lease(p, "one", "offline", now + 33s), now + 33s));
  CHECK(leases.state(p, now + 33s) == "offline");
}

TEST_CASE("of a user's connections at all instances the oldest are too many, and each instance closes its own of them") {
  World world;
  const auto p = world.user("p");
  const auto now = world.now();
  Connections connections;
  for (int at = 0; at < 6; ++at) {
    Connection one;
    one.number = static_cast<std::uint64_t>(at);
    one.opened = now + milliseconds(at);
    connections.open(p, one);
  }
  std::vector<Opened> elsewhere;
  for (int at = 0; at < 14; ++at) elsewhere.emplace_back(now + 1s, "other");
  CHECK(connections.displaced(p, "own", elsewhere).empty());  // twenty
  for (int at = 0; at < 2; ++at) elsewhere.emplace_back(now - 1s, "other");
  CHECK(connections.displaced(p, "own", elsewhere).empty());  // the others are older: theirs go
  elsewhere.emplace_back(now + 1s, "other");
  elsewhere.emplace_back(now + 2s, "other");
  const auto gone = connections.displaced(p, "own", elsewhere);
  REQUIRE(gone.size() == 2);
  CHECK(gone[0].number == 0);
  CHECK(gone[1].number == 1);
  CHECK(connections.of(p)->size() == 4);
}

TEST_CASE("once another instance has been heard of, leases say how many connections there are") {
  World world;
  const auto p = world.user("p"), q = world.user("q");
  auto a = world.online(p, 0);
  CHECK(world.signals.back().find("\"opened\"") == std::string::npos);
  auto from_other = lease(q, "other", "online", world.now() + 60s);
  world.bus("user-status-updates", "presence.changed", q.text(), encode(from_other));
  auto b = world.online(p, 1);
  REQUIRE(world.signals.size() == 2);
  CHECK(world.signals.back().find("\"opened\":[") != std::string::npos);
  // Nineteen of the same person there, all younger: the older one here is too many.
  auto many = lease(p, "other", "online", world.now() + 60s);
  many.opened.emplace(19, world.now() + 1s);
  world.bus("user-status-updates", "presence.changed", p.text(), encode(many));
  world.run();
  CHECK(a->code == 4029);
  CHECK(b->code == 0);
}

TEST_CASE("a lease is signalled when the state changes, renewed every 20 s, and ended with the last connection") {
  World world;
  const auto p = world.user("p");
  auto a = world.online(p, 0), b = world.online(p, 1);
  REQUIRE(world.signals.size() == 1);
  CHECK(world.signals[0].find("\"state\":\"online\"") != std::string::npos);
  CHECK(world.signals[0].find("\"until\":\"2026-01-31T12:01:00.000Z\"") != std::string::npos);
  a->ask("presence", {{"state", "away"}});
  CHECK(world.signals.size() == 1);
  b->ask("presence", {{"state", "away"}});
  REQUIRE(world.signals.size() == 2);
  CHECK(world.signals[1].find("\"state\":\"away\"") != std::string::npos);
  world.advance(21s);
  CHECK(world.signals.size() == 3);
  a->cut();
  CHECK(world.signals.size() == 3);
  b->cut();
  REQUIRE(world.signals.size() == 4);
  CHECK(world.signals[3].find("\"state\":\"offline\"") != std::string::npos);
  world.advance(60s);
  CHECK(world.signals.size() == 4);
}

TEST_CASE("presence goes to those who share a room") {
  World world;
  const auto p = world.user("p"), q = world.user("q"), stranger = world.user("s");
  world.room({p, q}, "direct");
  auto a = world.online(p, 0), other = world.online(stranger, 1);
  auto b = world.online(q, 1);
  CHECK(states(*a, q) == States{"online"});
  CHECK(states(*b, q).empty());
  b->ask("presence", {{"state", "away"}});
  CHECK(states(*a, q) == States{"online", "away"});
  b->cut();
  CHECK(states(*a, q) == States{"online", "away", "offline"});
  CHECK(a->pushed("presence").back()["data"]["last_seen"].is_string());
  CHECK(other->pushed("presence").empty());
}

TEST_CASE("a lease of a dead instance runs out, and its user is offline") {
  World world;
  const auto p = world.user("p"), q = world.user("q");
  world.room({p, q}, "direct");
  auto a = world.online(p);
  world.bus("user-status-updates", "presence.changed", q.text(), encode(lease(q, "elsewhere", "online", world.now() + 60s)));
  world.run();
  CHECK(states(*a, q) == States{"online"});
  for (int second = 0; second < 62; ++second) {
    world.advance(1s);
    a->pong();
  }
  CHECK(states(*a, q) == States{"online", "offline"});
}

TEST_CASE("who hides their presence shows none and sees none, and blocks hide both") {
  World world;
  const auto p = world.user("p"), q = world.user("q"), r = world.user("r");
  world.room({p, q, r});
  SUBCASE("hidden from the start") {
    world.hides_presence.insert(q);
    auto a = world.online(p, 0), b = world.online(q, 1), c = world.online(r, 1);
    CHECK(states(*a, q).empty());
    CHECK(b->pushed("presence").empty());
    CHECK(states(*a, r) == States{"online"});
  }
  SUBCASE("hidden now: it looks as if they had gone") {
    auto a = world.online(p, 0), b = world.online(q, 1);
    world.hides_presence.insert(q);
    world.bus("user-events", "user.changed", q.text(), json({{"user_id", q.text()}, {"show_presence", false}}).dump());
    world.run();
    CHECK(states(*a, q) == States{"online", "offline"});
    auto c = world.online(r, 0);
    CHECK(b->pushed("presence").empty());
  }
  SUBCASE("blocked") {
    world.blocks.emplace_back(p, q);
    auto a = world.online(p, 0), b = world.online(q, 1), c = world.online(r, 1);
    CHECK(states(*a, q).empty());
    CHECK(states(*a, r) == States{"online"});
    CHECK(states(*b, r) == States{"online"});
  }
}

TEST_CASE("typing goes to the other members, at most once a second") {
  World world;
  const auto p = world.user("p"), q = world.user("q");
  const auto room = world.room({p, q});
  auto a = world.online(p, 0), b = world.online(q, 1), second = world.online(q, 0);
  b->ask("typing", {{"room", room.text()}});
  b->ask("typing", {{"room", room.text()}});
  REQUIRE(a->pushed("typing").size() == 1);
  CHECK(a->pushed("typing")[0]["room"] == room.text());
  CHECK(a->pushed("typing")[0]["data"]["user_id"] == q.text());
  CHECK(b->pushed("typing").empty());
  CHECK(second->pushed("typing").empty());
  world.advance(1001ms);
  CHECK(a->pushed("typing").size() == 1);
  b->ask("typing", {{"room", room.text()}});
  CHECK(a->pushed("typing").size() == 2);
}

TEST_CASE("a receipt goes to the members, and to the reader's own connections with what is unread") {
  World world;
  const auto p = world.user("p"), q = world.user("q");
  const auto room = world.room({p, q});
  auto a = world.online(p, 0), b = world.online(q, 1), second = world.online(q, 0);
  world.post(room, p);
  world.run();
  b->ask("read", {{"room", room.text()}, {"seq", 3}});
  REQUIRE(a->pushed("receipt").size() == 1);
  CHECK(a->pushed("receipt")[0]["data"] == json({{"user_id", q.text()}, {"seq", 3}}));
  for (const auto& mine : {b, second}) {
    REQUIRE(mine->pushed("receipt").size() == 1);
    CHECK(mine->pushed("receipt")[0]["data"] == json({{"user_id", q.text()}, {"seq", 3}, {"unread", 0}, {"mentions", 0}}));
  }
}

TEST_CASE("of many receipts in a second the first is sent, and the last after it") {
  World world;
  const auto p = world.user("p"), q = world.user("q");
  const auto room = world.room({p, q});
  auto a = world.online(p, 0), b = world.online(q, 1);
  for (std::int64_t seq = 3; seq <= 9; ++seq) world.moved(room, q, seq);
  world.run();
  REQUIRE(a->pushed("receipt").size() == 1);
  world.advance(900ms);
  CHECK(a->pushed("receipt").size() == 1);
  world.advance(400ms);
  REQUIRE(a->pushed("receipt").size() == 2);
  CHECK(a->pushed("receipt")[1]["data"]["seq"] == 9);
  CHECK(b->pushed("receipt").size() == 2);
  world.advance(3s);
  CHECK(a->pushed("receipt").size() == 2);
}

TEST_CASE("show_receipts off hides receipts in both directions, but not from one's own devices") {
  World world;
  const auto p = world.user("p"), q = world.user("q");
  const auto room = world.room({p, q});
  world.hides_receipts.insert(q);
  auto a = world.online(p, 0), b = world.online(q, 1);
  world.moved(room, q, 2);
  world.moved(room, p, 2);
  world.run();
  CHECK(a->pushed("receipt").size() == 1);
  REQUIRE(b->pushed("receipt").size() == 1);
  CHECK(b->pushed("receipt")[0]["data"]["user_id"] == q.text());
}

TEST_CASE("in a room over 100 a receipt goes only to the reader's own connections") {
  World world;
  const auto p = world.user("p"), q = world.user("q");
  std::vector<UserId> members{p, q};
  for (int n = 0; n < 98; ++n) members.push_back(world.user("m"));
  const auto room = world.room(members);
  world.run();
  auto a = world.online(p, 0), b = world.online(q, 1);
  world.moved(room, q, 5);
  world.run();
  CHECK(a->pushed("receipt").size() == 1);
  world.join(room, world.user("one more"));
  world.advance(2s);
  world.moved(room, q, 6);
  world.run();
  CHECK(a->pushed("receipt").size() == 1);
  CHECK(b->pushed("receipt").size() == 2);
}

}  // namespace loggia::realtime::test
