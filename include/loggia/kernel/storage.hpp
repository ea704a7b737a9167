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
  template <class T> Parameter(const std::optional<T>& value) : kind_{kind_of<T>()} {
    if (value) value_ = Parameter(*value).value_;
  }
  using Value = std::variant<std::monostate, std::int64_t, std::string_view, std::span<const std::uint8_t>>;
  const Value& value() const { return value_; }
  /// What the value is, or would be were it not null: PostgreSQL wants to know. `any`: a null of no type.
  enum class Kind : std::uint8_t { any, integer, text, blob };
  Kind kind() const { return value_.index() == 0 ? kind_ : static_cast<Kind>(value_.index()); }

 private:
  template <class T> static constexpr Kind kind_of() {
    if (std::is_integral_v<T> || std::is_same_v<T, Time>) return Kind::integer;
    return std::is_convertible_v<const T&, std::string_view> ? Kind::text : Kind::blob;
  }
  Value value_;
  Kind kind_ = Kind::any;
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
/// One text serves SQLite and PostgreSQL: ON CONFLICT for OR IGNORE and OR REPLACE, a comparison where a truth is wanted, `instr` as SQLite has
/// it. With PostgreSQL a statement is sent at once and its answer waited for when it is looked at: two selects before the first next() are one
/// journey.
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

class Transaction;

/// How many rows a statement changed: a number as soon as it is used as one, within its command. Where nobody asks, PostgreSQL is not waited
/// for; an error comes out later in the command, or at its end.
class Changes {
 public:
  explicit Changes(std::int64_t count) : count_{count} {}
  /// Of the `ticket`th statement of a transaction.
  Changes(Transaction& transaction, std::int64_t ticket) : transaction_{&transaction}, count_{ticket} {}
  operator std::int64_t() const;

 private:
  Transaction* transaction_ = nullptr;
  std::int64_t count_;
};

/// Writes, on the writer's thread. What throws or returns an error is rolled back to where it began; the others of its group stay.
class Transaction : public Query {
 public:
  template <class... P> Changes execute(std::string_view sql, const P&... parameters) {
    const std::array<Parameter, sizeof...(P)> all{Parameter(parameters)...};
    return change(sql, std::span<const Parameter>(all));
  }
  /// For statements whose shape is known at run time only; the list is built beside the text.
  Changes execute_with(std::string_view sql, const std::vector<Parameter>& parameters) { return change(sql, parameters); }
  /// Keeps the row that `sql` selects as it is until the commit, where other processes write too (PostgreSQL); SQLite's one writer needs
  /// nothing. Before what it guards is read. `rank`, and then the first parameter, is the order in which everybody takes rows: who meets
  /// it otherwise does not wait, and is run again. True where it was taken now: what was known of the row may be old.
  template <class... P> bool lock(int rank, std::string_view sql, const P&... parameters) {
    const std::array<Parameter, sizeof...(P)> all{Parameter(parameters)...};
    return hold(rank, sql, std::span<const Parameter>(all));
  }
  /// Runs on the writer's thread once the transaction is durable, in the order of the calls, before the answers go out. Dropped when
  /// the command is rolled back. Must not throw or block: it moves what was committed into caches.
  virtual void on_commit(std::function<void()> action) = 0;
  /// Runs once before the group's commit, in ascending order of `order`, even where many commands of the group ask for the same
  /// `order`: the log's head rows.
  virtual void before_commit(std::uint64_t order, std::function<void(Transaction&)> action) = 0;
  /// What a command has read under a lock holds for the commands behind it as long as this is the same: a new group has another, and so
  /// has what comes after something was undone. 0: nothing is to be kept, since reading costs nothing (SQLite).
  virtual std::uint64_t era() const { return 0; }

 protected:
  virtual Changes change(std::string_view sql, std::span<const Parameter> parameters) = 0;
  virtual bool hold(int, std::string_view, std::span<const Parameter>) { return false; }
  virtual std::int64_t changed(std::int64_t ticket) { return ticket; }
  friend class Changes;
};
inline Changes::operator std::int64_t() const { return transaction_ ? transaction_->changed(count_) : count_; }

/// A numbered step of a module's schema: `0001_rooms.sql`. Numbers ascend from 1 without holes; a text that has run never changes.
struct Migration {
  int number;
  std::string_view name;
  std::string_view sql;
  std::string_view postgres = std::string_view();  // the same step there; none: one text serves both
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
  /// `work(Transaction&) -> Result<T>` on the writer; answered when durable. It may run several times, all but the last undone: it must not
  /// use up what it holds. Errc::outcome_unknown where the commit failed in a way that leaves it open; SQLite's process ends soon after.
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

  /// The same with `ahead(Transaction&)`, which sends for what `work` will look at: before the first command of a group runs, for all of
  /// them in one journey (PostgreSQL). It may lock and select and writes nothing; not every run of `work` has one before it.
  template <class F, class G> auto write(const Context& context, F work, G ahead) -> boost::asio::awaitable<std::invoke_result_t<F, Transaction&>> {
    using R = std::invoke_result_t<F, Transaction&>;
    auto out = std::make_shared<std::optional<R>>();
    WriteWork job = [out, work = std::move(work)](Transaction& transaction) mutable {
      out->emplace(work(transaction));
      return (*out)->has_value();
    };
    AheadWork before = std::move(ahead);
    auto done = co_await run_foreseen(context.deadline(), std::move(job), std::move(before));
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
  /// False while writes are refused: a full disk, where reads go on, or a server that is away.
  virtual bool writable() const = 0;
  /// Why, for whoever asks whether the process is ready.
  virtual std::string unwritable() const { return "refuses writes: the disk is full"; }
  virtual std::string name() const = 0;
  /// Other processes may write here too. What this one keeps in memory of it is not all there is.
  virtual bool shared() const { return false; }
  /// Empties the caches of pages; they fill again. May block for as long as a commit: not from a shard, and not after close().
  virtual void release_memory() {}
  /// Takes no more, finishes what was taken, closes. Blocks; not from a shard. Idempotent.
  virtual void close() = 0;

  using ReadWork = std::function<void(Query&)>;
  using WriteWork = std::function<bool(Transaction&)>;  // false: roll back
  using AheadWork = std::function<void(Transaction&)>;

 protected:
  virtual Async<bool> run_read(Moment deadline, ReadWork work) = 0;
  virtual Async<bool> run_write(Moment deadline, WriteWork work) = 0;
  virtual Async<bool> run_foreseen(Moment deadline, WriteWork work, AheadWork) { return run_write(deadline, std::move(work)); }
  virtual Result<bool> block_read(ReadWork work) = 0;
  virtual Result<bool> block_write(WriteWork work) = 0;
};

/// Opens `DIR/NAME.db` (SQLite) or the schema NAME of a PostgreSQL, migrates it and answers. Errors say what to do, and tell no password;
/// Errc::invalid_request where the configuration is what has to change.
struct DatabaseOptions {
  std::filesystem::path directory;  // empty: in memory, for tests
  std::string postgres;             // postgresql://…; empty: SQLite
  std::string schema;               // empty: named as the store
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

/// Of the PostgreSQL library, as "15.18"; empty: this build has none.
std::string postgres_library();

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
