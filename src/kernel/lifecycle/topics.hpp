#pragma once
// `loggia topics list|tail|lag|replay`, as commands of the process.
#include "loggia/kernel/module.hpp"

namespace loggia {
void add_topic_commands(Kernel& kernel);
}  // namespace loggia
