#pragma once
// What rules say of a text, of a number, and in the schema of the member that they are about.
#include "loggia/kernel/json.hpp"

namespace loggia {

void check_text(Decoder& decoder, const Rule& rule, const Place& place, std::string_view text);
void check_number(Decoder& decoder, const Rule& rule, const Place& place, std::int64_t number);
json schema_of_member(const Shape& shape, const Member& member);

}  // namespace loggia
