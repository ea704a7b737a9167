#pragma once
// A producer, two consumers and a bus over stores in memory, on one loop and a clock that the test moves. The process can end and
// begin again over the same stores. With LOGGIA_TEST_BUS=kafka the bus is Kafka's, on the real broker LOGGIA_TEST_KAFKA: the same cases.
#include <doctest/doctest.h>
#include <cstdlib>
#include <mutex>
#include "support/fakes.hpp"
#include "support/memory_store.hpp"
#include "support/print.hpp"

namespace loggia::test {

inline std::vector<Migration> consumer_tables() {
  return {{1, "done", "CREATE TABLE done(number INTEGER PRIMARY KEY, topic TEXT, partition INTEGER, sequence INTEGER, key TEXT, data TEXT)"}};
}

/// A module that consumes: writes each event that it handles as a row. `verdict` may refuse an event, or throw.
struct Consumer {
  std::string name;
  std::shared_ptr<Database> store;
  std::function<Result<bool>(const Event&)> verdict = [](const Event&) -> Result<bool> { return true; };
  std::function<Result<bool>(const Event&)> applied = [](const Event&) -> Result<bool> { return true; };
  int calls = 0;

  Consumer(std::string name_, std::shared_ptr<Clock> clock) : name{name_}, store{memory_database(std::move(clock), consumer_tables(), name_)} {}

  static Async<Apply> handle(Consumer* self, Context, EventPtr event) {
    ++self->calls;
    auto fine = self->verdict(*event);
    if (!fine) co_return fine.error();
    Apply apply = [self, event](Transaction& transaction) -> Result<bool> {
      transaction.execute("INSERT INTO done(topic, partition, sequence, key, data) VALUES (?1, ?2, ?3, ?4, ?5)", event->topic, event->partition,
                          event->sequence, event->key, *event->data);
      return self->applied(*event);
    };
    co_return apply;
  }
  Subscription subscription(std::string topic, std::vector<std::string> types = std::vector<std::string>()) {
    Subscription made;
    made.topic = std::move(topic);
    made.group = name;
    made.store = store;
    made.types = std::move(types);
    made.handle = [this](Context context, EventPtr event) { return handle(this, std::move(context), std::move(event)); };
    return made;
  }
  /// The data of what was handled, in the order of the effects; of one key, or all.
  std::vector<std::string> done(const std::string& key = std::string()) const {
    return store
        ->read_now([&](Query& query) -> Result<std::vector<std::string>> {
          std::vector<std::string> out;
          auto rows = query.select("SELECT data FROM done WHERE ?1 = '' OR key = ?1 ORDER BY number", key);
          while (rows->next()) out.push_back(rows->string(0));
          return out;
        })
        .value();
  }
  std::int64_t dead_letters() const {
    return store
        ->read_now([](Query& query) -> Result<std::int64_t> {
          auto rows = query.select("SELECT count(*) FROM dead_letter");
          return rows->next() ? rows->integer(0) : -1;
        })
        .value();
  }
};

/// What a follower was told, on whichever thread.
class Told {
 public:
  void operator()(const EventPtr& event) {
    const std::lock_guard lock(mutex_);
    events_.push_back(event);
  }
  std::vector<EventPtr> events() const {
    const std::lock_guard lock(mutex_);
    return events_;
  }
  std::size_t size() const { return events().size(); }
  std::vector<std::string> data() const {
    std::vector<std::string> out;
    for (const auto& event : events()) out.push_back(*event->data);
    return out;
  }

