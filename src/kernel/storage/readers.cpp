#include "storage/readers.hpp"
#include "loggia/kernel/log.hpp"

namespace loggia::sqlite {

Readers::Readers(std::vector<std::unique_ptr<Connection>> connections, std::string name, std::size_t queue, std::shared_ptr<Clock> clock,
                 std::function<void(const std::string&)> on_fatal)
    : connections_{std::move(connections)},
      name_{std::move(name)},
      on_fatal_{std::move(on_fatal)},
      pool_{name_, connections_.size(), queue, std::move(clock),
            [this](std::size_t reader, Moment, Database::ReadWork& work) { return worked(*connections_[reader], work); }} {}

void Readers::release_memory() {
  for (const auto& connection : connections_) connection->release_memory();
}

Result<bool> Readers::worked(Connection& connection, Database::ReadWork& work) {
  try {
    // One moment for all that the work reads.
    connection.transact("BEGIN");
    ReadQuery query(connection);
    work(query);
    connection.transact("COMMIT");
    return true;
  } catch (const std::exception& problem) {
    log::error("storage.read_failed", Field("store", name_), Field("why", problem.what()));
    try {
      connection.execute("ROLLBACK");
    } catch (const SQLite::Exception&) {
      // Nothing was open.
    }
    const auto* storage = dynamic_cast<const SQLite::Exception*>(&problem);
    if (storage && trouble_of(*storage) == Trouble::fatal && on_fatal_) on_fatal_("the storage of " + name_ + " failed: " + problem.what());
    return Error(Errc::internal, "the storage failed");
  }
}

}  // namespace loggia::sqlite
