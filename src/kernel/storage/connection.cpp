#include "storage/connection.hpp"
#include <sqlite3.h>
#include <array>
#include <cstring>
#include <mutex>
#include <utility>

namespace loggia::sqlite {
namespace {

int flags(Mode mode) {
  switch (mode) {
    case Mode::writer:
      return SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE | SQLite::OPEN_NOMUTEX;
    case Mode::reader:
      return SQLite::OPEN_READONLY | SQLite::OPEN_NOMUTEX;
    case Mode::memory:
      return SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE | SQLite::OPEN_NOMUTEX | SQLite::OPEN_MEMORY;
  }
  return 0;
}

void check(int code, sqlite3_stmt* statement) {
  if (code != SQLITE_OK) throw SQLite::Exception(sqlite3_db_handle(statement), code);
}

/// Holds a statement while its rows are read, and what it was given: the rows may outlive the caller's texts, and SQLite would allocate
/// for each.
class RowsHere final : public Rows {
 public:
  RowsHere(Connection::Prepared& prepared, std::span<const Parameter> parameters) : prepared_{prepared} {
    prepared_.busy = true;
    prepared_.bind(parameters, kept_);
  }
  ~RowsHere() override { prepared_.reset(); }
  bool next() override { return prepared_.step(); }
  std::int64_t integer(int column) const override { return sqlite3_column_int64(prepared_.statement, column); }
  std::string_view text(int column) const override {
    const auto* data = reinterpret_cast<const char*>(sqlite3_column_text(prepared_.statement, column));
    return data ? std::string_view(data, static_cast<std::size_t>(sqlite3_column_bytes(prepared_.statement, column))) : std::string_view();
  }
  std::span<const std::uint8_t> blob(int column) const override {
    const auto* data = static_cast<const std::uint8_t*>(sqlite3_column_blob(prepared_.statement, column));
    return {data, static_cast<std::size_t>(sqlite3_column_bytes(prepared_.statement, column))};
  }
  bool null(int column) const override { return sqlite3_column_type(prepared_.statement, column) == SQLITE_NULL; }

 private:
  Connection::Prepared& prepared_;
  std::array<char, 160> kept_;
};

}  // namespace

Connection::Prepared::Prepared(SQLite::Database& database, const std::string& sql) {
  const int code = sqlite3_prepare_v3(database.getHandle(), sql.data(), static_cast<int>(sql.size()), SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
  if (code != SQLITE_OK) throw SQLite::Exception(database.getHandle(), code);
}
Connection::Prepared::~Prepared() { sqlite3_finalize(statement); }

bool Connection::Prepared::step() {
  const int code = sqlite3_step(statement);
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  throw SQLite::Exception(sqlite3_db_handle(statement), code);
}

void Connection::Prepared::reset() {
  sqlite3_reset(statement);  // tells the last step's error again, which was thrown
  busy = false;
}

void Connection::Prepared::bind(std::span<const Parameter> parameters, std::optional<std::span<char>> room) {
  // Into `room` while there is some, then by SQLite itself.
  const auto kept = [&](const void* data, std::size_t size) -> std::pair<const void*, sqlite3_destructor_type> {
    if (!room) return {data, SQLITE_STATIC};
    if (size > room->size()) return {data, SQLITE_TRANSIENT};
    if (size > 0) std::memcpy(room->data(), data, size);
    const void* copy = room->data();
    room = room->subspan(size);
    return {copy, SQLITE_STATIC};
  };
  int index = 0;
  for (const auto& parameter : parameters) {
    ++index;
    const auto& value = parameter.value();
    if (const auto* number = std::get_if<std::int64_t>(&value)) check(sqlite3_bind_int64(statement, index, *number), statement);
    else if (const auto* text = std::get_if<std::string_view>(&value)) {
      const auto [data, owner] = kept(text->data() ? text->data() : "", text->size());
      check(sqlite3_bind_text(statement, index, static_cast<const char*>(data), static_cast<int>(text->size()), owner), statement);
    } else if (const auto* blob = std::get_if<std::span<const std::uint8_t>>(&value)) {
      // No blob at all is null, and an empty one is not: as it always was, by its pointer.
      const auto [data, owner] =
          blob->data() ? kept(blob->data(), blob->size()) : std::pair<const void*, sqlite3_destructor_type>(nullptr, SQLITE_STATIC);
      check(sqlite3_bind_blob(statement, index, data, static_cast<int>(blob->size()), owner), statement);
    } else check(sqlite3_bind_null(statement, index), statement);
  }
}

void set_up_library() {
  static std::once_flag once;
  std::call_once(once, [] {
    if (sqlite3_threadsafe() != 1) throw std::logic_error("SQLite was built without its locks (SQLITE_THREADSAFE=1)");
    sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
    sqlite3_config(SQLITE_CONFIG_PAGECACHE, nullptr, 0, 0);
  });
}

Trouble trouble_of(const SQLite::Exception& problem) {
  const int extended = problem.getExtendedErrorCode(), kind = problem.getErrorCode() & 0xFF;
  if (kind == SQLITE_FULL || extended == SQLITE_IOERR_SHMSIZE) return Trouble::full;
  if (kind == SQLITE_IOERR || kind == SQLITE_CORRUPT || kind == SQLITE_NOTADB) return Trouble::fatal;
  return Trouble::command;
}

Connection::Connection(const std::string& path, Mode mode) : database_(path, flags(mode), 5000) {
  execute("PRAGMA foreign_keys=ON");
  execute("PRAGMA mmap_size=0");
  execute("PRAGMA cache_size=-8192");
  execute("PRAGMA temp_store=MEMORY");
  if (mode == Mode::reader) {
    execute("PRAGMA wal_autocheckpoint=0");
    return;
  }
  execute("PRAGMA secure_delete=FAST");
  if (mode == Mode::memory) return;
  execute("PRAGMA journal_mode=WAL");
  execute("PRAGMA synchronous=FULL");
  execute("PRAGMA wal_autocheckpoint=2000");
  execute("PRAGMA journal_size_limit=67108864");
}

Connection::Prepared& Connection::prepared(std::string_view sql) {
  auto found = statements_.find(sql);
  if (found == statements_.end()) found = statements_.try_emplace(std::string(sql)).first;
  for (auto& one : found->second)
    if (!one->busy) return *one;
  return *found->second.emplace_back(std::make_unique<Prepared>(database_, found->first));
}

std::unique_ptr<Rows> Connection::run(std::string_view sql, std::span<const Parameter> parameters) {
  return std::make_unique<RowsHere>(prepared(sql), parameters);
}

std::int64_t Connection::changes() { return sqlite3_total_changes64(database_.getHandle()); }

bool Connection::in_transaction() { return sqlite3_get_autocommit(database_.getHandle()) == 0; }

void Connection::release_memory() { sqlite3_db_release_memory(database_.getHandle()); }

std::int64_t Connection::change(std::string_view sql, std::span<const Parameter> parameters) {
  auto& prepared = this->prepared(sql);
  prepared.busy = true;
  struct Reset {
    Prepared& prepared;
    ~Reset() { prepared.reset(); }
  } const reset{prepared};
  prepared.bind(parameters, std::nullopt);
  while (prepared.step()) {
  }
  return sqlite3_changes(database_.getHandle());
}

}  // namespace loggia::sqlite
