// What cannot be handled: not now, or never.
#include "support/full_disk.hpp"
#include "world.hpp"

namespace loggia {

using test::World;

TEST_CASE("an event that a handler refuses is tried five times, set aside with its reason, and the group goes on") {
  World t;
  std::vector<Moment> tries;
  const auto refuse = [&](const Event& event) -> Result<bool> {
    if (*event.data != "2") return true;
    tries.push_back(t.clock->moment());
    return Error(Errc::invalid_request, "no such user");
  };
  SUBCASE("by what it returns") { t.mail.verdict = refuse; }
  SUBCASE("by throwing") {
    t.mail.verdict = [&](const Event& event) -> Result<bool> {
      if (auto fine = refuse(event); !fine) throw std::runtime_error(fine.error().detail);
      return true;
    };
  }
  SUBCASE("by what it would write") { t.mail.applied = refuse; }
  t.subscribe_and_start();
  t.append_many("room", 1, 4);
  t.in_time([&] { return t.mail.done().size() == 3 && t.search.done().size() == 4; });
  CHECK(t.mail.done() == std::vector<std::string>{"1", "3", "4"});
  CHECK(t.search.done().size() == 4);
  // A batch that did not go is tried again one by one; that is no further try of the event's own.
  CHECK(tries.size() >= 5);
  CHECK(tries.size() <= 6);
  CHECK(t.mail.dead_letters() == 1);
  CHECK(t.counted("loggia_events_set_aside_total", "mail") == 1);
  CHECK(t.counted("loggia_events_retried_total", "mail") == 4);
  for (const auto& row : t.lag()) CHECK(row.dead_letters == (row.group == "mail" ? 1u : 0u));
  t.mail.store
      ->read_now([](Query& query) -> Result<bool> {
        auto rows = query.select("SELECT reason, event, sequence FROM dead_letter");
        REQUIRE(rows->next());
        CHECK(rows->string(0) == "no such user");
        CHECK(rows->string(1).find(R"("type":"message.created")") != std::string::npos);
        CHECK(rows->integer(2) == 2);
        return true;
      })
      .value();
}

TEST_CASE("an event that cannot be handled now is tried again without end, later and later up to 30 s, and holds its partition alone") {
  World t;
  std::vector<Moment> tries;
  bool away = true;
  t.mail.verdict = [&](const Event& event) -> Result<bool> {
    if (*event.data != "1" || !away) return true;
    tries.push_back(t.clock->moment());
    return Error(Errc::unavailable, "the mail server is away");
  };
  t.subscribe_and_start();
  std::string other = "other";
  while (partition_of(other, 4) == partition_of("room", 4)) other += "x";
  t.append_many("room", 1, 3);
  t.append_many(other, 7, 2);
  t.in_time([&] { return tries.size() == 15; });
  CHECK(t.mail.done() == std::vector<std::string>{"7", "8"});
  CHECK(tries[1] - tries[0] <= milliseconds(150));
  CHECK(tries[14] - tries[13] >= milliseconds(30000));
  CHECK(tries[14] - tries[13] <= milliseconds(30100));
  CHECK(t.mail.dead_letters() == 0);
  away = false;
  t.in_time([&] { return t.mail.done("room").size() == 3; });
  CHECK(t.mail.done("room") == std::vector<std::string>{"1", "2", "3"});
}

TEST_CASE("a consumer whose storage refuses writes waits, and goes on when it has room") {
  World t;
  t.mail.applied = [](const Event&) -> Result<bool> { return true; };
  t.subscribe_and_start();
  test::FullDisk disk(*t.mail.store, 1);
  t.append(World::event("room", '"' + std::string(300000, 'x') + '"'));
  t.until([&] { return t.counted("loggia_events_retried_total", "mail") >= 1; });
  CHECK(t.mail.done().empty());
  disk.make_room();
  t.in_time([&] { return t.mail.done().size() == 1; });
  CHECK(t.mail.dead_letters() == 0);
}

TEST_CASE("what was set aside is handled when it is replayed, also when the log has it no more") {
  World t;
  bool refuses = true;
  t.mail.verdict = [&](const Event& event) -> Result<bool> {
    if (refuses && event.sequence == 1) return Error(Errc::invalid_request, "not yet");
    return true;
  };
  t.subscribe_and_start();
  t.append(World::event("room", R"({"text":"a \"data\":1 b"})"));
  t.append(World::event("room", R"({"text":"second"})"));
  t.in_time([&] { return t.mail.dead_letters() == 1 && t.caught_up(); });
  CHECK(t.mail.done().size() == 1);
  SUBCASE("the log has it") {}
  SUBCASE("the log has it no more") {
    REQUIRE(t.store->write_now([](Transaction& transaction) -> Result<std::int64_t> { return transaction.execute("DELETE FROM log_event"); }));
  }
  CHECK(t.bus->replay_dead_letters("messages", "mail").value() == 1);
  t.until([&] { return t.mail.calls == 7; });
  CHECK(t.mail.dead_letters() == 1);  // refused again: it stays
  refuses = false;
  CHECK(t.bus->replay_dead_letters("messages", "mail").value() == 1);
  t.until([&] { return t.mail.dead_letters() == 0; });
  CHECK(t.mail.done().back() == R"({"text":"a \"data\":1 b"})");
  CHECK(t.bus->replay_dead_letters("messages", "mail").value() == 0);
}

TEST_CASE("stopping while an event waits for its retry is quick, and forgets nothing") {
  World t;
  t.mail.verdict = [](const Event&) -> Result<bool> { return Error(Errc::unavailable, "planned"); };
  t.subscribe_and_start();
  t.append_many("room", 1, 2);
  t.until([&] { return t.counted("loggia_events_retried_total", "mail") >= 1; });
  t.end();
  t.begin();
  t.mail.verdict = [](const Event&) -> Result<bool> { return true; };
  t.subscribe_and_start();
  t.until([&] { return t.mail.done().size() == 2; });
}

}  // namespace loggia
