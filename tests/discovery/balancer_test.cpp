// What becomes of calls when instances fail, by what a call allows.
#include <doctest/doctest.h>
#include "discovery/world.hpp"
#include "support/print.hpp"

using namespace loggia;
using test::Balance;
using Does = test::FakeInstance::Does;

TEST_CASE("a module without an instance is unavailable at once") {
  Balance world({});
  const auto sent = world.get();
  REQUIRE(sent->result);
  CHECK(sent->code() == Errc::unavailable);
}

TEST_CASE("a killed instance gets nothing more after the first failure, and no call fails, not even one that may not be sent twice") {
  Balance world({"a", "b", "c"});
  world.with_checks();
  world["b"].does = Does::refuses;
  for (int count = 0; count < 60; ++count) CHECK(world.post(false)->ok());
  CHECK(world["b"].calls == 1);
  CHECK_FALSE(world.healthy("b"));
  world.pass(60000);
  for (int count = 0; count < 60; ++count) CHECK(world.post(false)->ok());
  CHECK(world["b"].calls == 1);
  CHECK(world["b"].checks > 50);
}

TEST_CASE("an instance that something else could not reach is asked at once") {
  Balance world({"a", "b"});
  world.with_checks();
  world.get();
  const int before = world["b"].checks;
  world["b"].does = Does::refuses;
  world.made().suspect("b");
  world.made().suspect("nobody");
  world.pass(0);
  CHECK(world["b"].checks == before + 1);
  CHECK_FALSE(world.healthy("b"));
  CHECK(world["b"].calls <= 1);
}

TEST_CASE("an instance is back with its next good check") {
  Balance world({"a", "b"});
  world.with_checks();
  world["b"].does = Does::refuses;
  while (world["b"].calls == 0) world.get();
  world.pass(5000);
  CHECK_FALSE(world.healthy("b"));
  world["b"].does = Does::answers;
  world.pass(1000);
  CHECK(world.healthy("b"));
  for (int count = 0; count < 20; ++count) world.get();
  CHECK(world["b"].calls > 1);
}

TEST_CASE("without checks one call finds out, after 3 s, then twice that, at most after 30 s") {
  Balance world({"a", "b"});
  world["b"].does = Does::refuses;
  while (world["b"].calls == 0) world.get();
  for (const int wait : {3000, 6000, 12000, 24000, 30000, 30000}) {
    const int before = world["b"].calls;
    world.pass(wait - 1);
    for (int count = 0; count < 30; ++count) CHECK(world.get()->ok());
    CHECK(world["b"].calls == before);
    world.pass(1);
    for (int count = 0; count < 30; ++count) CHECK(world.get()->ok());
    CHECK(world["b"].calls == before + 1);
  }
  world["b"].does = Does::answers;
  world.pass(30000);
  while (!world.healthy("b")) world.get();
  for (int count = 0; count < 30; ++count) world.get();
  CHECK(world["b"].calls > 10);
}

TEST_CASE("one call at a time is on trial") {
  Balance world({"a", "b"});
  world["b"].does = Does::refuses;
  while (world["b"].calls == 0) world.get();
  world["b"].does = Does::answers;
  world["b"].takes = [] { return milliseconds(500); };
  world.pass(3000);
  std::vector<Balance::SentPtr> all;
  for (int count = 0; count < 50; ++count) all.push_back(world.get());
  CHECK(world["b"].most_under_way == 1);
  world.pass(1000);
  CHECK(std::all_of(all.begin(), all.end(), [](const auto& one) { return one->ok(); }));
}

