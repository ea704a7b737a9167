#pragma once
// One SQLite connection with its prepared statements. Used by one thread at a time.
#include <SQLiteCpp/SQLiteCpp.h>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>
#include "loggia/kernel/storage.hpp"

struct sqlite3_stmt;

namespace loggia::sqlite {

/// Before anything else is asked of SQLite, from any thread. Without statistics of its memory no allocation takes one lock for them, and a
/// page cache grows page by page: SQLite's twenty pages for each connection at once are more than most ever need. A program that has set
/// up SQLite by itself, as tests do, keeps what it set.
void set_up_library();

/// How a connection is opened. Exactly one of a file writes and checkpoints (SQLite 3.40.1 can damage a file where two do).
enum class Mode { writer, reader, memory };

class Connection {
 public:
  /// Throws SQLite::Exception.
  Connection(const std::string& path, Mode mode);
  virtual ~Connection() = default;
  std::unique_ptr<Rows> run(std::string_view sql, std::span<const Parameter> parameters);
  std::int64_t change(std::string_view sql, std::span<const Parameter> parameters);
  /// Any number of statements, parsed each time.
  void execute(const char* sql) { database_.exec(sql); }
  /// BEGIN, COMMIT and the like, which are prepared once. Virtual for a store of the tests that fails.
  virtual void transact(std::string_view sql) { change(sql, {}); }
  /// Rows changed since it was opened, also by what was rolled back.
  std::int64_t changes();
  bool in_transaction();
  SQLite::Database& raw() { return database_; }
  /// Frees the pages that are not in use. From every thread: SQLite has a lock for each connection (serialized mode).
  void release_memory();
  /// The system's word on what went wrong last.
  int extended_error() { return database_.getExtendedErrorCode(); }

  /// Prepared on the handle itself: SQLiteCpp's Statement copies every text that is bound and shares a pointer for every column read.
  struct Prepared {
    sqlite3_stmt* statement = nullptr;
    bool busy = false;
    Prepared(SQLite::Database& database, const std::string& sql);
    ~Prepared();
    Prepared(const Prepared&) = delete;
    bool step();
    void reset();
    /// `room`: where texts and blobs are copied to, for as long as they are bound; none: the caller keeps them.
    void bind(std::span<const Parameter> parameters, std::optional<std::span<char>> room);
  };

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
  };
  Prepared& prepared(std::string_view sql);

  SQLite::Database database_;
  std::unordered_map<std::string, std::vector<std::unique_ptr<Prepared>>, Hash, std::equal_to<>> statements_;
};

/// What an exception of SQLite means for all that comes after.
enum class Trouble {
  command,  // this statement alone
  full,     // no room: nothing was stored, and room may be made
  fatal,    // the file or the disk can be trusted no longer
};
Trouble trouble_of(const SQLite::Exception& problem);

/// A connection as a reader's Query.
class ReadQuery final : public Query {
 public:
  explicit ReadQuery(Connection& connection) : connection_{connection} {}

 protected:
  std::unique_ptr<Rows> run(std::string_view sql, std::span<const Parameter> parameters) override { return connection_.run(sql, parameters); }

 private:
  Connection& connection_;
};

}  // namespace loggia::sqlite
