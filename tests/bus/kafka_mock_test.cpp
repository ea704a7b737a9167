// What a cluster answers when all is not well, by librdkafka's mock of one: nothing is lost, doubled or out of order, whatever it says.
#include "world.hpp"
#ifdef LOGGIA_HAS_KAFKA
#include "bus/kafka/client.hpp"
#include "bus/kafka/follower.hpp"
#include "bus/kafka/record.hpp"
// after rdkafka.h
#include <librdkafka/rdkafka_mock.h>

namespace loggia {
namespace {

constexpr std::int16_t produce = 0, fetch = 1, metadata = 3, join_group = 11, heartbeat = 12,
                       init_producer_id = 22;  // keys of the protocol's requests

/// One broker in this process, with the topics of the test's producer.
class MockCluster {
 public:
  explicit MockCluster(const std::string& prefix, int partitions = 4) {
    KafkaOptions options;
    options.brokers = {"127.0.0.1:1"};
    health_ = std::make_unique<kafka::Health>(options);
    owner_ = std::make_unique<kafka::Owner>(health_.get());
    client_ = kafka::client(RD_KAFKA_PRODUCER, kafka::configuration(options, *owner_, {}));
    cluster_ = rd_kafka_mock_cluster_new(client_.get(), 1);
    for (const char* topic : {"messages", "receipts"})
      REQUIRE(rd_kafka_mock_topic_create(cluster_, (prefix + topic).c_str(), partitions, 1) == RD_KAFKA_RESP_ERR_NO_ERROR);
  }
  ~MockCluster() { rd_kafka_mock_cluster_destroy(cluster_); }
  std::string address() const { return rd_kafka_mock_cluster_bootstraps(cluster_); }
  /// The next `count` requests of this kind are answered so.
  void answers(std::int16_t kind, rd_kafka_resp_err_t error, std::size_t count = 1) {
    for (std::size_t at = 0; at < count; ++at) rd_kafka_mock_push_request_errors(cluster_, kind, 1, error);
  }
  void answers_well(std::int16_t kind) { rd_kafka_mock_clear_request_errors(cluster_, kind); }
  /// As the relay of another process would have sent it.
  void has(const std::string& topic, const std::vector<EventPtr>& events) {
    KafkaOptions options;
    options.brokers = {address()};
    const auto producer = kafka::client(RD_KAFKA_PRODUCER, kafka::configuration(options, *owner_, {}));
    for (const auto& event : events) REQUIRE(kafka::produce(producer.get(), topic, *event, nullptr) == RD_KAFKA_RESP_ERR_NO_ERROR);
    REQUIRE(rd_kafka_flush(producer.get(), 10000) == RD_KAFKA_RESP_ERR_NO_ERROR);
  }
  /// Whether that topic is there.
  void has(const std::string& topic, bool yes) {
    rd_kafka_mock_topic_set_error(cluster_, topic.c_str(), yes ? RD_KAFKA_RESP_ERR_NO_ERROR : RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART);
  }
  /// It takes so long for each answer.
  void answers_after(milliseconds delay) { rd_kafka_mock_broker_set_rtt(cluster_, 1, static_cast<int>(delay.count())); }
  /// It accepts, and answers nothing for as long as a test takes.
  void hangs() { rd_kafka_mock_broker_set_rtt(cluster_, 1, 600000); }
  void away(bool yes) {
    if (yes) rd_kafka_mock_broker_set_down(cluster_, 1);
    else rd_kafka_mock_broker_set_up(cluster_, 1);
  }

