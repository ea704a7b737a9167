#include "storage/postgres/readers.hpp"
#include <algorithm>
#include "loggia/kernel/log.hpp"

namespace loggia::postgres {

Readers::Readers(Target target, std::size_t count, std::size_t queue, std::shared_ptr<Clock> clock, std::shared_ptr<Clock> real,
                 std::shared_ptr<Random> random)
    : target_{std::move(target)},
      clock_{std::move(clock)},
      readers_{made(count, real, random)},
      pool_{target_.name, count, queue, clock_,
            [this](std::size_t reader, Moment deadline, Database::ReadWork& work) { return worked(*readers_[reader], deadline, work); }} {}

Readers::~Readers() { close(); }

std::vector<std::unique_ptr<Readers::Reader>> Readers::made(std::size_t count, const std::shared_ptr<Clock>& real,
                                                            const std::shared_ptr<Random>& random) {
  std::vector<std::unique_ptr<Reader>> out;
  for (std::size_t at = 0; at < count; ++at) out.push_back(std::unique_ptr<Reader>(new Reader{nullptr, Backoff(real, random)}));
  return out;
}

void Readers::close() {
  pool_.close();
  readers_.clear();
}

/// With a connection that is alive as far as one sees.
bool Readers::ready(Reader& reader) {
  if (reader.connection && reader.connection->alive()) return true;
  const bool had_one = reader.connection != nullptr;
  reader.connection.reset();
  if (!had_one && !reader.backoff.due()) return false;
  try {
    reader.connection = std::make_unique<Connection>(target_);
    reader.backoff.succeeded();
    return true;
  } catch (const Failure& failure) {
    if (!reader.backoff.failing()) log::error("storage.reader_not_connected", Field("store", target_.name), Field("why", failure.what()));
    reader.backoff.failed();
    return false;
  }
}

Result<bool> Readers::worked(Reader& reader, Moment deadline, Database::ReadWork& work) {
  const auto now = clock_->moment();
  if (!ready(reader)) return away();
  auto& connection = *reader.connection;
  try {
    // One moment for all that the work reads, and no longer than the caller waits.
    connection.send("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", {});
    if (deadline - now < target_.statement) {
      const auto left = std::to_string(std::max<std::int64_t>(1, std::chrono::ceil<milliseconds>(deadline - now).count()));
      const Parameter parameters[] = {Parameter(left)};
      connection.send("SELECT set_config('statement_timeout', ?1, true)", parameters);
    }
    ReadQuery query(connection);
    work(query);
    if (const auto& problem = connection.failed()) throw Failure(*problem);
    connection.send("COMMIT", {});
    connection.settle();
    return true;
  } catch (const std::exception& problem) {
    return failed(reader, problem);
  }
}

Result<bool> Readers::failed(Reader& reader, const std::exception& problem) {
  // What the work threw may be a consequence.
  const auto known = reader.connection->failed();
  const auto trouble = known ? known->trouble : Trouble::command;
  log::error("storage.read_failed", Field("store", target_.name), Field("why", known ? known->what() : problem.what()));
  try {
    reader.connection->clear();
    reader.connection->send("ROLLBACK", {});
    reader.connection->settle();
  } catch (const Failure&) {
    reader.connection.reset();
  }
  if (trouble == Trouble::lost) return away();
  if (trouble == Trouble::late) return no_time();
  return Error(Errc::internal, "the storage failed");
}

}  // namespace loggia::postgres
