// What a cluster answers when all is not well, by librdkafka's mock of one: nothing is lost, doubled or out of order, whatever it says.
#include "mocked.hpp"
#ifdef LOGGIA_HAS_KAFKA

namespace loggia {
using namespace test;

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
