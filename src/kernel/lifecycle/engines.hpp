#pragma once
// From the configuration to the options of what may lie under a process. For lifecycle/ alone.
#include "loggia/kernel/bus.hpp"
#include "loggia/kernel/config.hpp"

namespace loggia {

KafkaOptions kafka_options(const Config& config);

}  // namespace loggia
