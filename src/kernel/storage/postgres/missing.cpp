// In the place of everything else here, where libpq was not there when Loggia was built.
#include "storage/postgres/open.hpp"
#include "storage/postgres/server_lock.hpp"

namespace loggia {
namespace {

Error missing() {
  return Error(Errc::invalid_request,
               "this build has no PostgreSQL: install libpq-dev and build Loggia again (scripts/build), or set storage.kind = \"sqlite\"");
}

}  // namespace

std::string postgres_library() { return std::string(); }

namespace postgres {

Result<std::shared_ptr<Database>> open(DatabaseOptions) { return missing(); }
Result<std::vector<std::string>> pending_steps(const DatabaseOptions&) { return missing(); }
Result<std::unique_ptr<ServerLock>> ServerLock::take(Options) { return missing(); }

}  // namespace postgres
}  // namespace loggia
