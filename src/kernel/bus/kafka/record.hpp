#pragma once
// An event as it goes into a topic, and as it comes out of it. For bus/kafka alone.
#include "bus/kafka/client.hpp"

namespace loggia::kafka {

struct Record {
  std::shared_ptr<Event> event;
  std::string producer, epoch;  // of its source, /loggia/PRODUCER/EPOCH; of a signal the epoch is the process that sent it
};

/// Into its partition of the topic that Kafka calls `name`. `opaque` rides on it to its delivery report.
rd_kafka_resp_err_t produce(rd_kafka_t* producer, const std::string& name, const Event& event, void* opaque);

/// `topic` as we call it. Errc::malformed: it is none of ours, and says nothing to us.
Result<Record> record_of(const rd_kafka_message_t& message, const std::string& topic);

}  // namespace loggia::kafka
