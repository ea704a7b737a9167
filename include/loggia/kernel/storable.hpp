#pragma once
// What stores of every kind take as text. Of what comes from outside, JSON brings UTF-8 that may hold U+0000, and a query or a cursor any bytes.
#include <string_view>
#include "loggia/kernel/error.hpp"

namespace loggia {

/// UTF-8 (RFC 3629) without U+0000: PostgreSQL takes nothing else, and what SQLite kept of it could never be moved there. Pure.
bool storable(std::string_view text);
/// Errc::invalid_request for the field at `pointer` whose text is not.
inline Error not_storable(std::string_view pointer) { return wrong_field(pointer, "is not valid Unicode, or holds U+0000"); }

}  // namespace loggia
