// What the tests do to a real Kafka beside the bus.
#include "world.hpp"
#ifdef LOGGIA_HAS_KAFKA
#include "bus/kafka/client.hpp"
#endif

namespace loggia::test {

#ifdef LOGGIA_HAS_KAFKA
void delete_records(const std::string& topic, int partition, std::int64_t offset) {
  KafkaOptions options;
  options.brokers = {broker()};
  kafka::Health health(options);
  kafka::Owner owner(&health);
  const auto admin = kafka::client(RD_KAFKA_PRODUCER, kafka::configuration(options, owner, {}));
  auto list = kafka::partition_list(1);
  rd_kafka_topic_partition_list_add(list.get(), topic.c_str(), partition)->offset = offset;
  auto* wanted = rd_kafka_DeleteRecords_new(list.get());
  const kafka::Owned<rd_kafka_queue_t> queue(rd_kafka_queue_new(admin.get()));
  rd_kafka_DeleteRecords(admin.get(), &wanted, 1, nullptr, queue.get());
  const kafka::Owned<rd_kafka_event_t> event(rd_kafka_queue_poll(queue.get(), 20000));
  rd_kafka_DeleteRecords_destroy(wanted);
  REQUIRE(event);
  REQUIRE(rd_kafka_event_error(event.get()) == RD_KAFKA_RESP_ERR_NO_ERROR);
}
void limit_records(const std::string& topic, std::size_t bytes) {
  KafkaOptions options;
  options.brokers = {broker()};
  kafka::Health health(options);
  kafka::Owner owner(&health);
  const auto admin = kafka::client(RD_KAFKA_PRODUCER, kafka::configuration(options, owner, {}));
  auto* wanted = rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, topic.c_str());
  rd_kafka_ConfigResource_set_config(wanted, "max.message.bytes", std::to_string(bytes).c_str());
  const kafka::Owned<rd_kafka_queue_t> queue(rd_kafka_queue_new(admin.get()));
  rd_kafka_AlterConfigs(admin.get(), &wanted, 1, nullptr, queue.get());
  const kafka::Owned<rd_kafka_event_t> event(rd_kafka_queue_poll(queue.get(), 20000));
  rd_kafka_ConfigResource_destroy(wanted);
  REQUIRE(event);
  std::size_t count = 0;
  const auto** changed = rd_kafka_AlterConfigs_result_resources(rd_kafka_event_AlterConfigs_result(event.get()), &count);
  REQUIRE(count == 1);
  REQUIRE(rd_kafka_ConfigResource_error(changed[0]) == RD_KAFKA_RESP_ERR_NO_ERROR);
}
#else
void delete_records(const std::string&, int, std::int64_t) { FAIL("this build has no Kafka"); }
void limit_records(const std::string&, std::size_t) { FAIL("this build has no Kafka"); }
#endif

}  // namespace loggia::test