 private:
  mutable std::mutex mutex_;
  std::vector<EventPtr> events_;
};

inline bool on_kafka() {
  const char* bus = std::getenv("LOGGIA_TEST_BUS");
  return bus && std::string_view(bus) == "kafka";
}
inline std::string broker() {
  const char* address = std::getenv("LOGGIA_TEST_KAFKA");
  return address ? address : "no broker: set LOGGIA_TEST_KAFKA";
}
/// Kafka's own retention: what is before `offset` goes. tests/bus/kafka_records.cpp.
void delete_records(const std::string& topic, int partition, std::int64_t offset);

struct World {
  std::shared_ptr<FakeClock> clock = std::make_shared<FakeClock>();
  std::shared_ptr<FakeRandom> random = std::make_shared<FakeRandom>();
  std::shared_ptr<InlineShards> shards = std::make_shared<InlineShards>(clock);
  std::shared_ptr<Ids> ids = std::make_shared<Ids>(*clock, *random);
  std::shared_ptr<Metrics> metrics = std::make_shared<Metrics>();
  std::shared_ptr<Database> store = memory_database(clock, {{1, "lines", "CREATE TABLE line(number INTEGER PRIMARY KEY, text TEXT)"}}, "chat");
  Consumer mail{"mail", clock}, search{"search", clock};
  BusOptions options;
  KafkaOptions kafka;
  std::shared_ptr<Bus> bus;
  std::shared_ptr<Log> log;

  World() {
    kafka.brokers = {broker()};
    Bytes16 bytes{};
    system_random()->fill(bytes.data(), bytes.size());
    kafka.topic_prefix = "test-" + Uuid(bytes).text() + ".";  // topics of its own
    options.partitions = 4;
    options.retention = std::chrono::hours(24);
    options.clock = clock;
    options.ids = ids;
    options.shards = shards;
    options.metrics = metrics.get();
    begin();
  }
  ~World() { end(); }

  static Topic topic(std::string_view name) {
    Topic made;
    made.name = name;
    return made;
  }
  /// The process begins: the bus with the producer's log; groups and start() are the test's.
  void begin() {
    bus = on_kafka() ? kafka_bus(options, kafka) : embedded_bus(options);
    log = bus->open_log("chat", store, {topic("messages"), topic("receipts")});
  }
  void end() {
    if (!bus) return;
    blocking(*shards, [this] { bus->stop(); });
    log.reset();
    bus.reset();
  }
  void subscribe_and_start() {
    bus->subscribe(mail.subscription("messages"));
    bus->subscribe(search.subscription("messages"));
    REQUIRE(bus->start());
  }

  static NewEvent event(std::string key, std::string data, std::string_view type = "message.created", std::string_view topic = "messages") {
    NewEvent made;
    made.topic = topic;
    made.type = type;
    made.key = std::move(key);
    made.data = std::move(data);
    return made;
  }
  void append(NewEvent event) {
    REQUIRE(store->write_now([&](Transaction& transaction) -> Result<bool> {
      log->append(transaction, std::move(event));
      return true;
    }));
  }
  /// `count` events "first", "first + 1" … of one key.
  std::vector<std::string> append_many(const std::string& key, int first, int count) {
    std::vector<std::string> data;
    for (int at = first; at < first + count; ++at) data.push_back(std::to_string(at));
    REQUIRE(store->write_now([&](Transaction& transaction) -> Result<bool> {
      for (const auto& one : data) log->append(transaction, event(key, one));
      return true;
    }));
    return data;
  }
  template <class F> void until(F done) { shards->run_until(std::move(done)); }
  /// The same, while time goes by: for what waits for a retry.
  template <class F> void in_time(F done) {
    shards->run_until([&] {
      if (done()) return true;
      shards->advance(milliseconds(50));
      return false;
    });
  }
  /// Of the groups alone.
  std::vector<TopicLag> lag() const {
    std::vector<TopicLag> out;
    for (auto& row : bus->lag())
      if (row.group != "kafka-relay") out.push_back(std::move(row));
    return out;
  }
  bool caught_up() {
    for (const auto& row : bus->lag())
      if (row.position < row.head) return false;
    return true;
  }
  std::uint64_t counted(const std::string& name, const std::string& group) {
    const Labels labels{{"group", group}, {"topic", "messages"}, {"producer", "chat"}};
    return metrics->counter(name, "", labels).value();
  }
};

}  // namespace loggia::test
