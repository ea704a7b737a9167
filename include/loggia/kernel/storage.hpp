#pragma once
// A module's own data. One writer with group commit: what has gathered runs in one transaction, where a command that is refused
// leaves nothing, with one sync; then all are answered; no waiting window. Readers are separate connections that never block the writer.
// Store functions are plain functions over Query or Transaction; they run on the store's threads and may not wait for anything else.
#include <algorithm>
#include <array>
#include <concepts>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>
#include "loggia/kernel/contract.hpp"

namespace loggia {

/// A value for a `?` of a statement. Ids are blobs of 16 bytes, times integers (milliseconds since 1970), flags 0 and 1.
/// Texts and ids are borrowed: they live until the statement has run.
class Parameter {
 public:
  Parameter(std::nullptr_t) {}
  Parameter(std::nullopt_t) {}
  Parameter(bool flag) : value_{std::int64_t{flag}} {}
  template <std::integral T> Parameter(T number) : value_{static_cast<std::int64_t>(number)} {}
  Parameter(std::string_view text) : value_{text} {}
  Parameter(const std::string& text) : value_{std::string_view(text)} {}
  Parameter(const char* text) : value_{std::string_view(text)} {}
  Parameter(Time time) : value_{static_cast<std::int64_t>(time.time_since_epoch().count())} {}
  template <class Tag> Parameter(const Id<Tag>& id) : value_{std::span<const std::uint8_t>(id.bytes())} {}
  Parameter(std::span<const std::uint8_t> blob) : value_{blob} {}
  template <class T> Parameter(const std::optional<T>& value) {
    if (value) *this = Parameter(*value);
  }
  using Value = std::variant<std::monostate, std::int64_t, std::string_view, std::span<const std::uint8_t>>;
  const Value& value() const { return value_; }

 private:
  Value value_;
};

/// The rows of a running statement, in order. Views are good until next().
class Rows {
 public:
  virtual ~Rows() = default;
  virtual bool next() = 0;
  virtual std::int64_t integer(int column) const = 0;
  virtual std::string_view text(int column) const = 0;
  virtual std::span<const std::uint8_t> blob(int column) const = 0;
  virtual bool null(int column) const = 0;

  std::string string(int column) const { return std::string(text(column)); }
  bool flag(int column) const { return integer(column) != 0; }
  Time time(int column) const { return Time(milliseconds(integer(column))); }
  template <class T> T id(int column) const {
    Bytes16 bytes{};
    const auto found = blob(column);
    if (found.size() == bytes.size()) std::copy(found.begin(), found.end(), bytes.begin());
    return T(bytes);
  }
  std::optional<std::int64_t> maybe_integer(int column) const { return null(column) ? std::nullopt : std::optional(integer(column)); }
  std::optional<std::string> maybe_string(int column) const { return null(column) ? std::nullopt : std::optional(string(column)); }
  std::optional<Time> maybe_time(int column) const { return null(column) ? std::nullopt : std::optional(time(column)); }
  template <class T> std::optional<T> maybe_id(int column) const { return null(column) ? std::nullopt : std::optional(id<T>(column)); }
};

/// Reads. Statements are prepared once a connection and kept; `sql` is a literal, never built from input. Parameters are ?1, ?2, …
class Query {
 public:
  virtual ~Query() = default;
  template <class... P> std::unique_ptr<Rows> select(std::string_view sql, const P&... parameters) {
    const std::array<Parameter, sizeof...(P)> all{Parameter(parameters)...};
    return run(sql, std::span<const Parameter>(all));
  }
  /// For conditions that differ from call to call; the list is built beside the text.
  std::unique_ptr<Rows> select_with(std::string_view sql, const std::vector<Parameter>& parameters) { return run(sql, parameters); }

 protected:
  virtual std::unique_ptr<Rows> run(std::string_view sql, std::span<const Parameter> parameters) = 0;
};

/// Writes, on the writer's thread. What throws or returns an error is rolled back to where it began; the others of its group stay.
class Transaction : public Query {
 public:
  /// The number of rows that changed.
  template <class... P> std::int64_t execute(std::string_view sql, const P&... parameters) {
    const std::array<Parameter, sizeof...(P)> all{Parameter(parameters)...};
    return change(sql, std::span<const Parameter>(all));
  }
  /// Runs on the writer's thread once the transaction is durable, in the order of the calls, before the answers go out. Dropped when
  /// the command is rolled back. Must not throw or block: it moves what was committed into caches.
  virtual void on_commit(std::function<void()> action) = 0;
  /// Runs once before the group's commit, in ascending order of `order`, even where many commands of the group ask for the same
  /// `order`: the log's head rows.
  virtual void before_commit(std::uint64_t order, std::function<void(Transaction&)> action) = 0;

