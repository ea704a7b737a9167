// Consumer groups: each event has its effect once, in order, whatever stops on the way.
#include "world.hpp"

namespace loggia {

using test::Consumer;
using test::World;

TEST_CASE("an event that two groups consume reaches both") {
  World t;
  t.subscribe_and_start();
  t.append(World::event("room", R"({"text":"hi"})"));
  t.until([&] { return !t.mail.done().empty() && !t.search.done().empty(); });
  CHECK(t.mail.done() == std::vector<std::string>{R"({"text":"hi"})"});
  CHECK(t.search.done() == std::vector<std::string>{R"({"text":"hi"})"});
}

TEST_CASE("events of one key are handled in the order in which they were written") {
  World t;
  t.subscribe_and_start();
  std::vector<std::string> written;
  for (int at = 0; at < 40; ++at) {
    const auto part = t.append_many("room", at * 5, 5);
    written.insert(written.end(), part.begin(), part.end());
    t.shards->run();
  }
  t.until([&] { return t.mail.done().size() == 200; });
  CHECK(t.mail.done() == written);
}

TEST_CASE("a group that was away catches up in order, from the rows of the log") {
  World t;
  const auto one = t.append_many("one", 0, 300);
  const auto two = t.append_many("two", 1000, 300);
  t.end();  // what was in memory is gone
  t.begin();
  t.subscribe_and_start();
  t.until([&] { return t.mail.done().size() == 600; });
  CHECK(t.mail.done("one") == one);
  CHECK(t.mail.done("two") == two);
}

TEST_CASE("a position outlives the process: what was handled is not handled again") {
  World t;
  t.subscribe_and_start();
  t.append_many("room", 0, 10);
  t.until([&] { return t.caught_up(); });
  t.end();
  t.begin();
  const auto before = t.mail.calls;
  t.subscribe_and_start();
  t.append_many("room", 10, 5);
  t.until([&] { return t.mail.done().size() == 15; });
  CHECK(t.mail.calls == before + 5);
}

TEST_CASE("a crash between handling and recording repeats nothing that can be seen") {
  World t;
  // Handled, its rows written, and the transaction does not commit: as if the power went.
  int crashes = 3;
  t.mail.applied = [&](const Event& event) -> Result<bool> {
    if (event.sequence == 4 && crashes-- > 0) return Error(Errc::unavailable, "planned");
    return true;
  };
  t.subscribe_and_start();
  const auto written = t.append_many("room", 0, 8);
  t.until([&] { return crashes < 3; });
  t.end();  // and the process with it
  t.begin();
  t.subscribe_and_start();
  t.in_time([&] { return t.mail.done().size() >= 8 && t.caught_up(); });
  CHECK(t.mail.done() == written);
  CHECK(t.mail.calls > 8);
}

TEST_CASE("types that a group does not want move its position and nothing else") {
  World t;
  t.bus->subscribe(t.mail.subscription("messages", {"message.created"}));
  REQUIRE(t.bus->start());
  for (int at = 0; at < 6; ++at) t.append(World::event("room", std::to_string(at), at % 2 ? "message.edited" : "message.created"));
  t.until([&] { return t.caught_up(); });
  CHECK(t.mail.done() == std::vector<std::string>{"0", "2", "4"});
  CHECK(t.mail.calls == 3);
}

TEST_CASE("events without an effect cost no commit of their own: the position is stored a little later, or with the next effect") {
  World t;
  t.bus->subscribe(t.mail.subscription("messages", {"message.created"}));
  REQUIRE(t.bus->start());
  const auto stored = [&] {
    return t.mail.store
        ->read_now([](Query& query) -> Result<std::int64_t> {
          auto rows = query.select("SELECT sum(position) FROM log_position");
          return rows->next() ? rows->integer(0) : 0;
        })
        .value();
  };
  const auto edited = [&](int count) {
    for (int at = 0; at < count; ++at) t.append(World::event("room", std::to_string(at), "message.edited"));
    t.until([&] { return t.caught_up(); });
  };
  edited(6);
  CHECK(stored() == 0);
  t.in_time([&] { return stored() == 6; });
  edited(3);
  CHECK(stored() == 6);
  t.append(World::event("room", "one with an effect"));
  t.until([&] { return t.mail.done().size() == 1; });
  CHECK(stored() == 10);
}

TEST_CASE("a topic with two producers: each has a log and sequences of its own, and a group has a position in each") {
  World t;
  auto users = test::memory_database(t.clock, test::consumer_tables(), "user");
  auto other = t.bus->open_log("user", users, {World::topic("messages")});
  t.subscribe_and_start();
  t.append_many("room", 0, 3);
  REQUIRE(users->write_now([&](Transaction& transaction) -> Result<bool> {
    other->append(transaction, World::event("room", "u1"));
    other->append(transaction, World::event("room", "u2"));
    return true;
  }));
  t.until([&] { return t.mail.done().size() == 5; });
  const auto partition = partition_of("room", 4);
  const auto of_chat = t.bus->page("messages", "chat", partition, 0, 10), of_user = t.bus->page("messages", "user", partition, 0, 10);
  REQUIRE(of_chat.size() == 3);
  REQUIRE(of_user.size() == 2);
  CHECK(of_user[0]->sequence == 1);
  CHECK(of_chat[0]->source != of_user[0]->source);
  CHECK(t.lag().size() == 4);
  t.end();
}

TEST_CASE("replay sets a group back, and it sees the events again") {
  World t;
  t.subscribe_and_start();
  t.append_many("room", 1, 10);
  t.until([&] { return t.caught_up(); });
  CHECK(t.bus->replay("messages", "mail", 8, -1).value() == 3);
  t.until([&] { return t.mail.done().size() == 13; });
  auto done = t.mail.done();
  CHECK(std::vector<std::string>(done.begin() + 10, done.end()) == std::vector<std::string>{"8", "9", "10"});
  CHECK(t.search.done().size() == 10);
  CHECK(t.bus->replay("messages", "mail", 1, partition_of("room", 4)).value() == 10);
  t.until([&] { return t.mail.done().size() == 23; });
  CHECK(t.bus->replay("messages", "mail", 1, -1).value() == 10);  // and to where it was set before
  t.until([&] { return t.mail.done().size() == 33; });
  CHECK(t.counted("loggia_events_missed_total", "mail") == 0);
  CHECK(t.bus->replay("messages", "nobody", 1, -1).error().code == Errc::not_found);
}

TEST_CASE("a group that is set back while nothing runs begins there") {
  World t;
  t.subscribe_and_start();
  t.append_many("room", 1, 10);
  t.until([&] { return t.caught_up(); });
  t.end();
  t.begin();
  t.bus->subscribe(t.mail.subscription("messages"));
  CHECK(t.bus->replay("messages", "mail", 4, -1).value() == 7);  // the shell, beside no server
  t.end();
  t.begin();
  t.subscribe_and_start();
  t.until([&] { return t.mail.done().size() == 17; });
  CHECK(t.mail.done().at(10) == "4");
  CHECK(t.mail.done().back() == "10");
}

TEST_CASE("replay while the group is at work skips nothing") {
  World t;
  t.subscribe_and_start();
  t.append_many("room", 1, 20);
  t.until([&] { return t.mail.done().size() == 20; });
  bool once = true;
  // The position is set back between handling and recording: the commit is fenced, and begins where it was set.
  t.mail.verdict = [&](const Event& event) -> Result<bool> {
    if (event.sequence == 30 && std::exchange(once, false)) CHECK(t.bus->replay("messages", "mail", 1, -1));
    return true;
  };
  t.append_many("room", 21, 20);
  t.until([&] { return t.caught_up() && t.mail.done().size() >= 60; });
  auto done = t.mail.done();
  // What came before it in a transaction of its own was done; from the position that was set on, all of it again.
  REQUIRE(done.size() >= 60);
  REQUIRE(done.size() < 70);
  const auto again = done.size() - 40;
  for (std::size_t at = 0; at < again; ++at) CHECK(done[at] == std::to_string(at + 1));
  for (std::size_t at = again; at < done.size(); ++at) CHECK(done[at] == std::to_string(at - again + 1));
}

TEST_CASE("lag and heads tell how far each group is") {
  World t;
  t.mail.verdict = [](const Event& event) -> Result<bool> {
    return event.sequence < 3 ? Result<bool>(true) : Result<bool>(Error(Errc::unavailable, "planned"));
  };
  t.subscribe_and_start();
  t.append_many("room", 1, 5);
  t.until([&] { return t.search.done().size() == 5 && t.mail.done().size() == 2; });
  for (const auto& row : t.lag()) {
    CHECK(row.head == 5);
    CHECK(row.position == (row.group == "mail" ? 2 : 5));
  }
  const auto topics = t.bus->topics();
  REQUIRE(topics.size() == 2);
  CHECK(topics[0].topic == "messages");
  CHECK(topics[0].producer == "chat");
  CHECK(topics[0].heads[static_cast<std::size_t>(partition_of("room", 4))] == 5);
  // The store has the position a moment before the pump hears of it. Labels are sorted by name.
  const std::string lag = R"(loggia_group_lag_events{group="mail",producer="chat",topic="messages"} )";
  t.until([&] { return t.metrics->text().find(lag + "3\n") != std::string::npos; });
}

}  // namespace loggia
