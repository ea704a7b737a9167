#include <SQLiteCpp/Backup.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cerrno>
#include <mutex>
#include "loggia/kernel/log.hpp"
#include "storage/answered.hpp"
#include "storage/migrations.hpp"
#include "storage/postgres/open.hpp"
#include "storage/readers.hpp"
#include "storage/settle.hpp"

namespace loggia {
namespace {

using sqlite::Connection;
using sqlite::Mode;

class SqliteDatabase final : public Database {
 public:
  SqliteDatabase(DatabaseOptions options, std::unique_ptr<Connection> connection, std::vector<std::unique_ptr<Connection>> readers)
      : options_{std::move(options)} {
    sqlite::Writer::Options writer;
    writer.name = options_.name;
    writer.queue = options_.queue;
    writer.clock = options_.clock;
    writer.on_fatal = options_.on_fatal;
    writer_ = std::make_unique<sqlite::Writer>(std::move(connection), std::move(writer));
    if (!readers.empty())
      readers_ = std::make_unique<sqlite::Readers>(std::move(readers), options_.name, options_.queue, options_.clock, options_.on_fatal);
  }
  ~SqliteDatabase() override { close(); }

  StorageFigures figures() const override { return writer_->figures(); }
  bool writable() const override { return writer_->writable(); }
  std::string name() const override { return options_.name; }
  void release_memory() override {
    if (readers_) readers_->release_memory();
    writer_->release_memory();
  }
  void close() override {
    std::call_once(closed_, [this] {
      if (readers_) readers_->close();
      writer_->close();
    });
  }

 protected:
  Async<bool> run_read(Moment deadline, ReadWork work) override {
    auto start = [this, deadline, work = std::move(work)](storage::Done done) mutable {
      return start_read(deadline, std::move(work), std::move(done));
    };
    return storage::answered(std::move(start));
  }
  Async<bool> run_write(Moment deadline, WriteWork work) override {
    auto start = [this, deadline, work = std::move(work)](storage::Done done) mutable {
      return writer_->write(deadline, std::move(work), std::move(done));
    };
    return storage::answered(std::move(start));
  }
  Result<bool> block_read(ReadWork work) override {
    return storage::blocked([&](storage::Done done) { return start_read(Moment::max(), std::move(work), std::move(done)); });
  }
  Result<bool> block_write(WriteWork work) override {
    return storage::blocked([&](storage::Done done) { return writer_->write(Moment::max(), std::move(work), std::move(done)); });
  }

 private:
  /// What was read while a commit failed may be what is not there after the restart: nobody is told.
  bool start_read(Moment deadline, ReadWork work, storage::Done done) {
    storage::Done told = [this, done = std::move(done)](Result<bool> result) {
      done(writer_->broken() ? Result<bool>(sqlite::ending()) : std::move(result));
    };
    if (readers_) return readers_->read(deadline, std::move(work), std::move(told));
    return writer_->read(deadline, std::move(work), std::move(told));
  }

