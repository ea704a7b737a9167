#include "storage/postgres/open.hpp"
#include <libpq-fe.h>
#include <algorithm>
#include <cctype>
#include "loggia/kernel/log.hpp"
#include "storage/answered.hpp"
#include "storage/postgres/migrations.hpp"
#include "storage/postgres/readers.hpp"

namespace loggia {
namespace postgres {
namespace {

constexpr int oldest_server = 130000;        // that knows all that is used here
constexpr std::size_t readers_max = 4;       // connections a module, of the server's limit
constexpr milliseconds reading_idle(60000);  // who reads holds no rows, and may have much to do with what it has read

class PostgresDatabase final : public Database {
 public:
  PostgresDatabase(DatabaseOptions options, std::unique_ptr<Connection> connection, Target target) : options_{std::move(options)} {
    const std::shared_ptr<Clock> real = system_clock();
    const std::shared_ptr<Random> random = system_random();
    Writer::Options writer;
    writer.target = target;
    writer.queue = options_.queue;
    writer.clock = options_.clock;
    writer.real = real;
    writer.random = random;
    writer.on_fatal = options_.on_fatal;
    writer_ = std::make_unique<Writer>(std::move(connection), std::move(writer));
    target.idle = reading_idle;
    readers_ = std::make_unique<Readers>(std::move(target), std::clamp(options_.readers, std::size_t{1}, readers_max), options_.queue, options_.clock,
                                         real, random);
  }
  ~PostgresDatabase() override { close(); }

  StorageFigures figures() const override { return writer_->figures(); }
  bool writable() const override { return writer_->writable(); }
  std::string unwritable() const override { return writer_->unwritable(); }
  std::string name() const override { return options_.name; }
  bool shared() const override { return true; }
  void close() override {
    std::call_once(closed_, [this] {
      readers_->close();
      writer_->close();
    });
  }

 protected:
  Async<bool> run_read(Moment deadline, ReadWork work) override {
    auto start = [this, deadline, work = std::move(work)](storage::Done done) mutable {
      return readers_->read(deadline, std::move(work), std::move(done));
    };
    return storage::answered(std::move(start));
  }
  Async<bool> run_write(Moment deadline, WriteWork work) override {
    auto start = [this, deadline, work = std::move(work)](storage::Done done) mutable {
      return writer_->write(deadline, std::move(work), std::move(done));
    };
    return storage::answered(std::move(start));
  }
  Async<bool> run_foreseen(Moment deadline, WriteWork work, AheadWork ahead) override {
    auto start = [this, deadline, work = std::move(work), ahead = std::move(ahead)](storage::Done done) mutable {
      return writer_->write(deadline, std::move(work), std::move(done), std::move(ahead));
    };
    return storage::answered(std::move(start));
  }
  Result<bool> block_read(ReadWork work) override {
    return storage::blocked([&](storage::Done done) { return readers_->read(Moment::max(), std::move(work), std::move(done)); });
  }
  Result<bool> block_write(WriteWork work) override {
    return storage::blocked([&](storage::Done done) { return writer_->write(Moment::max(), std::move(work), std::move(done)); });
  }

