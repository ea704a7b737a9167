#include "storage/writer.hpp"
#include <pthread.h>
#include <algorithm>
#include "loggia/kernel/log.hpp"
#include "loggia/kernel/mutant.hpp"

namespace loggia::sqlite {
namespace {

constexpr std::size_t group_max = 512;
constexpr milliseconds probe_every(1000);

Error full() {
  Error error(Errc::insufficient_storage, "the server's disk is full; nothing was stored. Try again when room was made.");
  error.retry_after = 5;
  return error;
}
/// No closure of the caller's lives on here once it has heard: it may hold the last reference to the store itself.
template <class Command> void answer(Command& command, Result<bool> result) {
  command.read = nullptr;
  command.write = nullptr;
  const auto done = std::exchange(command.done, nullptr);
  if (LOGGIA_MUTANT_IS(ack_before_commit) && !done) return;
  done(std::move(result));
}

}  // namespace

Error ending() { return Error(Errc::unavailable, "the storage failed, and the process is ending"); }

/// One transaction of the database with the commands that run in it.
class Writer::Group final : public Transaction {
 public:
  explicit Group(Connection& connection) : connection_{connection} {}
  void on_commit(std::function<void()> action) override { after_.push_back(std::move(action)); }
  void before_commit(std::uint64_t order, std::function<void(Transaction&)> action) override { before_.emplace_back(order, std::move(action)); }

  struct Mark {
    std::size_t after = 0, before = 0;
  };
  Mark mark() const { return Mark{after_.size(), before_.size()}; }
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
    after_.clear();
    before_.clear();
  }

 protected:
  std::unique_ptr<Rows> run(std::string_view sql, std::span<const Parameter> parameters) override { return connection_.run(sql, parameters); }
  Changes change(std::string_view sql, std::span<const Parameter> parameters) override { return Changes(connection_.change(sql, parameters)); }

 private:
  Connection& connection_;
  std::vector<std::function<void()>> after_;
  std::vector<std::pair<std::uint64_t, std::function<void(Transaction&)>>> before_;
};

Writer::Writer(std::shared_ptr<Connection> connection, Options options) : connection_{std::move(connection)}, options_{std::move(options)} {
  if (options_.wake) return;
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
  if (options_.wake) options_.wake();
  else wake_.notify_one();
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
    bool waited_out = false;
    {
      std::unique_lock lock(mutex_);
      const auto ready = [this] { return closing_ || !queue_.empty(); };
      if (writable()) wake_.wait(lock, ready);
      else waited_out = !wake_.wait_for(lock, probe_every, ready);
      if (queue_.empty() && closing_) return;
    }
    turn(waited_out);
  }
}

void Writer::turn(bool waited) {
  std::vector<Command> group;
  {
    const std::lock_guard lock(mutex_);
    const auto count = std::min(queue_.size(), group_max);
    std::move(queue_.begin(), queue_.begin() + static_cast<std::ptrdiff_t>(count), std::back_inserter(group));
    queue_.erase(queue_.begin(), queue_.begin() + static_cast<std::ptrdiff_t>(count));
  }
  if (!writable() && !broken_ && (waited || options_.clock->moment() - probed_ >= probe_every)) probe();
  if (!group.empty()) run_group(std::move(group));
}

void Writer::refuse(std::vector<Command>& commands, const Error& why) {
  failed_.fetch_add(commands.size());
  for (auto& command : commands) answer(command, why);
}

void Writer::roll_back() {
  try {
    connection_->transact("ROLLBACK");
  } catch (const SQLite::Exception&) {
    // It has rolled back by itself, as SQLite does after SQLITE_FULL and SQLITE_IOERR.
  }
}

void Writer::run_group(std::vector<Command> commands) {
  run_reads(commands);
  if (commands.empty()) return;
  if (broken_) return refuse(commands, ending());
  if (!writable()) return refuse(commands, full());
  groups_.fetch_add(1);
  Group group(*connection_);
  std::vector<std::optional<Error>> wrong(commands.size());  // answered with it: their work was rolled back
  bool committing = false;
  try {
    run_all(commands, group, wrong);
    group.run_before();
    committing = true;
    if (LOGGIA_MUTANT_IS(ack_before_commit))
      for (std::size_t at = 0; at < commands.size(); ++at)
        if (!wrong[at]) answer(commands[at], true);
    connection_->transact("COMMIT");
  } catch (const SQLite::Exception& problem) {
    return group_failed(commands, problem, committing);
  } catch (const std::exception& problem) {
    roll_back();
    log::error("storage.group_failed", Field("store", options_.name), Field("why", problem.what()));
    return refuse(commands, Error(Errc::internal, "something went wrong inside the server"));
  }
  group.run_after();
  for (std::size_t at = 0; at < commands.size(); ++at) {
    (wrong[at] ? failed_ : commands_).fetch_add(1);
    answer(commands[at], wrong[at] ? Result<bool>(*wrong[at]) : Result<bool>(true));
  }
}

