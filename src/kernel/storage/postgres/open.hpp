#pragma once
// The store whose tables are a schema of PostgreSQL. In a build without libpq both say what to install.
#include "loggia/kernel/storage.hpp"

namespace loggia::postgres {

Result<std::shared_ptr<Database>> open(DatabaseOptions options);
Result<std::vector<std::string>> pending_steps(const DatabaseOptions& options);

}  // namespace loggia::postgres
