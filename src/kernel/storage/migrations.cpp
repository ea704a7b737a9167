#include "storage/migrations.hpp"
#include <map>
#include <set>
#include "loggia/kernel/crypto.hpp"

namespace loggia::sqlite {
namespace {

struct Applied {
  std::string name, checksum;
};
using Numbered = std::map<std::int64_t, Applied>;

std::string checksum(const Migration& step) { return crypto::base64url(crypto::sha256(step.sql)); }

bool has_table(Connection& connection, std::string_view name) {
  const Parameter parameters[] = {Parameter(name)};
  return connection.run("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?1", parameters)->next();
}

Numbered applied(Connection& connection, std::string_view part) {
  Numbered out;
  if (!has_table(connection, "schema_migrations")) return out;
  const Parameter parameters[] = {Parameter(part)};
  auto rows = connection.run("SELECT number, name, checksum FROM schema_migrations WHERE part = ?1", parameters);
  while (rows->next()) out.emplace(rows->integer(0), Applied{rows->string(1), rows->string(2)});
  return out;
}

}  // namespace

std::vector<Migration> kernel_migrations() {
  return {{1, "log, positions, idempotency", R"sql(
CREATE TABLE kernel_value(name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
-- The log of what this module produces. A head row for each partition: positions appear in the order of the commits, without holes.
CREATE TABLE log_head(topic TEXT NOT NULL, partition INTEGER NOT NULL, head INTEGER NOT NULL, PRIMARY KEY(topic, partition)) WITHOUT ROWID;
CREATE TABLE log_event(
  topic TEXT NOT NULL, partition INTEGER NOT NULL, sequence INTEGER NOT NULL,
  id BLOB NOT NULL, type TEXT NOT NULL, key TEXT NOT NULL, at INTEGER NOT NULL, trace TEXT NOT NULL,
  data TEXT, reference BLOB, reference_number INTEGER,
  PRIMARY KEY(topic, partition, sequence)) WITHOUT ROWID;
CREATE INDEX log_event_at ON log_event(at);
-- What this module consumes: how far, and what was set aside.
CREATE TABLE log_position(
  topic TEXT NOT NULL, producer TEXT NOT NULL, partition INTEGER NOT NULL, position INTEGER NOT NULL,
  PRIMARY KEY(topic, producer, partition)) WITHOUT ROWID;
CREATE TABLE dead_letter(
  number INTEGER PRIMARY KEY, topic TEXT NOT NULL, producer TEXT NOT NULL, partition INTEGER NOT NULL, sequence INTEGER NOT NULL,
  event TEXT NOT NULL, reason TEXT NOT NULL, at INTEGER NOT NULL);
CREATE TABLE idempotency(
  user BLOB NOT NULL, key TEXT NOT NULL, hash BLOB NOT NULL, answer TEXT NOT NULL, at INTEGER NOT NULL,
  PRIMARY KEY(user, key)) WITHOUT ROWID;
CREATE INDEX idempotency_at ON idempotency(at);
)sql"},
          {2, "relay", R"sql(
-- How far the log was brought to a broker: what it has acknowledged.
CREATE TABLE log_relay(topic TEXT NOT NULL, partition INTEGER NOT NULL, position INTEGER NOT NULL, PRIMARY KEY(topic, partition)) WITHOUT ROWID;
)sql"}};
}

Result<std::vector<std::string>> pending(Connection& connection, const std::vector<Part>& parts) {
  std::vector<std::string> out;
  if (!has_table(connection, "schema_migrations") && has_tables(connection))
    return Error(Errc::conflict, "this is a database of another program. Move it away, or set another storage.dir.");
  for (const auto& part : parts) {
    auto done = applied(connection, part.name);
    for (const auto& step : part.steps) {
      const auto label = std::string(part.name) + " " + std::to_string(step.number) + ": " + std::string(step.name);
      const auto found = done.find(step.number);
      if (found == done.end()) {
        out.push_back(label);
        continue;
      }
      if (found->second.checksum != checksum(step))
        return Error(Errc::conflict, "step " + label +
                                         " of the schema is not the one that this database was made with. It was changed after a "
                                         "release; run the release that made the database, or restore a backup.");
      done.erase(found);
    }
    if (!done.empty())
      return Error(Errc::conflict, "the database is newer than this build: it has step " + std::to_string(done.rbegin()->first) + " (" +
                                       done.rbegin()->second.name + "), and this build knows " + std::to_string(part.steps.size()) +
                                       ". Run the newer release, or restore the files kept before the upgrade.");
  }
  return out;
}

void migrate(Connection& connection, const std::vector<Part>& parts, Time now) {
  SQLite::Transaction transaction(connection.raw(), SQLite::TransactionBehavior::IMMEDIATE);
  connection.execute(
      "CREATE TABLE IF NOT EXISTS schema_migrations(part TEXT NOT NULL, number INTEGER NOT NULL, name TEXT NOT NULL, checksum TEXT NOT NULL, "
      "at INTEGER NOT NULL, PRIMARY KEY(part, number)) WITHOUT ROWID");
  for (const auto& part : parts) {
    const auto done = applied(connection, part.name);
    for (const auto& step : part.steps) {
      if (done.contains(step.number)) continue;
      connection.execute(std::string(step.sql).c_str());
      const auto sum = checksum(step);
      const Parameter parameters[] = {Parameter(part.name), Parameter(step.number), Parameter(step.name), Parameter(sum), Parameter(now)};
      connection.change("INSERT INTO schema_migrations(part, number, name, checksum, at) VALUES (?1, ?2, ?3, ?4, ?5)", parameters);
    }
  }
  transaction.commit();
}

bool has_tables(Connection& connection) { return connection.run("SELECT 1 FROM sqlite_schema WHERE type = 'table'", {})->next(); }

}  // namespace loggia::sqlite
