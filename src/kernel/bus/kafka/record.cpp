#include "bus/kafka/record.hpp"
#include "bus/event.hpp"

namespace loggia::kafka {

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