 private:
  DatabaseOptions options_;
  std::unique_ptr<Writer> writer_;
  std::unique_ptr<Readers> readers_;
  std::once_flag closed_;
};

std::vector<Part> parts_of(const DatabaseOptions& options) { return {{"kernel", kernel_migrations()}, {"module", options.migrations}}; }

Error mistake(const std::string& what) { return Error(Errc::invalid_request, what); }

}  // namespace

Result<Target> target_of(const DatabaseOptions& options) {
  Target target;
  target.url = options.postgres;
  target.name = options.name;
  target.schema = options.schema.empty() ? options.name : options.schema;
  const auto fine = [](char c) {
    return std::islower(static_cast<unsigned char>(c)) != 0 || std::isdigit(static_cast<unsigned char>(c)) != 0 || c == '_';
  };
  if (!std::all_of(target.schema.begin(), target.schema.end(), fine) || target.schema.size() > 60)
    return mistake("\"" + target.schema + "\" cannot be the name of a schema: it has small letters, digits and _");
  if (!target.url.starts_with("postgresql://") && !target.url.starts_with("postgres://"))
    return mistake(
        "storage.postgres.url is no address of a PostgreSQL: it begins with postgresql://, as in postgresql://USER:PASSWORD@HOST:5432/DATABASE");
  char* why = nullptr;
  auto* parsed = PQconninfoParse(target.url.c_str(), &why);
  PQfreemem(why);  // it repeats parts of the URL
  if (!parsed)
    return mistake(
        "storage.postgres.url cannot be read: it is postgresql://USER:PASSWORD@HOST:5432/DATABASE, and what is special in a part "
        "(: / @ ? # %) is written %XX");
  PQconninfoFree(parsed);
  return target;
}

Error not_opened(const Target& target, const Failure& failure) {
  const std::string said = failure.what();
  const auto holds = [&](std::string_view part) { return said.find(part) != said.npos; };
  const auto remedy = [&]() -> std::string {
    // A schema that one may not look into is passed over in silence, and its tables seem not to be there.
    if (failure.state == "42501" || failure.state == "42P01")
      return "The user may not use or make the schema \"" + target.schema + "\": GRANT CREATE ON DATABASE … TO …, or make the schema theirs.";
    if (!failure.state.empty()) return "Look into the server's log.";
    if (holds("password")) return "Check user and password in storage.postgres.url.";
    if (holds("role")) return "Make the user, or name another in storage.postgres.url.";
    if (holds("database \"")) return "Make the database (createdb), or name another in storage.postgres.url.";
    if (holds("pg_hba")) return "Allow this host and user in the server's pg_hba.conf.";
    return "Is the server running, and are host and port in storage.postgres.url right?";
  }();
  return mistake("cannot use PostgreSQL for " + target.name + ": " + said + ". " + remedy);
}

std::unique_ptr<Connection> connected(const Target& target) {
  auto connection = std::make_unique<Connection>(target);
  if (connection->version() < oldest_server)
    throw Failure(Trouble::command, "0A000",
                  "the server is PostgreSQL " + std::to_string(connection->version() / 10000) + ", and 13 is the oldest that serves");
  auto rows = connection->select("SELECT current_setting('server_encoding')", {});
  if (rows->next() && rows->text(0) != "UTF8")
    throw Failure(Trouble::command, "22021", "the database is encoded as " + rows->string(0) + ", not UTF8; make it with ENCODING 'UTF8'");
  rows.reset();
  connection->settle();
  return connection;
}

Result<std::shared_ptr<Database>> open(DatabaseOptions options) {
  const auto target = target_of(options);
  if (!target) return target.error();
  try {
    auto connection = connected(*target);
    const auto parts = parts_of(options);
    const auto steps = pending(*connection, target->schema, parts);
    if (!steps) return steps.error();
    connection->settle();
    if (!steps->empty()) {
      if (auto done = migrate(*connection, target->schema, parts, options.clock->now(), true); !done) return done.error();
      log::info("storage.migrated", Field("store", options.name), Field("steps", steps->size()));
    }
    if (connection->select("SELECT 1 FROM kernel_value WHERE name = 'import.unfinished'", {})->next())
      return mistake("an import into the schema \"" + target->schema + "\" was not finished. Drop the schema, and import again.");
    connection->settle();
    return std::shared_ptr<Database>(std::make_shared<PostgresDatabase>(std::move(options), std::move(connection), *target));
  } catch (const Failure& failure) {
    return not_opened(*target, failure);
  }
}

Result<std::vector<std::string>> pending_steps(const DatabaseOptions& options) {
  const auto target = target_of(options);
  if (!target) return target.error();
  try {
    const auto connection = connected(*target);
    const auto parts = parts_of(options);
    auto steps = pending(*connection, target->schema, parts);
    if (!steps || steps->empty() || !options.dry_run) return steps;
    connection->settle();
    if (auto tried = migrate(*connection, target->schema, parts, options.clock->now(), false); !tried) return tried.error();
    return steps;
  } catch (const Failure& failure) {
    return not_opened(*target, failure);
  }
}

}  // namespace postgres

std::string postgres_library() {
  const int version = PQlibVersion();
  return std::to_string(version / 10000) + "." + std::to_string(version % 10000);
}

}  // namespace loggia
