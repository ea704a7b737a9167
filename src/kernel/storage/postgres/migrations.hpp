#pragma once
// Brings a module's schema up to date: the kernel's tables first, then the module's, each by its numbered steps, in one transaction and by one
// process at a time.
#include "storage/postgres/connection.hpp"

namespace loggia::postgres {

struct Part {
  std::string_view name;  // "kernel" or "module"
  std::vector<Migration> steps;
};

std::vector<Migration> kernel_migrations();

/// Steps that have not run, as "part 2: name"; an error where the schema is newer than this build, or a step's text differs from what ran.
Result<std::vector<std::string>> pending(Connection& connection, const std::string& schema, const std::vector<Part>& parts);
/// Runs them; `keep`: false tries them and leaves nothing. Throws Failure.
Result<bool> migrate(Connection& connection, const std::string& schema, const std::vector<Part>& parts, Time now, bool keep);

}  // namespace loggia::postgres