TEST_CASE("an instance that hangs is out with its first check, and calls that may be sent again go to another") {
  Balance world({"a", "b"});
  world.with_checks();
  for (int count = 0; count < 10; ++count) world.get();
  world["b"].does = Does::hangs;
  std::vector<Balance::SentPtr> repeatable, others;
  const auto before = world["b"].calls;
  for (int count = 0; count < 10; ++count) {
    repeatable.push_back(world.get());
    repeatable.push_back(world.post(true));
    others.push_back(world.post(false));
  }
  CHECK(world["b"].calls > before);
  world.pass(2100);
  CHECK_FALSE(world.healthy("b"));
  for (const auto& one : repeatable) CHECK(one->ok());
  const auto stopped = world["b"].calls;
  for (int count = 0; count < 30; ++count) CHECK(world.post(false)->ok());
  CHECK(world["b"].calls == stopped);
  world.pass(10000);
  for (const auto& one : others) REQUIRE(one->result);
  CHECK(std::any_of(others.begin(), others.end(), [](const auto& one) { return !one->ok(); }));
  for (const auto& one : others)
    if (!one->ok()) CHECK(one->code() == Errc::timeout);
  CHECK(world["b"].under_way == 0);
}

TEST_CASE("an instance that leaves the list gives up what may be sent again, and keeps what may not") {
  Balance world({"a", "b"});
  world["a"].takes = world["b"].takes = [] { return milliseconds(5000); };
  std::vector<Balance::SentPtr> repeatable, others;
  for (int count = 0; count < 6; ++count) {
    repeatable.push_back(world.post(true));
    others.push_back(world.post(false));
  }
  world["a"].takes = [] { return milliseconds(10); };
  world.discovery->directory.replace("chat", {"a"});
  world.pass(20);
  CHECK(std::any_of(repeatable.begin(), repeatable.end(), [](const auto& one) { return one->ok(); }));
  CHECK(world.made().state().size() == 1);
  std::weak_ptr<test::FakeInstance> gone = world.instances["b"];
  world.instances.erase("b");
  CHECK_FALSE(gone.expired());  // its calls go on
  world.pass(5000);
  for (const auto& one : repeatable) CHECK(one->ok());
  for (const auto& one : others) CHECK(one->ok());
  CHECK(gone.expired());
}

TEST_CASE("a call that got no answer is sent again where it may be, and only there") {
  Balance world({"a", "b"});
  world["a"].does = Does::loses;
  auto sent = world.post(false);
  while (world["a"].calls == 0) sent = world.post(false);
  CHECK(sent->code() == Errc::outcome_unknown);
  CHECK(world["b"].calls + world["a"].calls < 20);
  Balance keyed({"a", "b"});
  keyed["a"].does = Does::loses;
  while (keyed["a"].calls == 0) CHECK(keyed.post(true)->ok());
  Balance read({"a", "b"});
  read["a"].does = Does::loses;
  while (read["a"].calls == 0) CHECK(read.get()->ok());
}

TEST_CASE("bytes are sent once: to another instance only while none of them was") {
  for (const auto does : {Does::refuses, Does::loses}) {
    Balance world({"a", "b"});
    world["a"].does = world["b"].does = does;
    Call call;
    call.route = "POST /rooms";
    call.keyed = true;
    call.bytes = bytes_of("x");
    const auto sent = world.begin(std::move(call), Context().until(world.clock->moment() + milliseconds(10000)).keyed("k"));
    REQUIRE(sent->result);
    CHECK(world["a"].calls + world["b"].calls == (does == Does::refuses ? 2 : 1));
    CHECK(sent->code() == (does == Does::refuses ? Errc::unavailable : Errc::outcome_unknown));
  }
}

TEST_CASE("a keyed call that may have happened is never told as one that did not") {
  Balance world({"a", "b"});
  world["a"].does = Does::loses;
  world["b"].does = Does::refuses;
  for (int count = 0; count < 20; ++count) {
    const auto before = world["a"].calls;
    const auto sent = world.post(true);
    REQUIRE(sent->result);
    CHECK(sent->code() == (world["a"].calls > before ? Errc::outcome_unknown : Errc::unavailable));
  }
}

TEST_CASE("a refusal by the second instance says nothing of what the first may have done") {
  Balance world({"a", "b"});
  world["a"].does = Does::loses;
  world["b"].answer = Error(Errc::forbidden, "no more");
  while (world["a"].calls == 0) {
    const auto sent = world.named();
    CHECK(sent->code() == (world["a"].calls > 0 ? Errc::outcome_unknown : Errc::forbidden));
  }
  Balance read({"a", "b"});
  read["a"].does = Does::loses;
  read["b"].answer = Error(Errc::forbidden, "no");
  while (read["a"].calls == 0) CHECK(read.get()->code() == Errc::forbidden);
}

