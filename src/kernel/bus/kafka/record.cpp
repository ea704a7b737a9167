#include "bus/kafka/record.hpp"
#include "bus/event.hpp"

namespace loggia::kafka {

rd_kafka_resp_err_t produce(rd_kafka_t* producer, const std::string& name, const Event& event, void* opaque) {
  const auto envelope = to_cloud_event(event);
  auto* headers = rd_kafka_headers_new(1);
  rd_kafka_header_add(headers, "content-type", -1, "application/cloudevents+json", -1);
  // The record's time is when it is sent: a broker refuses one from the future, which an event's is after a clock that was wrong.
  const auto error =
      rd_kafka_producev(producer, RD_KAFKA_V_TOPIC(name.c_str()), RD_KAFKA_V_PARTITION(event.partition), RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
                        RD_KAFKA_V_KEY(event.key.data(), event.key.size()), RD_KAFKA_V_VALUE(const_cast<char*>(envelope.data()), envelope.size()),
                        RD_KAFKA_V_HEADERS(headers), RD_KAFKA_V_OPAQUE(opaque), RD_KAFKA_V_END);
  if (error != RD_KAFKA_RESP_ERR_NO_ERROR) rd_kafka_headers_destroy(headers);  // taken by the record else
  return error;
}

Result<Record> record_of(const rd_kafka_message_t& message, const std::string& topic) {
  if (!message.payload) return Error(Errc::malformed, "a record without a value");
  auto event = bus::from_cloud_event(std::string_view(static_cast<const char*>(message.payload), message.len));
  if (!event) return event.error();
  Record record;
  record.event = std::move(*event);
  record.event->topic = topic;
  record.event->partition = message.partition;
  const std::string_view source = record.event->source, before = "/loggia/";
  const auto slash = source.find('/', before.size());
  if (!source.starts_with(before) || slash == source.npos) return Error(Errc::malformed, "a source that is not /loggia/MODULE/EPOCH");
  record.producer = source.substr(before.size(), slash - before.size());
  record.epoch = source.substr(slash + 1);
  return record;
}

}  // namespace loggia::kafka