  DatabaseOptions options_;
  std::unique_ptr<sqlite::Writer> writer_;
  std::unique_ptr<sqlite::Readers> readers_;
  std::once_flag closed_;
};

std::vector<sqlite::Part> parts_of(const DatabaseOptions& options) {
  return {{"kernel", sqlite::kernel_migrations()}, {"module", options.migrations}};
}

Error opening_failed(const std::filesystem::path& path, const SQLite::Exception& problem) {
  switch (problem.getErrorCode() & 0xFF) {
    case SQLITE_NOTADB:
      return Error(Errc::conflict, path.string() + " is no database of Loggia, or is damaged. Move it away, or restore a backup.");
    case SQLITE_CORRUPT:
      return Error(Errc::conflict, path.string() + " is damaged. Restore a backup.");
    case SQLITE_CANTOPEN:
      return Error(Errc::internal, "cannot open " + path.string() + ": is the directory there, and may this user write in it?");
    case SQLITE_READONLY:
    case SQLITE_PERM:
      return Error(Errc::internal, path.string() + " is not writable for this user. Change its owner or mode.");
    case SQLITE_FULL:
      return Error(Errc::insufficient_storage, "the disk of " + path.string() + " is full. Make room and start again.");
    case SQLITE_BUSY:
      return Error(Errc::conflict, path.string() + " is in use by another program. Close that one.");
    default:
      return Error(Errc::internal, "cannot use " + path.string() + ": " + problem.what());
  }
}

/// Before the schema changes: the file as it was, in a folder beside it that is named for the version to come. Written whole, then
/// named: a start that is tried again and again keeps one copy.
void keep_copy(Connection& connection, const DatabaseOptions& options) {
  const auto version = options.migrations.empty() ? 0 : options.migrations.back().number;
  const auto folder = options.directory / ("backup-before-" + options.name + "-v" + std::to_string(version));
  std::filesystem::create_directories(folder);
  ::chmod(folder.c_str(), 0700);
  const auto copy = folder / (options.name + ".db"), part = folder / (options.name + ".part");
  std::filesystem::remove(part);
  const auto text = part.string();
  const Parameter parameters[] = {Parameter(text)};
  connection.change("VACUUM INTO ?1", parameters);
  ::chmod(part.c_str(), 0600);
  std::filesystem::rename(part, copy);
  log::info("storage.kept_before_migration", Field("store", options.name), Field("copy", copy.string()));
}

/// The file exists with a mode for its owner alone before SQLite writes into it. True where it was there, and is not empty.
bool make_private(const std::filesystem::path& path) {
  const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (file >= 0) ::close(file);
  std::error_code problem;
  const auto size = std::filesystem::file_size(path, problem);
  return !problem && size > 0;
}

/// A name is durable once its folder was synced. SQLite does that for a log of writes that it makes, but does not look at the result
/// (`unixSync` of os_unix.c), and not at all for one that it finds.
void sync_names(const std::filesystem::path& folder) {
  const int file = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (file < 0) return;  // a parent that is not ours to read was there before us
  const int problem = ::fsync(file) == 0 ? 0 : errno;
  ::close(file);
  if (problem != 0 && problem != EINVAL)
    throw std::filesystem::filesystem_error("cannot sync", folder, std::error_code(problem, std::generic_category()));
}

/// What opening would run. A file whose making was interrupted has a journal that only a writer can roll back: then nothing is known yet.
Result<std::vector<std::string>> look_at(const std::filesystem::path& path, const std::vector<sqlite::Part>& parts) try {
  Connection look(path.string(), Mode::reader);
  return sqlite::pending(look, parts);
} catch (const SQLite::Exception& problem) {
  if (problem.getExtendedErrorCode() != SQLITE_READONLY_ROLLBACK) throw;
  return std::vector<std::string>();
}

}  // namespace

Result<std::shared_ptr<Database>> open_database(DatabaseOptions options) {
  if (!options.postgres.empty()) return postgres::open(std::move(options));
  sqlite::set_up_library();
  const bool memory = options.directory.empty();
  const auto path = memory ? std::filesystem::path(":memory:") : options.directory / (options.name + ".db");
  try {
    const auto parts = parts_of(options);
    const bool used = !memory && make_private(path);
    // The process before this one did not end as it should, or there was none.
    const bool unclean = !memory && (!used || std::filesystem::exists(path.string() + "-wal"));
    if (used) {
      // Looked at before anything is written: what is refused stays as it is.
      if (const auto known = look_at(path, parts); !known) return Error(known.error().code, path.string() + ": " + known.error().detail);
    }
    if (unclean) sqlite::settle(path.string());
    auto connection = std::make_unique<Connection>(path.string(), memory ? Mode::memory : Mode::writer);
    const auto steps = sqlite::pending(*connection, parts);
    if (!steps) return Error(steps.error().code, path.string() + ": " + steps.error().detail);
    if (!steps->empty()) {
      const auto now = options.clock->now();
      if (!memory && options.keep_before_migration && sqlite::has_tables(*connection)) keep_copy(*connection, options);
      sqlite::migrate(*connection, parts, now);
    }
    if (connection->run("SELECT 1 FROM kernel_value WHERE name = 'import.unfinished'", {})->next())
      return Error(Errc::conflict, "an import into " + path.string() + " was not finished. Move the data directory away, and import again.");
    std::vector<std::unique_ptr<Connection>> readers;
    for (std::size_t at = 0; !memory && at < options.readers; ++at) readers.push_back(std::make_unique<Connection>(path.string(), Mode::reader));
    if (!memory) sync_names(options.directory);  // the log of writes is there since the first read
    if (unclean) sync_names(std::filesystem::absolute(options.directory).parent_path());
    return std::shared_ptr<Database>(std::make_shared<SqliteDatabase>(std::move(options), std::move(connection), std::move(readers)));
  } catch (const SQLite::Exception& problem) {
    return opening_failed(path, problem);
  } catch (const std::filesystem::filesystem_error& problem) {
    return Error(Errc::internal, std::string("cannot prepare the data directory: ") + problem.what());
  }
}

Result<std::vector<std::string>> pending_migrations(const DatabaseOptions& options) {
  if (!options.postgres.empty()) return postgres::pending_steps(options);
  sqlite::set_up_library();
  const auto path = options.directory / (options.name + ".db");
  try {
    const auto parts = parts_of(options);
    if (!std::filesystem::exists(path)) {
      Connection fresh(":memory:", Mode::memory);
      auto steps = sqlite::pending(fresh, parts);
      if (steps && options.dry_run) sqlite::migrate(fresh, parts, options.clock->now());
      return steps;
    }
    Connection reader(path.string(), Mode::reader);
    auto steps = sqlite::pending(reader, parts);
    if (!steps) return Error(steps.error().code, path.string() + ": " + steps.error().detail);
    if (options.dry_run && !steps->empty()) {
      // Tried on a copy, in memory.
      Connection copy(":memory:", Mode::memory);
      SQLite::Backup backup(copy.raw(), reader.raw());
      backup.executeStep(-1);
      sqlite::migrate(copy, parts, options.clock->now());
    }
    return steps;
  } catch (const SQLite::Exception& problem) {
    return opening_failed(path, problem);
  }
}

}  // namespace loggia