TEST_CASE("what an instance answers is the answer: a refusal is not sent again") {
  Balance world({"a", "b"});
  for (const auto code : {Errc::conflict, Errc::not_found, Errc::forbidden, Errc::rate_limited, Errc::internal, Errc::insufficient_storage}) {
    world["a"].answer = world["b"].answer = Error(code, "no");
    const auto before = world["a"].calls + world["b"].calls;
    CHECK(world.get()->code() == code);
    CHECK(world["a"].calls + world["b"].calls == before + 1);
  }
}

TEST_CASE("an instance that always fails is out after five in a row; where all fail alike none is") {
  Balance world({"a", "b"});
  world["a"].answer = Error(Errc::internal, "broken");
  for (int count = 0; count < 100; ++count) world.get();
  CHECK(world["a"].calls == 5);
  CHECK_FALSE(world.healthy("a"));
  world["b"].answer = Error(Errc::internal, "broken");
  for (int count = 0; count < 100; ++count) world.get();
  CHECK(world.healthy("b"));
}

TEST_CASE("an instance that is well to a check and bad to calls waits for its time") {
  Balance world({"a", "b"});
  world.with_checks();
  world["a"].answer = Error(Errc::internal, "broken");
  for (int count = 0; count < 100; ++count) world.get();
  world.pass(2500);
  CHECK_FALSE(world.healthy("a"));
  world.pass(1600);
  CHECK(world.healthy("a"));
}

TEST_CASE("where all are out the least bad is tried, not nobody") {
  Balance world({"a", "b"});
  world.with_checks();
  world["a"].does = world["b"].does = Does::refuses;
  CHECK(world.get()->code() == Errc::unavailable);
  CHECK_FALSE(world.healthy("a"));
  CHECK_FALSE(world.healthy("b"));
  world["a"].does = world["b"].does = Does::answers;  // no check has seen it yet
  CHECK(world.get()->ok());
}

TEST_CASE("a call is sent three times at most, and never after its deadline") {
  Balance world({"a", "b", "c", "d", "e"});
  for (auto& [name, instance] : world.instances) instance->does = Does::loses;
  CHECK(world.get()->code() == Errc::unavailable);
  int calls = 0;
  for (auto& [name, instance] : world.instances) calls += instance->calls;
  CHECK(calls == 3);
  Balance slow({"a", "b"});
  slow["a"].does = slow["b"].does = Does::loses;
  slow["a"].takes = slow["b"].takes = [] { return milliseconds(999); };
  const auto sent = slow.get(milliseconds(1000));
  slow.pass(1000);
  REQUIRE(sent->result);
  CHECK(sent->took() <= milliseconds(1000));
  for (const auto& one : slow["a"].seen) CHECK(one.deadline() == slow["b"].seen.at(0).deadline());
}

TEST_CASE("a list of which most is dead costs no call: who was not reached is passed by, and takes nothing of the budget") {
  for (const bool repeatable : {true, false}) {
    Balance world({"a", "b", "c", "d", "e", "f"});
    world.options.retries_per_call = world.options.retries_per_second = world.options.retries_at_once = 0;
    for (auto& [name, instance] : world.instances) instance->does = name == "f" ? Does::answers : Does::refuses;
    CHECK((repeatable ? world.get() : world.post(false))->ok());
    world["f"].does = Does::refuses;  // none is left that may be well: each call tries one
    CHECK(world.get()->code() == Errc::unavailable);
    int calls = 0;
    for (auto& [name, instance] : world.instances) calls += instance->calls;
    CHECK(world.get()->code() == Errc::unavailable);
    for (auto& [name, instance] : world.instances) calls -= instance->calls;
    CHECK(calls == -1);
  }
}