 private:
  std::unique_ptr<kafka::Health> health_;
  std::unique_ptr<kafka::Owner> owner_;
  kafka::Owned<rd_kafka_t> client_;
  rd_kafka_mock_cluster_t* cluster_ = nullptr;
};

/// Who follows in another process on the same store: nobody tells it what is appended here, so Kafka does, or the log where Kafka is late.
class FollowsElsewhere {
 public:
  FollowsElsewhere(const KafkaOptions& kafka, const BusOptions& options, const std::shared_ptr<Log>& log,
                   std::vector<std::string> topics = {"messages"}) {
    cluster_ =
        std::make_shared<kafka::Cluster>(kafka, std::vector<std::string>{"messages", "receipts"}, options.partitions, options.retention, [] {});
    cluster_->on_missing([](const auto&) -> Result<bool> { return false; });
    kafka::Follower::Options made;
    made.name = kafka.topic_prefix + "elsewhere";
    made.topics = std::move(topics);
    made.partitions = options.partitions;
    made.clock = options.clock;
    made.tell = [this](const EventPtr& event) { told(event); };
    made.metrics = &metrics_;
    follower_ = std::make_unique<kafka::Follower>(cluster_, std::vector<std::shared_ptr<bus::LogView>>{std::static_pointer_cast<bus::LogHere>(log)},
                                                  std::move(made));
    REQUIRE(cluster_->start());
    follower_->start();
  }
  ~FollowsElsewhere() {
    follower_->stop();
    cluster_->stop();
  }
  std::uint64_t from_log() { return metrics_.counter("loggia_follower_from_log_total", "", {}).value(); }
  test::Told told;

