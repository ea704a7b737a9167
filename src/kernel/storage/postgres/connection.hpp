#pragma once
// One connection to PostgreSQL in libpq's non-blocking and pipeline mode, with its prepared statements. Used by one thread at a time. What is
// sent is not waited for; what waits has a limit, so that a server that takes a connection and never answers holds nobody.
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include "loggia/kernel/storage.hpp"
#include "storage/postgres/failure.hpp"
#include "storage/postgres/text.hpp"

struct pg_conn;
struct pg_result;

namespace loggia::postgres {

struct Target {
  std::string url, schema, name;  // name: of the store, as the server shows it to its people
  milliseconds connecting{5000};
  milliseconds statement{10000};  // the longest that a statement may take there
  milliseconds row_lock{4000};
  milliseconds idle{5000};     // in a transaction, between two statements: who stands still there longer holds rows for nothing
  milliseconds answer{15000};  // what is not answered by then never will be
};

/// What a statement brought: rows, or how many it changed.
struct Reply {
  std::shared_ptr<pg_result> result;
  std::int64_t changed = 0;
  bool done = false;
};

class Connection {
 public:
  /// Throws Failure. The schema need not be there.
  explicit Connection(const Target& target);
  ~Connection();
  Connection(const Connection&) = delete;

  /// Sends; the answer comes with wait(). Errors of the statement come then too.
  std::shared_ptr<Reply> send(std::string_view sql, std::span<const Parameter> parameters);
  /// The same for a text that is in PostgreSQL's words already, as `key` names it.
  std::shared_ptr<Reply> send(const Text& text, std::string_view key, std::span<const Parameter> parameters);
  /// Of an INSERT that can be joined: so many rows of it, all parameters one after the other.
  void send_joined(std::string_view sql, std::size_t rows, std::span<const Parameter> parameters);
  void wait(Reply& reply);
  /// Until all that was sent has been answered. After an error nothing more is done until clear().
  void settle();
  /// Ends a row of statements of which one failed: what was sent behind it has not run. Its transaction, if one is open, is still to be
  /// rolled back.
  void clear();
  /// Several statements at once, without parameters, parsed each time; outside of everything else.
  void run(const std::string& sql);
  std::unique_ptr<Rows> select(std::string_view sql, std::span<const Parameter> parameters);

  /// False: answers may take as long as they take. A server that is dead is then found by its socket alone (keepalives, tcp_user_timeout).
  void hurry(bool on) { hurries_ = on; }
  const Text& text_of(std::string_view sql);
  /// The first error of what was sent, until clear().
  const std::optional<Failure>& failed() const { return failed_; }
  /// False where the server has hung up meanwhile, as far as can be seen without asking it.
  bool alive();
  bool usable() const { return usable_; }
  int version() const;

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
  };
  struct Prepared {
    Text text;
    std::unordered_map<std::string, std::string> names;  // by the kinds of its parameters
  };
  struct Pending {
    std::shared_ptr<Reply> reply;  // none: a preparation, or a point of synchronisation
    std::string* name = nullptr;   // of the preparation: forgotten where it did not come to be
    bool synchronises = false;
  };
  void connect();
  void set_up();
  Prepared& known(std::string_view key);
  void take_one();
  std::shared_ptr<pg_result> next();
  void note(pg_result* result);
  void pump(bool writing_too);
  void synchronise();
  [[noreturn]] void lose(const std::string& why);
  std::string said() const;

  const Target target_;
  pg_conn* handle_ = nullptr;
  std::unordered_map<std::string, Prepared, Hash, std::equal_to<>> statements_;
  std::size_t prepared_ = 0;
  std::deque<Pending> pending_;
  std::optional<Failure> failed_;
  bool hurries_ = true;
  bool asked_ = true;  // the server was asked to answer all that was sent
  bool usable_ = false;
};

/// A connection as a reader's Query.
class ReadQuery final : public Query {
 public:
  explicit ReadQuery(Connection& connection) : connection_{connection} {}

 protected:
  std::unique_ptr<Rows> run(std::string_view sql, std::span<const Parameter> parameters) override { return connection_.select(sql, parameters); }

 private:
  Connection& connection_;
};

}  // namespace loggia::postgres
