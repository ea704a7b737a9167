// Compiled in place of bus/kafka where librdkafka was not found.
#include <stdexcept>
#include "loggia/kernel/bus.hpp"

namespace loggia {

std::shared_ptr<Bus> kafka_bus(BusOptions, KafkaOptions) { throw std::logic_error("this build has no Kafka"); }
std::string kafka_library() { return std::string(); }
std::vector<FieldError> kafka_mistakes(const KafkaOptions&) { return {}; }

}  // namespace loggia