 protected:
  virtual std::int64_t change(std::string_view sql, std::span<const Parameter> parameters) = 0;
};

/// A numbered step of a module's schema: `0001_rooms.sql`. Numbers ascend from 1 without holes; a text that has run never changes.
struct Migration {
  int number;
  std::string_view name;
  std::string_view sql;
};

/// Metrics of a store, for /metrics and the tests. Counters since the start.
struct StorageFigures {
  std::uint64_t groups = 0, commands = 0, failed = 0;
  std::size_t waiting = 0;
};

/// Safe from every shard. Answers on the caller's shard. A full queue of the writer is Errc::unavailable.
class Database {
 public:
  virtual ~Database() = default;

  /// `work(Query&) -> Result<T>` on a reader.
  template <class F> auto read(const Context& context, F work) -> boost::asio::awaitable<std::invoke_result_t<F, Query&>> {
    using R = std::invoke_result_t<F, Query&>;
    auto out = std::make_shared<std::optional<R>>();
    ReadWork job = [out, work = std::move(work)](Query& query) mutable { out->emplace(work(query)); };
    auto done = co_await run_read(context.deadline(), std::move(job));
    if (!done) co_return done.error();
    co_return std::move(**out);
  }
  /// `work(Transaction&) -> Result<T>` on the writer; answered when durable. It may run twice, the first time undone: it must not use up
  /// what it holds. Errc::outcome_unknown where the commit failed in a way that leaves it open; then the process ends soon after (fail-stop).
  template <class F> auto write(const Context& context, F work) -> boost::asio::awaitable<std::invoke_result_t<F, Transaction&>> {
    using R = std::invoke_result_t<F, Transaction&>;
    auto out = std::make_shared<std::optional<R>>();
    WriteWork job = [out, work = std::move(work)](Transaction& transaction) mutable {
      out->emplace(work(transaction));
      return (*out)->has_value();
    };
    auto done = co_await run_write(context.deadline(), std::move(job));
    if (!done) co_return done.error();
    co_return std::move(**out);
  }

  /// The same, blocking, for start-up and the threads of commands: not from a shard, not from the store's threads.
  template <class F> auto read_now(F work) -> std::invoke_result_t<F, Query&> {
    std::optional<std::invoke_result_t<F, Query&>> out;
    auto done = block_read([&](Query& query) { out.emplace(work(query)); });
    if (!done) return done.error();
    return std::move(*out);
  }
  template <class F> auto write_now(F work) -> std::invoke_result_t<F, Transaction&> {
    std::optional<std::invoke_result_t<F, Transaction&>> out;
    auto done = block_write([&](Transaction& transaction) {
      out.emplace(work(transaction));
      return out->has_value();
    });
    if (!done) return done.error();
    return std::move(*out);
  }

  virtual StorageFigures figures() const = 0;
  /// False while writes are refused (disk full); reads go on.
  virtual bool writable() const = 0;
  virtual std::string name() const = 0;
  /// Empties the caches of pages; they fill again. May block for as long as a commit: not from a shard, and not after close().
  virtual void release_memory() {}
  /// Takes no more, finishes what was taken, closes. Blocks; not from a shard. Idempotent.
  virtual void close() = 0;

  using ReadWork = std::function<void(Query&)>;
  using WriteWork = std::function<bool(Transaction&)>;  // false: roll back

 protected:
  virtual Async<bool> run_read(Moment deadline, ReadWork work) = 0;
  virtual Async<bool> run_write(Moment deadline, WriteWork work) = 0;
  virtual Result<bool> block_read(ReadWork work) = 0;
  virtual Result<bool> block_write(WriteWork work) = 0;
};

/// Opens `DIR/NAME.db` (SQLite), migrates it and answers. Errors say what to do. `shards` bring answers home.
struct DatabaseOptions {
  std::filesystem::path directory;  // empty: in memory, for tests
  std::string name;
  std::vector<Migration> migrations;  // the kernel's own (log, positions, idempotency) run first
  bool keep_before_migration = true;
  bool dry_run = false;
  std::size_t readers = 2;
  std::size_t queue = 10000;
  std::shared_ptr<Clock> clock;  // required
  /// Called on the writer's thread where the process must end: the storage can no longer be trusted.
  std::function<void(const std::string& why)> on_fatal;
};
Result<std::shared_ptr<Database>> open_database(DatabaseOptions options);

/// The steps that opening would run, a line each; empty: up to date.
Result<std::vector<std::string>> pending_migrations(const DatabaseOptions& options);

/// Answers a request with an Idempotency-Key as it was answered first (contract, section 2): `make` runs once for (user, key), its
/// answer is stored in the same transaction, for 24 h. Another request with the same key: Errc::invalid_request.
/// Without a key, or for a caller that is nobody, `make` just runs. Stored: `encode_answer(reply)`, read again by `decode_answer`.
struct Idempotency {
  static Result<std::optional<std::string>> stored(Transaction& transaction, const Context& context, std::string_view fingerprint, Time now);
  static void keep(Transaction& transaction, const Context& context, std::string_view fingerprint, std::string_view answer, Time now);
};

}  // namespace loggia
