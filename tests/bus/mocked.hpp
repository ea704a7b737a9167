#pragma once
// A cluster that says what a test wants, by librdkafka's mock of one; the world of the bus on it; and who follows in another process.
#include "world.hpp"
#ifdef LOGGIA_HAS_KAFKA
#include "bus/kafka/client.hpp"
#include "bus/kafka/follower.hpp"
#include "bus/kafka/record.hpp"
// after rdkafka.h
#include <librdkafka/rdkafka_mock.h>

namespace loggia::test {

inline constexpr std::int16_t produce = 0, fetch = 1, metadata = 3, join_group = 11, heartbeat = 12,
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
  Told told;

 private:
  Metrics metrics_;
  std::shared_ptr<kafka::Cluster> cluster_;
  std::unique_ptr<kafka::Follower> follower_;
};

/// The test's world on the mock.
struct Mocked : World {
  std::unique_ptr<MockCluster> cluster;
  Told told;
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

}  // namespace loggia::test
#endif
