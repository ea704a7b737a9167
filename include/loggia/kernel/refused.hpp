#pragma once
// An error as a part of a reply, where each of several answers in it may be one: as the problem document has it (contract, section 2).
#include <cstdint>
#include "loggia/kernel/contract.hpp"

namespace loggia {

BOOST_DESCRIBE_STRUCT(FieldError, (), (pointer, detail))

struct Refused {
  std::int32_t status = 0;
  std::string code, detail;
  std::optional<std::vector<FieldError>> errors;
  std::optional<std::int32_t> retry_after;  // seconds
};
BOOST_DESCRIBE_STRUCT(Refused, (), (status, code, detail, errors, retry_after))

Refused refused_of(const Error& error);
/// The same error again; a code that is not known is `internal`.
Error error_of(const Refused& refused);

}  // namespace loggia
