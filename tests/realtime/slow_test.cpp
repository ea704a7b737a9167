#include "outbox.hpp"
#include "world.hpp"

namespace loggia::realtime::test {
using namespace std::chrono_literals;
using Numbers = std::vector<std::int64_t>;

namespace {

Options small_queue() {
  Options options;
  options.queue_bytes = 200000;
  return options;
}
Numbers run_of(std::int64_t from, std::int64_t to) {
  Numbers out;
  for (auto at = from; at <= to; ++at) out.push_back(at);
  return out;
}

}  // namespace

TEST_CASE("a slow reader costs nobody else anything, is fed from the log as it reads, and loses nothing") {
  World world(small_queue());
  const auto p = world.user("p"), q = world.user("q");
  const auto room = world.room({p, q}), other = world.room({p, q});
  auto slow = world.online(q), quick = world.online(p);
  slow->stalled = true;
  for (int n = 0; n < 500; ++n) {
    world.post(room, p, std::string(2000, 'x'));
    world.run();
    if (n % 100 == 0) world.post(other, p);
  }
  world.run();
  CHECK(quick->seqs(room) == run_of(3, 502));
  CHECK(slow->queued() < 100000);
  CHECK(world.hub->numbers.drops.value() > 0);
  for (int turn = 0; turn < 200; ++turn) {
    slow->take();
    world.run();
  }
  CHECK(slow->seqs(room) == run_of(3, 502));
  CHECK(slow->seqs(other) == run_of(3, 7));
  world.post(room, p);
  world.run();
  slow->take();
  world.run();
  CHECK(slow->seqs(room).back() == 503);
  CHECK(slow->code == 0);
}

TEST_CASE("without progress for 15 s a slow reader is closed with 4008") {
  World world(small_queue());
  const auto p = world.user("p");
  const auto room = world.room({p});
  auto slow = world.online(p), slower = world.online(p);
  slow->stalled = slower->stalled = true;
  for (int n = 0; n < 40; ++n) world.post(room, p, std::string(2000, 'x')), world.run();
  for (int second = 0; second < 20; ++second) {
    world.advance(1s);
    slow->take(2500);
  }
  CHECK(slow->code == 0);
  CHECK(slower->code == 4008);
  CHECK(world.hub->numbers.closed.at(4008)->value() == 1);
}

TEST_CASE("what waits for a room that is lost is dropped") {
  World world;
  const auto p = world.user("p"), q = world.user("q");
  const auto room = world.room({p, q}), other = world.room({p, q});
  auto slow = world.online(q);
  slow->stalled = true;
  for (int n = 0; n < 50; ++n) world.post(other, p, std::string(2000, 'x')), world.run();
  world.post(room, p, "secret");
  world.run();
  world.remove(room, q);
  world.post(other, p);
  world.run();
  for (int turn = 0; turn < 20; ++turn) {
    slow->take();
    world.run();
  }
  CHECK(slow->seqs(room).empty());
  CHECK(slow->pushed("room.removed").size() == 1);
  CHECK(slow->seqs(other) == run_of(3, 53));
}

TEST_CASE("answers are not dropped with the queue") {
  World world(small_queue());
  const auto p = world.user("p");
  const auto room = world.room({p});
  auto slow = world.online(p);
  slow->stalled = true;
  for (int n = 0; n < 60; ++n) world.post(room, p, std::string(2000, 'x')), world.run();
  slow->say(R"({"id":77,"op":"ping"})");
  for (int n = 0; n < 200; ++n) world.post(room, p, std::string(2000, 'x')), world.run();
  for (int turn = 0; turn < 100; ++turn) {
    slow->take();
    world.run();
  }
  CHECK(slow->answer(77).contains("ok"));
  CHECK(slow->seqs(room) == run_of(2, 261));
}

TEST_CASE("replay.done comes after the replay also where the queue was dropped between them") {
  World world(small_queue());
  const auto p = world.user("p"), q = world.user("q");
  const auto room = world.room({p, q}), other = world.room({p, q});
  for (int n = 0; n < 40; ++n) world.post(room, q, std::string(2000, 'x'));
  world.run();
  auto slow = world.connect();
  slow->stalled = true;
  slow->say(json({{"id", 1}, {"op", "hello"}, {"token", p.text()}, {"resume", {{"epoch", "e1"}, {"rooms", {{room.text(), 2}}}}}}).dump());
  for (int n = 0; n < 200; ++n) world.post(other, q, std::string(2000, 'x')), world.run();
  for (int turn = 0; turn < 100; ++turn) {
    slow->take();
    world.run();
  }
  CHECK(slow->seqs(room) == run_of(3, 42));
  CHECK(slow->seqs(other) == run_of(3, 202));
  REQUIRE(slow->pushed("replay.done").size() == 1);
  std::size_t done = 0, last = 0;
  for (std::size_t at = 0; at < slow->frames.size(); ++at) {
    const auto& frame = slow->frames[at];
    if (frame.contains("ev") && frame["ev"] == "replay.done") done = at;
    if (frame.contains("seq") && frame["room"] == room.text()) last = at;
  }
  CHECK(last < done);
}

TEST_CASE("typing is dropped for a slow reader, and of presence the newest is kept") {
  World world;
  const auto p = world.user("p"), q = world.user("q");
  const auto room = world.room({p, q}, "direct");
  auto slow = world.online(q, 1), other = world.online(p, 0);
  slow->stalled = true;
  for (int n = 0; n < 60; ++n) world.post(room, p, std::string(2000, 'x')), world.run();
  const auto before = slow->pushed("presence").size();
  other->ask("typing", {{"room", room.text()}});
  other->ask("presence", {{"state", "away"}});
  other->ask("presence", {{"state", "online"}});
  other->ask("presence", {{"state", "away"}});
  for (int turn = 0; turn < 20; ++turn) {
    slow->take();
    world.run();
  }
  CHECK(slow->pushed("typing").empty());
  REQUIRE(slow->pushed("presence").size() == before + 1);
  CHECK(slow->pushed("presence").back()["data"]["state"] == "away");
}

}  // namespace loggia::realtime::test
