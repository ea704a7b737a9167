// A producer's log: sequences, memory and rows, what is rewritten, who follows, what is past its retention.
#include <array>
#include <atomic>
#include <functional>
#include <thread>
#include "bus/log_here.hpp"
#include "world.hpp"

namespace loggia {
namespace {

using test::World;

int partition(const std::string& key) { return partition_of(key, 4); }
std::vector<std::string> data_of(const std::vector<EventPtr>& events) {
  std::vector<std::string> out;
  for (const auto& event : events) out.push_back(*event->data);
  return out;
}
NewEvent referring(std::string key, std::string data, std::int64_t number) {
  auto made = World::event(std::move(key), std::move(data));
  made.reference = Uuid(Bytes16{7});
  made.reference_number = number;
  return made;
}
/// The producer keeps the texts itself, in a table of its own.
void keeps_texts(World& t) {
  t.log->resolve("messages", [](Query& query, const Uuid& reference, std::int64_t number) {
    CHECK(reference == Uuid(Bytes16{7}));
    auto rows = query.select("SELECT text FROM line WHERE number = ?1", number);
    return rows->next() ? rows->string(0) : std::string();
  });
}

}  // namespace

TEST_CASE("a sequence has no holes: what is rolled back takes none, and is told to nobody") {
  World t;
  test::Told followed;
  t.bus->follow("messages", std::ref(followed));
  t.subscribe_and_start();
  for (int at = 1; at <= 30; ++at) {
    const auto done = t.store->write_now([&](Transaction& transaction) -> Result<bool> {
      t.log->append(transaction, World::event("room", std::to_string(at)));
      if (at % 3 == 0) return Error(Errc::conflict, "refused");
      if (at % 7 == 0) throw std::runtime_error("planned");
      return true;
    });
    CHECK(done.has_value() == (at % 3 != 0 && at % 7 != 0));
  }
  t.until([&] { return t.caught_up(); });
  const auto events = t.bus->page("messages", "", partition("room"), 0, 100);
  REQUIRE(events.size() == 17);
  for (std::size_t at = 0; at < events.size(); ++at) CHECK(events[at]->sequence == static_cast<std::int64_t>(at) + 1);
  t.until([&] { return followed.size() == 17; });
  CHECK(followed.data() == data_of(events));
  CHECK(t.mail.done() == followed.data());
}

TEST_CASE("many writers at once: each partition's followers see sequence + 1, and so do its rows") {
  World t;
  std::array<std::atomic<std::int64_t>, 4> last{};
  std::atomic<bool> holes = false;
  t.bus->follow("messages", [&](const EventPtr& event) {
    auto& known = last[static_cast<std::size_t>(event->partition)];
    if (event->sequence != known + 1) holes = true;
    known = event->sequence;
  });
  REQUIRE(t.bus->start());
  std::vector<std::thread> writers;
  for (int writer = 0; writer < 8; ++writer)
    writers.emplace_back([&, writer] {
      for (int at = 0; at < 100; ++at)
        (void)t.store->write_now([&](Transaction& transaction) -> Result<bool> {
          for (int n = 0; n <= at % 3; ++n) t.log->append(transaction, World::event("key" + std::to_string((writer + n) % 16), "1"));
          return at % 5 != 0 ? Result<bool>(true) : Result<bool>(Error(Errc::conflict, "refused"));
        });
    });
  for (auto& writer : writers) writer.join();
  const auto heads = t.bus->topics().at(0).heads;
  t.until([&] {
    for (std::size_t at = 0; at < 4; ++at)
      if (last[at] < heads[at]) return false;
    return true;
  });
  CHECK_FALSE(holes);
  std::int64_t sum = 0;
  for (int at = 0; at < 4; ++at) {
    const auto rows = t.bus->page("messages", "", at, 0, 10000);
    CHECK(static_cast<std::int64_t>(rows.size()) == last[static_cast<std::size_t>(at)].load());
    for (std::size_t n = 0; n < rows.size(); ++n) CHECK(rows[n]->sequence == static_cast<std::int64_t>(n) + 1);
    sum += last[static_cast<std::size_t>(at)];
  }
  CHECK(sum > 1000);
}

TEST_CASE("who follows sees every event from start() on, in order, and the same that the rows have") {
  World t;
  test::Told followed;
  t.bus->follow("messages", std::ref(followed));
  t.append_many("room", 1, 3);
  REQUIRE(t.bus->start());
  t.append_many("room", 4, 3);
  t.append(World::event("room", "not this topic", "receipt.moved", "receipts"));
  t.until([&] { return followed.size() >= 3; });
  CHECK(followed.data() == std::vector<std::string>{"4", "5", "6"});
  const auto rows = t.bus->page("messages", "chat", partition("room"), 3, 100);
  REQUIRE(rows.size() == 3);
  for (std::size_t at = 0; at < 3; ++at) CHECK(to_cloud_event(*rows[at]) == to_cloud_event(*followed.events()[at]));
}

TEST_CASE("a page begins after a sequence and holds no more than was asked for") {
  World t;
  t.append_many("room", 1, 9);
  CHECK(data_of(t.bus->page("messages", "chat", partition("room"), 2, 3)) == std::vector<std::string>{"3", "4", "5"});
  CHECK(t.bus->page("messages", "chat", partition("room"), 9, 3).empty());
  CHECK(t.bus->page("messages", "nobody", partition("room"), 0, 3).empty());
  CHECK(t.bus->page("messages", "chat", 99, 0, 3).empty());
}

TEST_CASE("a group reads from memory what is there and from rows what is not, and sees the same") {
  World t;
  t.end();
  t.options.tail_bytes = 2000;  // a few events
  t.begin();
  t.bus->subscribe(t.mail.subscription("messages"));
  const auto before = t.append_many("room", 1, 150);
  REQUIRE(t.bus->start());
  const auto after = t.append_many("room", 151, 150);
  t.until([&] { return t.mail.done().size() == 300; });
  auto all = before;
  all.insert(all.end(), after.begin(), after.end());
  CHECK(t.mail.done() == all);
}

TEST_CASE("a signal reaches who follows, is no event of the log, and no group sees it") {
  World t;
  test::Told followed;
  t.bus->follow("messages", std::ref(followed));
  t.subscribe_and_start();
  t.bus->signal("rooms", "messages", "typing.started", "room", "{}", "");
  REQUIRE(followed.size() == 1);
  CHECK(followed.events()[0]->sequence == 0);
  CHECK(followed.events()[0]->type == "typing.started");
  CHECK(followed.events()[0]->partition == partition("room"));
  t.bus->signal("rooms", "nobody-follows", "typing.started", "room", "{}", "");
  CHECK(t.bus->page("messages", "", partition("room"), 0, 10).empty());
  t.append_many("room", 1, 1);
  t.until([&] { return t.caught_up(); });
  CHECK(t.mail.calls == 1);
}

TEST_CASE("data that the producer keeps itself is stored once, and resolved for who reads rows") {
  World t;
  keeps_texts(t);
  REQUIRE(t.store->write_now([&](Transaction& transaction) -> Result<bool> {
    transaction.execute("INSERT INTO line VALUES (1, 'one'), (2, 'two')");
    t.log->append(transaction, referring("room", "one", 1));
    t.log->append(transaction, referring("room", "", 2));  // not handed over: it is read from there
    return true;
  }));
  const auto stored_twice = [](Query& query) -> Result<bool> { return query.select("SELECT 1 FROM log_event WHERE data IS NOT NULL")->next(); };
  CHECK_FALSE(t.store->read_now(stored_twice).value());
  CHECK(data_of(t.bus->page("messages", "", partition("room"), 0, 10)) == std::vector<std::string>{"one", "two"});
  t.subscribe_and_start();
  t.until([&] { return t.mail.done().size() == 2; });
  CHECK(t.mail.done() == std::vector<std::string>{"one", "two"});
}

TEST_CASE("deleted is deleted: what the log has in memory is rewritten with the row, and not where the deletion is rolled back") {
  World t;
  keeps_texts(t);
  REQUIRE(t.store->write_now([&](Transaction& transaction) -> Result<bool> {
    transaction.execute("INSERT INTO line VALUES (1, 'secret'), (2, 'kept')");
    t.log->append(transaction, referring("room", "secret", 1));
    t.log->append(transaction, referring("room", "kept", 2));
    return true;
  }));
  const auto erase = [&](std::int64_t number, bool refuse) {
    return t.store->write_now([&, number, refuse](Transaction& transaction) -> Result<bool> {
      transaction.execute("UPDATE line SET text = 'gone' WHERE number = ?1", number);
      t.log->rewrite(transaction, "messages", "room", Uuid(Bytes16{7}), number, "gone");
      if (refuse) return Error(Errc::forbidden, "refused");
      return true;
    });
  };
  CHECK(erase(1, false));
  CHECK_FALSE(erase(2, true));
  t.subscribe_and_start();  // at the head: from memory
  t.until([&] { return t.mail.done().size() == 2; });
  CHECK(t.mail.done() == std::vector<std::string>{"gone", "kept"});
  CHECK(data_of(t.bus->page("messages", "", partition("room"), 0, 10)) == std::vector<std::string>{"gone", "kept"});
}

TEST_CASE("deleted is deleted: what another process rewrote is not taken from memory" * doctest::skip(!test::on_postgres())) {
  World t;
  keeps_texts(t);
  const auto other_bus = embedded_bus(t.options);
  const auto other = other_bus->open_log("chat", t.store, {World::topic("messages"), World::topic("receipts")});
  REQUIRE(t.store->write_now([&](Transaction& transaction) -> Result<bool> {
    transaction.execute("INSERT INTO line VALUES (1, 'secret'), (2, 'deletion')");
    t.log->append(transaction, referring("room", "secret", 1));
    return true;
  }));
  auto& here = dynamic_cast<bus::LogHere&>(*t.log);
  const auto read = [&] { return data_of(here.read("messages", partition("room"), 0, 10).value()); };
  CHECK(read() == std::vector<std::string>{"secret"});
  REQUIRE(t.store->write_now([&](Transaction& transaction) -> Result<bool> {
    transaction.execute("UPDATE line SET text = 'gone' WHERE number = 1");
    other->rewrite(transaction, "messages", "room", Uuid(Bytes16{7}), 1, "gone");
    other->append(transaction, referring("room", "deletion", 2));
    return true;
  }));
  REQUIRE(here.look_at_heads());  // as a relay does again and again
  CHECK(read() == std::vector<std::string>{"gone", "deletion"});
  t.append(World::event("room", "more"));
  CHECK(read() == std::vector<std::string>{"gone", "deletion", "more"});
  blocking(*t.shards, [&] { other_bus->stop(); });
}

TEST_CASE("events past their retention go; a group that was away longer begins at the oldest one, with a metric") {
  World t;
  t.subscribe_and_start();
  t.append_many("room", 1, 5);
  t.until([&] { return t.caught_up(); });
  t.end();
  t.begin();
  t.append_many("room", 6, 10);
  t.clock->advance(std::chrono::hours(25));
  t.append_many("room", 16, 3);
  REQUIRE(t.bus->start());  // without the groups: they are away
  const auto oldest = [&] { return t.bus->page("messages", "", partition("room"), 0, 1).at(0)->sequence; };
  t.in_time([&] { return oldest() == 16; });
  if (test::on_kafka()) test::delete_records(t.kafka.topic_prefix + "messages", partition("room"), 15);
  t.end();
  t.begin();
  t.subscribe_and_start();
  t.until([&] { return t.mail.done().size() == 8; });
  const auto done = t.mail.done();
  CHECK(std::vector<std::string>(done.begin() + 5, done.end()) == std::vector<std::string>{"16", "17", "18"});
  CHECK(t.counted("loggia_events_missed_total", "mail") == 10);
}

TEST_CASE("where nothing is left of what a group has missed, it goes on at the head") {
  World t;
  t.subscribe_and_start();
  t.append_many("room", 1, 5);
  t.until([&] { return t.caught_up(); });
  t.end();
  t.begin();
  t.append_many("room", 6, 10);
  t.end();
  REQUIRE(t.store->write_now([](Transaction& transaction) -> Result<std::int64_t> { return transaction.execute("DELETE FROM log_event"); }));
  t.begin();
  t.subscribe_and_start();
  if (!test::on_kafka()) {  // where only the next event tells it
    t.until([&] { return t.caught_up(); });
    CHECK(t.mail.done().size() == 5);
    CHECK(t.counted("loggia_events_missed_total", "mail") == 10);
  }
  t.append_many("room", 16, 1);
  t.until([&] { return t.mail.done().size() == 6; });
  CHECK(t.counted("loggia_events_missed_total", "mail") == 10);
}

TEST_CASE("answers that were kept for an Idempotency-Key go after a day") {
  World t;
  Caller caller;
  caller.subject = Uuid(Bytes16{1});
  const auto context = Context().as(caller).keyed("key");
  REQUIRE(t.store->write_now([&](Transaction& transaction) -> Result<bool> {
    Idempotency::keep(transaction, context, "request", "answer", t.clock->now());
    return true;
  }));
  REQUIRE(t.bus->start());
  t.clock->advance(std::chrono::hours(25));
  t.in_time(
      [&] { return t.store->read_now([](Query& query) -> Result<bool> { return !query.select("SELECT 1 FROM idempotency")->next(); }).value(); });
}

TEST_CASE("a log has one epoch for its life, and keeps its number of partitions") {
  World t;
  const auto epoch = t.log->epoch();
  CHECK(Uuid::parse(epoch));
  t.end();
  t.begin();
  CHECK(t.log->epoch() == epoch);
  t.end();
  t.options.partitions = 8;
  CHECK_THROWS_WITH(t.begin(), doctest::Contains("Set bus.partitions = 4"));
  t.bus.reset();
}

TEST_CASE("an event of a topic that the module has not declared is a mistake of the program") {
  World t;
  CHECK_FALSE(t.store->write_now([&](Transaction& transaction) -> Result<bool> {
    t.log->append(transaction, World::event("room", "1", "message.created", "undeclared"));
    return true;
  }));
}

}  // namespace loggia
