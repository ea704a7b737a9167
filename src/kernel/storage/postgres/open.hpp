#pragma once
// The store whose tables are a schema of PostgreSQL. In a build without libpq both say what to install.
#include "loggia/kernel/storage.hpp"

namespace loggia::postgres {

class Connection;
struct Failure;
struct Target;

Result<std::shared_ptr<Database>> open(DatabaseOptions options);
Result<std::vector<std::string>> pending_steps(const DatabaseOptions& options);

/// The target, or what is wrong with the URL: said without the URL, which may hold a password.
Result<Target> target_of(const DatabaseOptions& options);
/// To a server that serves. Throws Failure.
std::unique_ptr<Connection> connected(const Target& target);
/// What the server said, and what to do. The words of a failed connection are libpq's, which hold host, port, user and database, and no password.
Error not_opened(const Target& target, const Failure& failure);

}  // namespace loggia::postgres
