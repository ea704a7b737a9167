#pragma once
// What several processes answered to one command, as one answer.
#include <string>
#include <vector>
#include "loggia/kernel/result.hpp"

namespace loggia {

/// Of `topics.list` and `topics.lag` each line once, of `topics.tail` the newest of all events, of `topics.replay` what the process of the group
/// said. An error only where nobody has anything better. `answers` is not empty.
Result<std::string> join_answers(const std::string& command, const std::vector<std::string>& arguments, std::vector<Result<std::string>> answers);

}  // namespace loggia
