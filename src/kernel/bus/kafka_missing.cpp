// Compiled in place of bus/kafka where librdkafka was not found.
#include <stdexcept>
#include "loggia/kernel/bus.hpp"

namespace loggia {

std::shared_ptr<Bus> kafka_bus(BusOptions, KafkaOptions) { throw std::logic_error(kafka_missing()); }
std::string kafka_missing() {
  return "this build has no Kafka transport. Install librdkafka-dev and build again, or set bus.transport = \"embedded\".";
}
std::vector<FieldError> kafka_mistakes(const KafkaOptions&) { return {}; }

}  // namespace loggia
