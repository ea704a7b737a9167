#include "storage/writer.hpp"
#include <pthread.h>
#include <sqlite3.h>
#include <algorithm>
#include "loggia/kernel/log.hpp"

namespace loggia::sqlite {
namespace {

constexpr std::size_t group_max = 512;
constexpr milliseconds probe_every(1000);

bool is_full(int code) { return (code & 0xFF) == SQLITE_FULL || code == SQLITE_IOERR_SHMSIZE; }
bool is_fatal(int code) {
  const int kind = code & 0xFF;
  return kind == SQLITE_IOERR || kind == SQLITE_CORRUPT || kind == SQLITE_NOTADB;
}
Error full() {
  Error error(Errc::insufficient_storage, "the server's disk is full; nothing was stored. Try again when room was made.");
  error.retry_after = 5;
  return error;
}

}  // namespace

/// One transaction of the database with the commands that run in it.
class Writer::Group final : public Transaction {
 public:
  explicit Group(Connection& connection) : connection_{connection} {}
  void on_commit(std::function<void()> action) override { after_.push_back(std::move(action)); }
  void before_commit(std::uint64_t order, std::function<void(Transaction&)> action) override { before_.emplace_back(order, std::move(action)); }

  struct Mark {
    std::size_t after, before;
  };
  Mark mark() const { return {after_.size(), before_.size()}; }
  void back_to(Mark mark) {
    after_.resize(mark.after);
    before_.resize(mark.before);
  }
  void run_before() {
    std::stable_sort(before_.begin(), before_.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
    for (std::size_t at = 0; at < before_.size(); ++at)
      if (at == 0 || before_[at].first != before_[at - 1].first) before_[at].second(*this);
  }
  void run_after() {
    for (auto& action : after_) action();
  }

 protected:
  std::unique_ptr<Rows> run(std::string_view sql, std::span<const Parameter> parameters) override { return connection_.run(sql, parameters); }
  std::int64_t change(std::string_view sql, std::span<const Parameter> parameters) override { return connection_.change(sql, parameters); }

 private:
  Connection& connection_;
  std::vector<std::function<void()>> after_;
  std::vector<std::pair<std::uint64_t, std::function<void(Transaction&)>>> before_;
};

Writer::Writer(std::unique_ptr<Connection> connection, Options options) : connection_{std::move(connection)}, options_{std::move(options)} {
  thread_ = std::thread([this] { run(); });
  pthread_setname_np(thread_.native_handle(), (options_.name.substr(0, 8) + "-writer").c_str());
}

Writer::~Writer() { close(); }

bool Writer::write(Moment deadline, Database::WriteWork work, Done done) { return enqueue({deadline, nullptr, std::move(work), std::move(done)}); }
bool Writer::read(Moment deadline, Database::ReadWork work, Done done) { return enqueue({deadline, std::move(work), nullptr, std::move(done)}); }

bool Writer::enqueue(Command command) {
  {
    const std::lock_guard lock(mutex_);
    if (closing_ || queue_.size() >= options_.queue) return false;
    queue_.push_back(std::move(command));
    if (queue_.size() > 1) return true;  // the writer is awake, or was told
  }
  wake_.notify_one();
  return true;
}

void Writer::close() {
  {
    const std::lock_guard lock(mutex_);
    closing_ = true;
  }
  wake_.notify_one();
  if (thread_.joinable()) thread_.join();
}

StorageFigures Writer::figures() const {
  StorageFigures figures;
  figures.groups = groups_.load();
  figures.commands = commands_.load();
  figures.failed = failed_.load();
  const std::lock_guard lock(mutex_);
  figures.waiting = queue_.size();
  return figures;
}

void Writer::run() {
  for (;;) {
    std::vector<Command> group;
    {
      std::unique_lock lock(mutex_);
      const auto ready = [this] { return closing_ || !queue_.empty(); };
      if (writable()) wake_.wait(lock, ready);
      else wake_.wait_for(lock, probe_every, ready);
      if (queue_.empty() && closing_) return;
      const auto count = std::min(queue_.size(), group_max);
      std::move(queue_.begin(), queue_.begin() + static_cast<std::ptrdiff_t>(count), std::back_inserter(group));
      queue_.erase(queue_.begin(), queue_.begin() + static_cast<std::ptrdiff_t>(count));
    }
    if (!writable()) probe();
    if (!group.empty()) run_group(std::move(group));
  }
}

void Writer::refuse(std::vector<Command>& commands, const Error& why) {
  failed_.fetch_add(commands.size());
  for (auto& command : commands) command.done(why);
}

void Writer::run_group(std::vector<Command> commands) {
  std::vector<Command> stored;
  for (auto& command : commands) {
    if (!command.read) continue;
    try {
      ReadQuery query(*connection_);
      command.read(query);
      command.done(true);
    } catch (const std::exception& problem) {
      log::error("storage.read_failed", Field("store", options_.name), Field("why", problem.what()));
      command.done(Error(Errc::internal, "the storage failed"));
    }
  }
  std::erase_if(commands, [](const Command& command) { return static_cast<bool>(command.read); });
  if (commands.empty()) return;
  if (!writable()) return refuse(commands, full());
  groups_.fetch_add(1);
  Group group(*connection_);
  bool committing = false;
  std::vector<Command*> kept;
  std::vector<std::pair<Command*, Error>> lost;  // answered after the others: their work was rolled back
  try {
    connection_->execute("BEGIN IMMEDIATE");
    const auto now = options_.clock->moment();
    for (auto& command : commands) {
      if (command.deadline < now) {
        lost.emplace_back(&command, Error(Errc::timeout, "there was no time left to begin"));
        continue;
      }
      const auto mark = group.mark();
      connection_->change("SAVEPOINT command", {});
      bool fine = false;
      std::optional<Error> thrown;
      try {
        fine = command.write(group);
      } catch (const SQLite::Exception& problem) {
        if (is_full(problem.getErrorCode()) || is_fatal(problem.getErrorCode())) throw;
        log::error("storage.command_failed", Field("store", options_.name), Field("why", problem.what()));
        thrown = Error(Errc::internal, "the storage failed");
      } catch (const std::exception& problem) {
        log::error("storage.command_failed", Field("store", options_.name), Field("why", problem.what()));
        thrown = Error(Errc::internal, "something went wrong inside the server");
      }
      if (!fine) {
        connection_->change("ROLLBACK TO command", {});
        group.back_to(mark);
      }
      connection_->change("RELEASE command", {});
      if (thrown) lost.emplace_back(&command, std::move(*thrown));
      else kept.push_back(&command);
    }
    group.run_before();
    committing = true;
    connection_->execute("COMMIT");
  } catch (const SQLite::Exception& problem) {
    const int code = problem.getErrorCode(), extended = problem.getExtendedErrorCode();
    try {
      connection_->execute("ROLLBACK");
    } catch (const SQLite::Exception&) {
      // It has rolled back by itself, as SQLite does after SQLITE_FULL and SQLITE_IOERR.
    }
    log::error("storage.group_failed", Field("store", options_.name), Field("why", problem.what()), Field("code", extended));
    if (is_full(code)) {
      writable_.store(false);
      return refuse(commands, full());
    }
    if (committing && is_fatal(code)) {
      // It may be in the file or not: whoever asks again with the same key will learn. This process goes no further.
      refuse(commands, Error(Errc::outcome_unknown, "the storage failed while it confirmed; it may or may not have happened. Repeat with the same key."));
    } else {
      refuse(commands, Error(Errc::internal, "the storage failed"));
    }
    if (is_fatal(code) && options_.on_fatal) options_.on_fatal("the storage of " + options_.name + " failed: " + problem.what());
    return;
  }
  commands_.fetch_add(kept.size());
  group.run_after();
  for (auto* command : kept) command->done(true);
  failed_.fetch_add(lost.size());
  for (auto& [command, why] : lost) command->done(why);
}

/// Whether there is room again: a write of the size of a few messages that leaves nothing behind.
void Writer::probe() {
  try {
    connection_->execute("BEGIN IMMEDIATE");
    connection_->execute("CREATE TABLE storage_probe(room BLOB); INSERT INTO storage_probe VALUES (zeroblob(262144)); DROP TABLE storage_probe");
    connection_->execute("COMMIT");
    writable_.store(true);
    log::info("storage.writable_again", Field("store", options_.name));
  } catch (const SQLite::Exception&) {
    try {
      connection_->execute("ROLLBACK");
    } catch (const SQLite::Exception&) {
      // Nothing was open.
    }
  }
}

}  // namespace loggia::sqlite
