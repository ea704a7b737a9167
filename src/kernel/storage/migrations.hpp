#pragma once
// Brings a database's schema up to date: the kernel's tables first, then the module's, each by its numbered steps.
#include "storage/connection.hpp"

namespace loggia::sqlite {

struct Part {
  std::string_view name;  // "kernel" or "module"
  std::vector<Migration> steps;
};

std::vector<Migration> kernel_migrations();

/// Steps that have not run, as "part 2: name"; an error where the file is newer than this build, or a step's text differs from what ran.
Result<std::vector<std::string>> pending(Connection& connection, const std::vector<Part>& parts);
/// Runs them in one transaction.
void migrate(Connection& connection, const std::vector<Part>& parts, Time now);
bool has_tables(Connection& connection);

}  // namespace loggia::sqlite