 private:
  Metrics metrics_;
  std::shared_ptr<kafka::Cluster> cluster_;
  std::unique_ptr<kafka::Follower> follower_;
};

/// The test's world on the mock.
struct Mocked : test::World {
  std::unique_ptr<MockCluster> cluster;
  test::Told told;
  explicit Mocked(int partitions = 4) {
    end();
    cluster = std::make_unique<MockCluster>(kafka.topic_prefix, partitions);
    again();
  }
  ~Mocked() { end(); }
  void again() {
    kafka.brokers = {cluster->address()};
    bus = kafka_bus(options, kafka);
    log = bus->open_log("chat", store, {topic("messages"), topic("receipts")});
  }
  /// What its consumer counts.
  std::uint64_t of_group(const std::string& name, const std::string& group) {
    return metrics->counter(name, "", {{"group", kafka.topic_prefix + group}}).value();
  }
  void run() {
    bus->follow("messages", std::ref(told));
    bus->subscribe(mail.subscription("messages"));
    REQUIRE(bus->start());
  }
  const int partition = partition_of("room", 4);
  /// As if all had been brought to Kafka: what is there is the test's.
  void relays_nothing() const {
    REQUIRE(store->write_now([&](Transaction& transaction) -> Result<std::int64_t> {
      return transaction.execute("INSERT INTO log_relay(topic, partition, position) VALUES ('messages', ?1, 1000000)", partition);
    }));
  }
  /// Events of the log, from the first to the last of each pair.
  std::vector<EventPtr> numbered(const std::vector<std::pair<std::int64_t, std::int64_t>>& ranges) const {
    std::vector<EventPtr> out;
    for (const auto& [first, last] : ranges)
      for (auto& event : bus->page("messages", "chat", partition, first - 1, static_cast<std::size_t>(last - first + 1)))
        out.push_back(std::move(event));
    return out;
  }
  bool groups_caught_up() const {
    const auto rows = lag();
    return std::all_of(rows.begin(), rows.end(), [](const auto& row) { return row.position >= row.head; });
  }
  std::uint64_t begun_again() { return metrics->counter("loggia_relay_begun_again_total", "", {}).value(); }
  /// Everything that was appended has reached the group and who follows, once, in order.
  void all_arrived(const std::vector<std::string>& all) {
    until([&] { return mail.done().size() >= all.size() && told.size() >= all.size() && caught_up(); });
    CHECK(mail.done() == all);
    CHECK(told.data() == all);
  }
};

}  // namespace

TEST_SUITE_BEGIN("mock");

TEST_CASE("whatever a broker answers to what it is sent: retried or begun again, nothing lost, doubled or out of order") {
  const rd_kafka_resp_err_t errors[] = {
      RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS,
      RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS_AFTER_APPEND,
      RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT,
      RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION,
      RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE,
      RD_KAFKA_RESP_ERR_NETWORK_EXCEPTION,
      RD_KAFKA_RESP_ERR_BROKER_NOT_AVAILABLE,
      RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS,
      RD_KAFKA_RESP_ERR_KAFKA_STORAGE_ERROR,
      RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART,
      RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED,
      RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED,
      RD_KAFKA_RESP_ERR_POLICY_VIOLATION,
      RD_KAFKA_RESP_ERR_INVALID_RECORD,
      RD_KAFKA_RESP_ERR_INVALID_REQUIRED_ACKS,
      RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH,
      RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER,
      RD_KAFKA_RESP_ERR_UNKNOWN_PRODUCER_ID,
      RD_KAFKA_RESP_ERR_THROTTLING_QUOTA_EXCEEDED,
      RD_KAFKA_RESP_ERR_UNKNOWN,
  };
  Mocked t;
  t.run();
  auto all = t.append_many("room", 0, 10);
  t.all_arrived(all);
  int next = 10;
  for (const auto error : errors) {
    CAPTURE(kafka::words(error));
    t.cluster->answers(produce, error, 2);
    const auto more = t.append_many("room", next, 20);
    next += 20;
    all.insert(all.end(), more.begin(), more.end());
    t.all_arrived(all);
  }
  CHECK(t.bus->state().degraded == "");
}

TEST_CASE("what is acknowledged behind a record that was refused does not count: all of it goes again, in order") {
  Mocked t;
  t.kafka.options["batch.num.messages"] = "1";
  t.again();
  t.run();
  auto all = t.append_many("room", 0, 10);
  t.all_arrived(all);
  t.cluster->answers_after(milliseconds(50));
  // Several are on their way. A broker refuses those behind the first for the number that is missing; sent anew it would take them.
  t.cluster->answers(produce, RD_KAFKA_RESP_ERR_INVALID_RECORD);
  t.cluster->answers(produce, RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER, 4);
  const auto more = t.append_many("room", 10, 20);
  all.insert(all.end(), more.begin(), more.end());
  t.all_arrived(all);
}

TEST_CASE("a record that is refused at the very first of a client: what is behind it is not there before it") {
  Mocked t;
  t.kafka.options["batch.num.messages"] = "1";
  t.again();
  t.cluster->answers_after(milliseconds(50));
  t.cluster->answers(produce, RD_KAFKA_RESP_ERR_INVALID_RECORD);
  t.run();
  t.all_arrived(t.append_many("room", 0, 20));
}

TEST_CASE("an event that the client does not take holds its partition alone") {
  Mocked t;
  t.kafka.options["message.max.bytes"] = "4000";
  t.again();
  t.bus->subscribe(t.search.subscription("receipts"));
  t.run();
  t.append(test::World::event("room", std::string(5000, 'x')));
  t.append_many("room", 0, 20);
  std::vector<std::string> receipts;
  for (int at = 0; at < 10; ++at) {
    receipts.push_back(std::to_string(at));
    t.append(test::World::event("anybody", receipts.back(), "receipt.created", "receipts"));
    t.until([&] { return t.search.done() == receipts; });
  }
  CHECK(t.mail.done().empty());
  CHECK(t.begun_again() <= 1);
}

TEST_CASE("a log that cannot be read holds up no other") {
  Mocked t;
  t.cluster->away(true);
  t.options.tail_bytes = 0;  // all is read from rows
  auto closed = test::memory_database(t.clock, {}, "board");
  t.bus = kafka_bus(t.options, t.kafka);
  auto board = t.bus->open_log("board", closed, {t.topic("messages")});
  t.log = t.bus->open_log("chat", t.store, {t.topic("messages"), t.topic("receipts")});
  t.run();
  REQUIRE(closed->write_now([&](Transaction& transaction) -> Result<bool> {
    for (int at = 0; at < 100; ++at) board->append(transaction, test::World::event("key " + std::to_string(at), "not to be read"));
    return true;
  }));
  t.until([&] { return !t.bus->state().degraded.empty(); });
  closed->close();
  const auto all = t.append_many("room", 0, 20);
  t.cluster->away(false);
  t.until([&] { return t.mail.done() == all; });
  CHECK(t.begun_again() <= 1);
}

TEST_CASE("a cluster that goes away and comes back: what was appended meanwhile arrives, and the state says why it waits") {
  Mocked t;
  t.run();
  auto all = t.append_many("room", 0, 10);
  t.all_arrived(all);
  t.cluster->away(true);
  t.until([&] { return !t.bus->state().degraded.empty(); });
  const auto more = t.append_many("room", 10, 300);
  all.insert(all.end(), more.begin(), more.end());
  CHECK(t.bus->state().broker == "kafka");
  t.until([&] { return t.bus->state().degraded.find("300 events wait") != std::string::npos; });
  CHECK(t.mail.done().size() == 10);
  t.cluster->away(false);
  t.cluster->answers_well(join_group);
  t.all_arrived(all);
  t.until([&] { return t.bus->state().degraded.empty(); });
}

TEST_CASE("who follows in the process that appends hears it at once, and once, whatever Kafka does") {
  Mocked t;
  t.run();
  auto all = t.append_many("room", 0, 10);
  CHECK(t.told.data() == all);
  t.all_arrived(all);
  t.cluster->away(true);
  const auto more = t.append_many("room", 10, 50);
  all.insert(all.end(), more.begin(), more.end());
  CHECK(t.told.data() == all);
  t.cluster->away(false);
  t.all_arrived(all);
}

TEST_CASE("who follows elsewhere hears it by Kafka; what is in the log while the cluster is away too, and hears it once") {
  Mocked t;
  t.run();
  FollowsElsewhere elsewhere(t.kafka, t.options, t.log);
  auto all = t.append_many("room", 0, 10);
  t.until([&] { return elsewhere.told.size() == all.size(); });
  CHECK(elsewhere.told.data() == all);
  CHECK(elsewhere.from_log() == 0);
  t.cluster->away(true);
  const auto more = t.append_many("room", 10, 50);
  all.insert(all.end(), more.begin(), more.end());
  t.in_time([&] { return elsewhere.told.size() == all.size(); });
  CHECK(elsewhere.told.data() == all);
  CHECK(elsewhere.from_log() > 0);
  t.cluster->away(false);
  t.all_arrived(all);
  const auto last = t.append_many("room", 60, 10);
  all.insert(all.end(), last.begin(), last.end());
  t.in_time([&] { return elsewhere.told.size() == all.size(); });
  CHECK(elsewhere.told.data() == all);
}

TEST_CASE("while the broker says nothing to who asks where to begin, the log is read as ever") {
  Mocked t;
  t.run();
  auto all = t.append_many("room", 0, 1);
  t.until([&] { return t.caught_up(); });
  t.cluster->has(t.kafka.topic_prefix + "late", false);  // so it asks again and again
  FollowsElsewhere elsewhere(t.kafka, t.options, t.log, {"messages", "late"});
  const auto one_more = [&](int number) {
    const auto more = t.append_many("room", number, 1);
    all.insert(all.end(), more.begin(), more.end());
    t.in_time([&] { return elsewhere.told.size() + 1 == all.size(); });
  };
  one_more(1);
  CHECK(elsewhere.from_log() == 1);
  t.cluster->hangs();
  const auto began = std::chrono::steady_clock::now();
  for (int number = 2; number < 6; ++number) one_more(number);
  CHECK(std::chrono::steady_clock::now() - began < std::chrono::seconds(3));  // an answer is waited for as long as two, each time
  CHECK(elsewhere.told.data() == std::vector<std::string>(all.begin() + 1, all.end()));
}

TEST_CASE("who follows elsewhere goes on behind what neither Kafka nor the log has any more") {
  Mocked t;
  t.end();
  t.options.tail_bytes = 1;  // rows alone
  t.again();
  t.relays_nothing();
  t.run();
  FollowsElsewhere elsewhere(t.kafka, t.options, t.log);
  const auto all = t.append_many("room", 0, 30);
  REQUIRE(t.store->write_now([&](Transaction& transaction) -> Result<std::int64_t> {
    return transaction.execute("DELETE FROM log_event WHERE topic = 'messages' AND sequence <= 20");
  }));
  t.in_time([&] { return elsewhere.told.size() >= 10; });
  CHECK(elsewhere.told.data() == std::vector<std::string>(all.begin() + 20, all.end()));
}

TEST_CASE("a group that may not join yet, and a producer that gets no number yet, try on") {
  Mocked t;
  t.cluster->answers(init_producer_id, RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS, 2);
  t.cluster->answers(join_group, RD_KAFKA_RESP_ERR_COORDINATOR_NOT_AVAILABLE, 2);
  t.cluster->answers(fetch, RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION, 2);
  t.cluster->answers(metadata, RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE);
  t.run();
  t.all_arrived(t.append_many("room", 0, 30));
}

TEST_CASE("a group that may not read is told until it may, whatever else goes through") {
  Mocked t;
  t.cluster->answers(join_group, RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED, 1000);
  t.run();
  t.until([&] { return t.bus->state().degraded.find("does not permit") != std::string::npos; });
  const auto all = t.append_many("room", 0, 20);
  // Sent, acknowledged and heard by who follows: and still the group waits.
  t.until([&] { return t.told.size() == 20; });
  CHECK(t.mail.done().empty());
  CHECK(t.bus->state().degraded.find("does not permit") != std::string::npos);
  t.cluster->answers_well(join_group);
  t.all_arrived(all);
  t.until([&] { return t.bus->state().degraded.empty(); });
}

TEST_CASE("a group that was full when its partitions were given out anew goes on once it handles again") {
  Mocked t;
  std::atomic<bool> now{false};
  t.mail.verdict = [&](const Event&) -> Result<bool> { return now ? Result<bool>(true) : Result<bool>(Error(Errc::unavailable, "not now")); };
  t.bus->subscribe(t.mail.subscription("messages"));
  REQUIRE(t.bus->start());
  const auto all = t.append_many("room", 0, 3000);
  t.until([&] { return t.of_group("loggia_kafka_pauses_total", "mail") == 1; });
  CHECK(t.of_group("loggia_kafka_assignments_total", "mail") == 1);
  t.cluster->answers(heartbeat, RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID);
  t.until([&] { return t.of_group("loggia_kafka_assignments_total", "mail") == 2; });
  now = true;
  t.in_time([&] { return t.mail.done().size() >= all.size(); });
  CHECK(t.mail.done() == all);
}

TEST_CASE("a topic that was found late to have more partitions than the log is told, and its records beyond them are dropped") {
  Mocked t(8);
  t.append_many("room", 0, 1);
  std::vector<EventPtr> beyond;
  for (int partition = 4; partition < 8; ++partition) {
    auto event = std::make_shared<Event>(*t.bus->page("messages", "chat", t.partition, 0, 1).at(0));
    event->partition = partition;
    beyond.push_back(std::move(event));
  }
  t.cluster->away(true);
  t.run();
  t.cluster->away(false);
  t.until([&] { return t.bus->state().degraded.find("has 8 partitions") != std::string::npos; });
  t.cluster->has(t.kafka.topic_prefix + "messages", beyond);
  t.until([&] { return t.of_group("loggia_kafka_strange_records_total", "mail") == 4; });
  CHECK(t.mail.done().empty());
}

TEST_CASE("what Kafka has lost, and the log beside it has, reaches the group and who follows") {
  Mocked t;
  t.relays_nothing();
  t.run();
  FollowsElsewhere elsewhere(t.kafka, t.options, t.log);
  const auto all = t.append_many("room", 0, 300);
  t.cluster->has(t.kafka.topic_prefix + "messages", t.numbered({{1, 10}, {211, 220}, {222, 300}}));
  t.until([&] { return elsewhere.told.size() >= 10 && t.mail.done().size() >= 10; });
  t.in_time([&] { return elsewhere.told.size() >= all.size() && t.groups_caught_up(); });
  CHECK(elsewhere.told.data() == all);
  CHECK(elsewhere.from_log() > 0);
  CHECK(t.mail.done() == all);
  CHECK(t.counted("loggia_events_missed_total", "mail") == 0);
}

TEST_CASE("a topic that was filled again behind what came first: the group hears what lies only behind") {
  Mocked t;
  t.relays_nothing();
  const auto all = t.append_many("room", 0, 30);
  REQUIRE(t.mail.store->write_now([&](Transaction& transaction) -> Result<std::int64_t> {
    return transaction.execute("INSERT INTO log_position(topic, producer, partition, position) VALUES ('messages', 'chat', ?1, 15)", t.partition);
  }));
  t.cluster->has(t.kafka.topic_prefix + "messages", t.numbered({{21, 30}, {1, 30}}));
  t.run();
  t.until([&] { return t.groups_caught_up(); });
  CHECK(t.mail.done() == std::vector<std::string>(all.begin() + 15, all.end()));
  CHECK(t.counted("loggia_events_missed_total", "mail") == 0);
}

TEST_CASE("a process ends in its time while the broker says nothing") {
  Mocked t;
  t.bus->subscribe(t.mail.subscription("messages"));
  t.bus->subscribe(t.search.subscription("messages"));
  REQUIRE(t.bus->start());
  t.append_many("room", 0, 100);
  t.until([&] { return t.caught_up(); });
  t.cluster->hangs();
  const auto began = std::chrono::steady_clock::now();
  t.end();
  CHECK(std::chrono::steady_clock::now() - began < std::chrono::seconds(8));  // of the ten for a whole server
}

TEST_CASE("a process ends while records come") {
  Mocked t;
  std::vector<std::string> all;
  for (int turn = 0; turn < 3; ++turn) {
    t.run();
    const auto more = t.append_many("room", turn * 1000, 1000);
    all.insert(all.end(), more.begin(), more.end());
    t.until([&] { return t.mail.done().size() > static_cast<std::size_t>(turn) * 1000; });
    t.end();
    t.again();
  }
  t.run();
  t.until([&] { return t.mail.done().size() >= all.size(); });
  CHECK(t.mail.done() == all);
}

TEST_CASE("a position that another process has set back is found by who has the partition") {
  Mocked t;
  t.bus->subscribe(t.mail.subscription("messages"));
  REQUIRE(t.bus->start());
  const auto once = t.append_many("room", 0, 100);
  t.until([&] { return t.caught_up(); });
  REQUIRE(t.mail.store->write_now([&](Transaction& transaction) -> Result<std::int64_t> {
    return transaction.execute("UPDATE log_position SET position = 60 WHERE topic = 'messages' AND partition = ?1", t.partition);
  }));
  t.until([&] { return t.mail.done().size() >= 140; });
  auto all = once;
  all.insert(all.end(), once.begin() + 60, once.end());
  CHECK(t.mail.done() == all);
}

TEST_CASE("while one producer's event has to wait, the other's go on, up to a bound") {
  Mocked t;
  const auto users = test::memory_database(t.clock, {}, "user");
  const auto second = t.bus->open_log("user", users, {test::World::topic("messages")});
  std::atomic<bool> now{false};
  t.mail.verdict = [&](const Event& event) -> Result<bool> {
    return now || event.source.find("/chat/") == std::string::npos ? Result<bool>(true) : Result<bool>(Error(Errc::unavailable, "not now"));
  };
  t.run();
  t.append_many("room", 0, 1);
  t.until([&] { return t.mail.calls > 0; });
  REQUIRE(users->write_now([&](Transaction& transaction) -> Result<bool> {
    for (int at = 0; at < 12000; ++at) second->append(transaction, test::World::event("room", "u"));
    return true;
  }));
  const auto handled = [&] {
    return t.metrics->counter("loggia_events_handled_total", "", {{"group", "mail"}, {"topic", "messages"}, {"producer", "user"}}).value();
  };
  t.until([&] { return t.told.size() == 12001 && handled() >= 7999; });
  CHECK(handled() == 7999);  // and the one that waits: 8000 are open
  now = true;
  t.in_time([&] { return handled() == 12000; });
  CHECK(t.mail.done().size() == 12001);
}

TEST_SUITE_END();

}  // namespace loggia
#endif