TEST_CASE("an instance that is starting or stopping costs no call, not even one that may not be sent twice, and is used when a check finds it well") {
  Balance world({"a", "b"});
  world.with_checks();
  world.options.retries_per_call = world.options.retries_per_second = world.options.retries_at_once = 0;
  world["b"].does = Does::turns_away;
  for (int count = 0; count < 30; ++count) CHECK(world.post(false)->ok());
  CHECK(world["b"].calls == 1);
  CHECK_FALSE(world.healthy("b"));
  world.pass(5000);
  for (int count = 0; count < 30; ++count) CHECK(world.get()->ok());
  CHECK(world["b"].calls == 1);
  world["b"].does = Does::answers;
  world.pass(1000);
  for (int count = 0; count < 30; ++count) CHECK(world.post(false)->ok());
  CHECK(world["b"].calls > 1);
}

TEST_CASE("a request with a name that makes it count once may be sent again without a key") {
  Balance world({"a", "b"});
  world["a"].does = Does::loses;
  while (world["a"].calls == 0) CHECK(world.named()->ok());
}

TEST_CASE("retries are a fifth of the calls when all goes wrong, beside what was saved up") {
  Balance world({"a", "b"});
  world.options.failures_max = 1000000;
  world["a"].answer = world["b"].answer = Error(Errc::unavailable, "full");
  for (int count = 0; count < 200; ++count) world.get();
  const auto before = world["a"].calls + world["b"].calls;
  for (int count = 0; count < 1000; ++count) world.get();
  CHECK(world["a"].calls + world["b"].calls - before == doctest::Approx(1200).epsilon(0.01));
}

TEST_CASE("what a keyed call's instance says late is not waited for, nor lost: the caller has one answer, and nothing is left over") {
  Balance world({"a", "b"});
  world.options.hedge_after = milliseconds(100);
  world["a"].takes = world["b"].takes = [] { return milliseconds(1000); };
  const auto sent = world.get();
  world.pass(99);
  CHECK(world["a"].calls + world["b"].calls == 1);
  world.pass(1);
  CHECK(world["a"].calls + world["b"].calls == 2);
  world.pass(900);
  CHECK(sent->ok());
  CHECK(sent->took() == milliseconds(1000));
  const auto keyed = world.post(true);
  world.pass(500);
  CHECK(world["a"].calls + world["b"].calls == 3);
  world.pass(1000);
  CHECK(keyed->ok());
  for (const auto& one : world.made().state()) CHECK(one.in_flight == 0);
}

TEST_CASE("hedging is off where nobody asked for it") {
  Balance world({"a", "b"});
  world["a"].takes = world["b"].takes = [] { return milliseconds(5000); };
  const auto sent = world.get();
  world.pass(6000);
  CHECK(sent->ok());
  CHECK(world["a"].calls + world["b"].calls == 1);
}

TEST_CASE("a stop ends what is under way: a change may have happened, a read did not, and no instance is blamed") {
  Balance world({"a"});
  world["a"].takes = [] { return milliseconds(5000); };
  const auto keyed = world.post(true), read = world.get();
  world.pass(10);
  test::blocking(*world.shards, [&] { world.made().stop(); });
  world.shards->run();
  REQUIRE(keyed->result);
  REQUIRE(read->result);
  CHECK(keyed->code() == Errc::outcome_unknown);
  CHECK(read->code() == Errc::unavailable);
  CHECK(world.healthy("a"));
}

TEST_CASE("the numbers: calls by result, ejections, retries, instances") {
  Balance world({"a", "b"});
  world["b"].does = Does::refuses;
  while (world["b"].calls == 0) world.get();
  const auto text = world.metrics->text();
  CHECK(text.find("loggia_calls_total{instance=\"b\",module=\"chat\",result=\"unavailable\"} 1") != std::string::npos);
  CHECK(text.find("loggia_instance_ejections_total{instance=\"b\",module=\"chat\"} 1") != std::string::npos);
  CHECK(text.find("loggia_call_retries_total{module=\"chat\"} 1") != std::string::npos);
  CHECK(text.find("loggia_instances{module=\"chat\"} 2") != std::string::npos);
  CHECK(text.find("loggia_instances_healthy{module=\"chat\"} 1") != std::string::npos);
}
