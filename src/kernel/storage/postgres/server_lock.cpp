#include "storage/postgres/server_lock.hpp"
#include <pthread.h>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <thread>
#include "loggia/kernel/log.hpp"
#include "storage/postgres/connection.hpp"
#include "storage/postgres/open.hpp"

namespace loggia::postgres {
namespace {

constexpr const char* seed = "2291892601697171062";  // half of the first eight bytes of SHA-256("loggia server"); of each database apart
constexpr milliseconds tried_every(200);
/// A server whose client's machine has lost its power learns of it in some 10 s, and not after two hours.
constexpr const char* watched =
    "SET tcp_keepalives_idle = 5; SET tcp_keepalives_interval = 2; SET tcp_keepalives_count = 3; SET tcp_user_timeout = 10000";

Error taken_by_another(const std::string& module) {
  return Error(Errc::conflict, "another process has the data of " + module +
                                   " in this database; stop it, or set bus.transport = kafka in both: with the embedded bus each module runs once");
}

/// Settled before it is looked at, so that no transaction stays open behind it.
std::unique_ptr<Rows> asked(Connection& connection, std::string_view sql, std::span<const Parameter> parameters = std::span<const Parameter>()) {
  auto rows = connection.select(sql, parameters);
  connection.settle();
  return rows;
}

class ServerLockHere final : public ServerLock {
 public:
  ServerLockHere(Options options, Target target) : options_{std::move(options)}, target_{std::move(target)}, clock_{system_clock()} {}
  ~ServerLockHere() override {
    {
      const std::lock_guard lock(mutex_);
      closing_ = true;
    }
    wake_.notify_all();
    if (thread_.joinable()) thread_.join();
  }

  /// Throws Failure.
  Result<bool> begin() {
    connect();
    for (const auto end = clock_->moment() + options_.patience; !lock();) {
      if (clock_->moment() >= end) return taken_by_another(taken_);
      std::unique_lock guard(mutex_);
      wake_.wait_for(guard, tried_every, [this] { return closing_; });
    }
    thread_ = std::thread([this] { watch(); });
    pthread_setname_np(thread_.native_handle(), "server-lock");
    return true;
  }

 private:
  /// As the server names it: a process's number alone may be given again.
  struct Session {
    std::int64_t process = 0, since = 0;
  };

  void connect() {
    auto made = connected(target_);
    made->run(watched);
    if (session_) {
      // Where only the way to the server was cut, it may not know yet that this session is over.
      const Parameter parameters[] = {Parameter(session_->process), Parameter(session_->since)};
      asked(*made,
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid = ?1 AND CAST(EXTRACT(EPOCH FROM backend_start) * 1000000 AS BIGINT) = "
            "?2",
            parameters);
    }
    session_.reset();
    // Before it holds anything, so that it is known whose it is wherever it breaks.
    const auto rows =
        asked(*made, "SELECT pid, CAST(EXTRACT(EPOCH FROM backend_start) * 1000000 AS BIGINT) FROM pg_stat_activity WHERE pid = pg_backend_pid()");
    if (rows->next()) session_ = Session{rows->integer(0), rows->integer(1)};
    connection_ = std::move(made);
  }

  bool lock() {
    const auto sql = std::string("SELECT 1 WHERE pg_try_advisory_lock") + (options_.alone ? "" : "_shared") + "(hashtextextended(?1, " + seed + "))";
    for (const auto& module : options_.modules) {
      const Parameter parameters[] = {Parameter(std::string_view(module))};
      if (asked(*connection_, sql, parameters)->next()) continue;
      taken_ = module;
      asked(*connection_, "SELECT 1 FROM pg_advisory_unlock_all()");  // all or none, so that two that start at once do not keep each other out
      return false;
    }
    return true;
  }

  void watch() {
    std::unique_lock lock(mutex_);
    while (!wake_.wait_for(lock, held_ ? options_.looked_every : tried_every, [this] { return closing_; })) {
      lock.unlock();
      const bool goes_on = look();
      lock.lock();
      if (!goes_on) return;
    }
  }

  /// False: another has it, and this process ends.
  bool look() try {
    if (held_) {
      asked(*connection_, "SELECT 1");
      return true;
    }
    if (!connection_) {
      connect();
      refused_ = Moment::max();
    }
    held_ = lock();
    if (held_) {
      log::info("storage.server_lock_taken_again");
      return true;
    }
    refused_ = std::min(refused_, clock_->moment());
    if (clock_->moment() - refused_ < options_.patience) return true;
    if (options_.on_fatal) options_.on_fatal(taken_by_another(taken_).detail);
    return false;
  } catch (const Failure& failure) {
    connection_.reset();
    if (std::exchange(held_, false)) log::warn("storage.server_lock_lost", Field("why", failure.what()));
    return true;
  }

  const Options options_;
  const Target target_;
  const std::shared_ptr<Clock> clock_;  // real: what is waited for is a server
  std::unique_ptr<Connection> connection_;
  std::optional<Session> session_;  // the last that may have held something
  std::string taken_;               // whose data another has
  bool held_ = true;
  Moment refused_ = Moment::max();
  std::mutex mutex_;
  std::condition_variable wake_;
  bool closing_ = false;
  std::thread thread_;
};

}  // namespace

Result<std::unique_ptr<ServerLock>> ServerLock::take(Options options) {
  DatabaseOptions database;
  database.postgres = options.url;
  database.name = "server";
  database.schema = "public";
  auto target = target_of(database);
  if (!target) return target.error();
  target->answer = target->connecting = options.answer;
  const auto named = *target;
  try {
    auto lock = std::make_unique<ServerLockHere>(std::move(options), std::move(*target));
    if (auto taken = lock->begin(); !taken) return taken.error();
    return std::unique_ptr<ServerLock>(std::move(lock));
  } catch (const Failure& failure) {
    return not_opened(named, failure);
  }
}

}  // namespace loggia::postgres
