#pragma once
// What several processes answered to one command, as one answer.
#include <string>
#include <vector>
#include "loggia/kernel/result.hpp"

namespace loggia {

/// Of `topics.list` and `topics.lag` each line once, of `topics.tail` the newest of all events, of `topics.replay` what the process of the group
/// said, of `instances` each instance once, module by module. An error only where nobody has anything better. `answers` is not empty.
Result<std::string> join_answers(const std::string& command, const std::vector<std::string>& arguments, std::vector<Result<std::string>> answers);

/// Of what `instances` answers: the process knows no instance of some module. Another one may.
bool lacks_instances(const std::string& table);

}  // namespace loggia
