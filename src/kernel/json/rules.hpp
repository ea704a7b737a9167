#pragma once
// What a rule says of a text and of a number.
#include "loggia/kernel/json.hpp"

namespace loggia {

void check_text(Decoder& decoder, const Rule& rule, const Place& place, std::string_view text);
void check_number(Decoder& decoder, const Rule& rule, const Place& place, std::int64_t number);

}  // namespace loggia
