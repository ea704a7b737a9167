#pragma once
// The one writer of a database: a thread that takes what has gathered, runs it in one transaction, syncs once, answers all.
#include <atomic>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>
#include "storage/connection.hpp"
#include "storage/done.hpp"

namespace loggia::sqlite {

using storage::Done;

/// What anybody is told once it is broken().
Error ending();

class Writer {
 public:
  struct Options {
    std::string name;
    std::size_t queue = 10000;
    std::shared_ptr<Clock> clock;
    std::function<void(const std::string&)> on_fatal;
    /// Instead of a thread: told that something waits, and turn() is the owner's to call. For the simulator.
    std::function<void()> wake;
  };
  Writer(std::shared_ptr<Connection> connection, Options options);
  ~Writer();

  /// False, with nothing called, when the queue is full or closed.
  bool write(Moment deadline, Database::WriteWork work, Done done);
  /// Runs on this connection between two groups: for databases in memory, which have no other.
  bool read(Moment deadline, Database::ReadWork work, Done done);
  void release_memory() { connection_->release_memory(); }
  void close();
  /// Takes what has gathered and runs it as one group. `waited`: a full disk is probed in any case.
  void turn(bool waited = false);
  StorageFigures figures() const;
  bool writable() const { return writable_.load(std::memory_order_relaxed); }
  /// The storage failed in a way that leaves open what is in it.
  bool broken() const { return broken_.load(); }

 private:
  struct Command {
    Moment deadline;
    Database::ReadWork read;
    Database::WriteWork write;
    Done done;
  };
  class Group;
  bool enqueue(Command command);
  void run();
  void run_group(std::vector<Command> commands);
  void run_reads(std::vector<Command>& commands);
  void run_all(std::vector<Command>& commands, Group& group, std::vector<std::optional<Error>>& wrong);
  void run_undoable(Command& command, Group& group, std::optional<Error>& wrong);
  bool run_command(Command& command, Group& group, std::optional<Error>& wrong);
  void group_failed(std::vector<Command>& commands, const SQLite::Exception& problem, bool committing);
  void refuse(std::vector<Command>& commands, const Error& why);
  void roll_back();
  void probe();

  std::shared_ptr<Connection> connection_;
  Options options_;
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Command> queue_;
  bool closing_ = false;
  Moment probed_{};                  // of the writer's thread
  std::atomic<bool> broken_{false};  // nothing is written or told any more: the process ends
  std::atomic<bool> writable_{true};
  std::atomic<std::uint64_t> groups_{0}, commands_{0}, failed_{0};
  std::thread thread_;
};

}  // namespace loggia::sqlite
