#pragma once
// What stores of every kind take as text. Of what comes from outside, JSON brings UTF-8 that may hold U+0000, and a query or a cursor any bytes.
#include <string_view>

namespace loggia {

/// UTF-8 (RFC 3629) without U+0000: PostgreSQL takes nothing else, and what SQLite kept of it could never be moved there. Pure.
bool storable(std::string_view text);

}  // namespace loggia
