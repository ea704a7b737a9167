#pragma once
// What a value of each kind looks like, whether it came from a file, a variable or a flag: always as text.
#include "loggia/kernel/config.hpp"

namespace loggia {

/// Nothing is wrong, or what a right value looks like.
std::optional<std::string> check_value(const ConfigKey& key, const std::string& text);
std::vector<std::string> split_list(std::string_view text);

}  // namespace loggia
