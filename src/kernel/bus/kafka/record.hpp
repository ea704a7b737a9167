#pragma once
// An event as it comes out of a topic. For bus/kafka alone.
#include "bus/kafka/client.hpp"

namespace loggia::kafka {

struct Record {
  std::shared_ptr<Event> event;
  std::string producer, epoch;  // of its source, /loggia/PRODUCER/EPOCH; of a signal the epoch is the process that sent it
};

/// `topic` as we call it. Errc::malformed: it is none of ours, and says nothing to us.
Result<Record> record_of(const rd_kafka_message_t& message, const std::string& topic);

}  // namespace loggia::kafka