/// Of a database in memory: they run on the one connection that there is, between two groups.
void Writer::run_reads(std::vector<Command>& commands) {
  for (auto& command : commands) {
    if (!command.read) continue;
    if (command.deadline < options_.clock->moment()) {
      answer(command, Error(Errc::timeout, "there was no time left to begin"));
      continue;
    }
    try {
      ReadQuery query(*connection_);
      command.read(query);
      answer(command, true);
    } catch (const std::exception& problem) {
      log::error("storage.read_failed", Field("store", options_.name), Field("why", problem.what()));
      answer(command, Error(Errc::internal, "the storage failed"));
    }
  }
  std::erase_if(commands, [](const Command& command) { return !command.done; });
}

/// What is refused or throws leaves nothing, and the others of the group stay. A savepoint for each would do that, and would copy every page
/// that a command touches; so they run without. Where one of the few that fail has changed something first, all is undone, and what was done
/// before it is done once more; from there on each has a savepoint.
void Writer::run_all(std::vector<Command>& commands, Group& group, std::vector<std::optional<Error>>& wrong) {
  connection_->transact("BEGIN IMMEDIATE");
  std::vector<bool> done(commands.size());
  for (std::size_t at = 0; at < commands.size(); ++at) {
    const auto mark = group.mark();
    const auto changes = connection_->changes();
    done[at] = run_command(commands[at], group, wrong[at]);
    if (done[at]) continue;
    group.back_to(mark);
    if (connection_->changes() == changes) continue;
    connection_->transact("ROLLBACK");
    group.back_to(Group::Mark());
    connection_->transact("BEGIN IMMEDIATE");
    for (std::size_t one = 0; one < commands.size(); ++one)
      if (one > at || done[one]) run_undoable(commands[one], group, wrong[one]);
    return;
  }
}

void Writer::run_undoable(Command& command, Group& group, std::optional<Error>& wrong) {
  const auto mark = group.mark();
  connection_->transact("SAVEPOINT command");
  if (!run_command(command, group, wrong)) {
    connection_->transact("ROLLBACK TO command");
    group.back_to(mark);
  }
  connection_->transact("RELEASE command");
}

/// False where nothing of it may stay; `wrong` says why where it did not answer by itself. Throws where the whole group is lost.
bool Writer::run_command(Command& command, Group& group, std::optional<Error>& wrong) {
  wrong.reset();
  if (command.deadline < options_.clock->moment()) {
    wrong = Error(Errc::timeout, "there was no time left to begin");
    return false;
  }
  try {
    return command.write(group);
  } catch (const SQLite::Exception& problem) {
    // Short of memory, SQLite may have rolled back the whole transaction by itself.
    if (trouble_of(problem) != Trouble::command || !connection_->in_transaction()) throw;
    log::error("storage.command_failed", Field("store", options_.name), Field("why", problem.what()));
    wrong = Error(Errc::internal, "the storage failed");
  } catch (const std::exception& problem) {
    log::error("storage.command_failed", Field("store", options_.name), Field("why", problem.what()));
    wrong = Error(Errc::internal, "something went wrong inside the server");
  }
  return false;
}

void Writer::group_failed(std::vector<Command>& commands, const SQLite::Exception& problem, bool committing) {
  const auto trouble = trouble_of(problem);
  roll_back();
  log::error("storage.group_failed", Field("store", options_.name), Field("why", problem.what()), Field("code", problem.getExtendedErrorCode()));
  switch (trouble) {
    case Trouble::full:
      writable_.store(false);
      probed_ = options_.clock->moment();
      return refuse(commands, full());
    case Trouble::command:
      return refuse(commands, Error(Errc::internal, "the storage failed"));
    case Trouble::fatal:
      break;
  }
  broken_ = true;
  writable_.store(false);
  // At the commit it may be in the file or not: whoever asks again with the same key will learn. This process goes no further.
  refuse(commands,
         committing && !LOGGIA_MUTANT_IS(unknown_called_failed)
             ? Error(Errc::outcome_unknown, "the storage failed while it confirmed; it may or may not have happened. Repeat with the same key.")
             : Error(Errc::internal, "the storage failed"));
  if (options_.on_fatal) options_.on_fatal("the storage of " + options_.name + " failed: " + problem.what());
}

/// Whether there is room again: a write of the size of a few messages that leaves nothing behind. A row, not a table: a change of the
/// schema has every connection read it again and prepare all its statements anew.
void Writer::probe() {
  probed_ = options_.clock->moment();
  try {
    connection_->transact("BEGIN IMMEDIATE");
    connection_->change("INSERT INTO kernel_value(name, value) VALUES ('storage.probe', zeroblob(262144))", {});
    connection_->change("DELETE FROM kernel_value WHERE name = 'storage.probe'", {});
    connection_->transact("COMMIT");
    writable_.store(true);
    log::info("storage.writable_again", Field("store", options_.name));
  } catch (const SQLite::Exception&) {
    roll_back();
  }
}

}  // namespace loggia::sqlite
