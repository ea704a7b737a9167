#include "storage/postgres/writer.hpp"
#include <pthread.h>
#include <algorithm>
#include "loggia/kernel/log.hpp"
#include "storage/postgres/rows.hpp"

namespace loggia::postgres {
namespace {

constexpr std::size_t group_max = 512;
constexpr int tries_max = 20, patient_after = 10;
constexpr int apart_max = 3;              // as often a command by itself may meet a key that another process took meanwhile
constexpr milliseconds look_every(1000);  // whether the server is still there, while nothing is asked of it
constexpr milliseconds probe_every(1000);

Error full() {
  Error error(Errc::insufficient_storage, "the database's disk is full; nothing was stored. Try again when room was made.");
  error.retry_after = 5;
  return error;
}
Error busy() {
  Error error(Errc::unavailable, "others changed the same again and again; nothing was stored. Try again.");
  error.retry_after = 1;
  return error;
}
Error unknown() {
  return Error(Errc::outcome_unknown, "the database went away while it confirmed; it may or may not have happened. Repeat with the same key.");
}
Error storage_failed() { return Error(Errc::internal, "the storage failed"); }
Error broken() { return Error(Errc::unavailable, "the storage failed, and the process is ending"); }

/// No closure of the caller's lives on here once it has heard: it may hold the last reference to the store itself.
template <class Command> void answer(Command& command, Result<bool> result) {
  command.write = nullptr;
  command.ahead = nullptr;
  const auto done = std::exchange(command.done, nullptr);
  done(std::move(result));
}

}  // namespace

Error away() {
  Error error(Errc::unavailable, "the database is away; nothing was stored. Try again in a moment.");
  error.retry_after = 1;
  return error;
}
Error no_time() { return Error(Errc::timeout, "there was no time left; nothing was stored"); }

Writer::Writer(std::unique_ptr<Connection> connection, Options options)
    : options_{std::move(options)}, connection_{std::move(connection)}, backoff_{options_.real, options_.random} {
  Bytes16 bytes;
  options_.random->fill(bytes.data(), bytes.size());
  id_ = Uuid(bytes);
  // Rows of writers that ended without a word are in nobody's way, and are swept away in time.
  const auto now = options_.real->now();
  const Parameter mine[] = {Parameter(id_), Parameter(0), Parameter(now)}, old[] = {Parameter(Time(now - std::chrono::hours(24 * 90)))};
  connection_->send("INSERT INTO kernel_writer(id, number, at) VALUES (?1, ?2, ?3)", mine);
  connection_->send("DELETE FROM kernel_writer WHERE at < ?1", old);
  connection_->settle();
  thread_ = std::thread([this] { run(); });
  pthread_setname_np(thread_.native_handle(), (options_.target.name.substr(0, 8) + "-writer").c_str());
}
Writer::~Writer() { close(); }

bool Writer::write(Moment deadline, Database::WriteWork work, Done done, Database::AheadWork ahead) {
  {
    const std::lock_guard lock(mutex_);
    if (closing_ || queue_.size() >= options_.queue) return false;
    queue_.push_back({deadline, std::move(work), std::move(done), std::move(ahead)});
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
  connection_.reset();
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

std::string Writer::unwritable() const {
  if (broken_) return "its data is damaged: the process is ending";
  return connected_ ? "refuses writes: the database's disk is full" : "the database is away; it is tried again";
}

void Writer::run() {
  for (;;) {
    bool waited = false;
    {
      std::unique_lock lock(mutex_);
      waited = !wake_.wait_for(lock, connected_ ? look_every : milliseconds(50), [this] { return closing_ || !queue_.empty(); });
      if (queue_.empty() && closing_) break;
    }
    turn(waited);
  }
  try {
    // Nobody asks for a writer that ended as it should. What bars a commit that is still on its way stays.
    const Parameter parameters[] = {Parameter(id_)};
    if (barred_) return;
    if (connection_ && connection_->usable()) connection_->send("DELETE FROM kernel_writer WHERE id = ?1", parameters);
    if (connection_ && connection_->usable()) connection_->settle();
  } catch (const Failure&) {
    // Its row is swept away after some days.
  }
}

void Writer::turn(bool waited) {
  Commands commands;
  {
    const std::lock_guard lock(mutex_);
    const auto count = std::min(queue_.size(), group_max);
    std::move(queue_.begin(), queue_.begin() + static_cast<std::ptrdiff_t>(count), std::back_inserter(commands));
    queue_.erase(queue_.begin(), queue_.begin() + static_cast<std::ptrdiff_t>(count));
  }
  if (connection_ && !connection_->alive()) disconnect("the server hung up");
  if (!connection_ && (connected_ || backoff_.due())) connect();
  if (connection_ && full_ && (waited || options_.clock->moment() - probed_ >= probe_every)) probe();
  if (commands.empty()) return;
  if (broken_) return refuse(commands, broken());
  if (!connection_) return refuse(commands, away());
  if (full_) return refuse(commands, full());
  run_group(std::move(commands));
}

void Writer::refuse(Commands& commands, const Error& why) {
  failed_.fetch_add(commands.size());
  for (auto& command : commands) answer(command, why);
}

void Writer::answer_all(Commands& commands, Wrong& wrong) {
  for (std::size_t at = 0; at < commands.size(); ++at) {
    if (wrong[at]) failed_.fetch_add(1);
    answer(commands[at], wrong[at] ? Result<bool>(*wrong[at]) : Result<bool>(true));
  }
}

/// Together first; where one fails, one by one with a savepoint each; again where it met another process, or the connection was an old one.
void Writer::run_group(Commands commands) {
  groups_.fetch_add(1);
  commands_.fetch_add(commands.size());
  Locks locks;
  bool apart = false;
  for (int tries = 1;; ++tries) {
    Wrong wrong(commands.size());
    bool committing = false;
    Group group(*connection_, era_);
    try {
      group.say("BEGIN");
      group.take(locks);
      if (tries > patient_after) group.be_patient();
      run_all(commands, group, wrong, apart);
      group.run_before();
      group.flush();
      committing = true;
      commit(group);
      for (auto& action : group.take_after()) action();
      return answer_all(commands, wrong);
    } catch (const Failure& failure) {
      locks = group.wanted();
      auto trouble = failure.trouble;
      if (trouble != Trouble::lost) {
        try {
          roll_back();
        } catch (const Failure&) {
          trouble = Trouble::lost;
          committing = false;  // its error came: it is not there
        }
      }
      if (trouble == Trouble::again) log::debug("storage.group_met_another", Field("store", options_.target.name), Field("why", failure.what()));
      else if (apart || trouble != Trouble::command)
        log::warn("storage.group_failed", Field("store", options_.target.name), Field("why", failure.what()), Field("tries", tries));
      switch (trouble) {
        case Trouble::lost:
          disconnect(failure.what());
          if (committing) {
            doubt_.emplace(number_, group.take_after());
            const auto truth = find_out();
            if (truth == Truth::committed) return answer_all(commands, wrong);
            if (truth == Truth::unknown) return refuse(commands, unknown());
          }
          if (tries == 1 && (connection_ || connect())) continue;
          return refuse(commands, away());
        case Trouble::again:
        case Trouble::late:
        case Trouble::command:
          if (trouble == Trouble::again && tries == tries_max) return refuse(commands, busy());
          if (trouble != Trouble::again && apart) return refuse(commands, trouble == Trouble::late ? no_time() : storage_failed());
          apart = apart || trouble != Trouble::again;
          continue;
        case Trouble::full:
          full_.store(true);
          probed_ = options_.clock->moment();
          return refuse(commands, full());
        case Trouble::fatal:
          broken_.store(true);
          refuse(commands, storage_failed());
          if (options_.on_fatal) options_.on_fatal("the storage of " + options_.target.name + " failed: " + failure.what());
          return;
      }
    } catch (const std::exception& problem) {
      log::error("storage.group_failed", Field("store", options_.target.name), Field("why", problem.what()));
      try {
        roll_back();
      } catch (const Failure& failure) {
        disconnect(failure.what());
      }
      return refuse(commands, Error(Errc::internal, "something went wrong inside the server"));
    }
  }
}

/// What is refused or throws leaves nothing, and the others of the group stay: as with SQLite (writer.cpp there). An error of a statement that
/// nobody waited for comes out anywhere behind it: then the whole group is run apart.
void Writer::run_all(Commands& commands, Group& group, Wrong& wrong, bool apart) {
  std::vector<bool> done(commands.size(), true);
  std::size_t reached = 0;
  if (!apart)
    for (const auto& command : commands)
      if (command.ahead) command.ahead(group);
  for (; reached < commands.size() && !apart; ++reached) {
    const auto mark = group.mark();
    const auto writes = group.writes();
    done[reached] = run_command(commands[reached], group, wrong[reached]);
    if (connection_->failed()) throw *connection_->failed();
    if (done[reached]) continue;
    group.back_to(mark);
    if (group.writes() == writes) continue;
    roll_back();
    group.back_to(Group::Mark());
    group.undone();
    group.say("BEGIN");
    group.take(Locks(group.wanted()));
    apart = true;
  }
  if (!apart) return;
  for (std::size_t at = 0; at < commands.size(); ++at)
    for (int tries = 1; done[at] && run_apart(commands[at], group, wrong[at]) && tries < apart_max; ++tries) {
    }
}

/// True where it met a key that is there already: another process may have taken it since the command looked, which sees it the next time.
bool Writer::run_apart(Command& command, Group& group, std::optional<Error>& wrong) {
  const auto mark = group.mark();
  group.say("SAVEPOINT command");
  bool good = run_command(command, group, wrong);
  try {
    if (!connection_->failed()) group.settle();
  } catch (const Failure&) {
    good = false;
  }
  const auto failed = connection_->failed();
  if (failed) {
    if (failed->trouble != Trouble::command && failed->trouble != Trouble::late) throw *failed;
    log::error("storage.command_failed", Field("store", options_.target.name), Field("why", failed->what()));
    wrong = failed->trouble == Trouble::late ? no_time() : storage_failed();
    good = false;
    connection_->clear();
  }
  if (!good) {
    group.say("ROLLBACK TO SAVEPOINT command");
    group.back_to(mark);
    group.undone();
  }
  group.say("RELEASE SAVEPOINT command");
  return failed && failed->state == "23505";
}

/// False where nothing of it may stay; `wrong` says why where it did not answer by itself.
bool Writer::run_command(Command& command, Group& group, std::optional<Error>& wrong) {
  wrong.reset();
  if (command.deadline < options_.clock->moment()) {
    wrong = Error(Errc::timeout, "there was no time left to begin");
    return false;
  }
  try {
    return command.write(group);
  } catch (const Failure&) {
    // Told by the connection, whoever sees it first.
  } catch (const std::exception& problem) {
    if (connection_->failed()) return false;
    log::error("storage.command_failed", Field("store", options_.target.name), Field("why", problem.what()));
    wrong = Error(Errc::internal, "something went wrong inside the server");
  }
  return false;
}

/// With a row that says so: whoever asks after a broken connection sees whether it is there, whatever became of the server meanwhile. Numbers
/// ascend; one that was barred meanwhile (recovery.cpp) divides by zero, so that nothing of its transaction stays.
void Writer::commit(Group& group) {
  ++number_;
  if (group.writes() > 0)
    group.execute(
        "INSERT INTO kernel_writer(id, number, at) VALUES (?1, ?2, ?3) ON CONFLICT (id) DO UPDATE "
        "SET number = excluded.number / CASE WHEN kernel_writer.number < excluded.number THEN 1 ELSE 0 END, at = excluded.at",
        id_, number_, options_.real->now());
  const auto told = connection_->send("COMMIT", {});
  connection_->settle();
  if (!said_commit(*told)) throw Failure(Trouble::command, "", "the server rolled back instead of committing");
}

void Writer::roll_back() {
  connection_->clear();
  connection_->send("ROLLBACK", {});
  connection_->settle();
}

}  // namespace loggia::postgres
