#pragma once
// The one writer of a schema in this process: a thread that takes what has gathered, runs it in one transaction, answers all. What is lost with the
// connection is looked up again; the process goes on.
#include <atomic>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>
#include "storage/done.hpp"
#include "storage/postgres/group.hpp"

namespace loggia::postgres {

using storage::Done;

/// For whom the server is away.
Error away();
/// For a command that ran out of its time before or while it ran, and left nothing.
Error no_time();

/// When to try again: 100 ms, then doubled up to 5 s, a little more or less each time.
class Backoff {
 public:
  explicit Backoff(std::shared_ptr<Clock> clock, std::shared_ptr<Random> random) : clock_{std::move(clock)}, random_{std::move(random)} {}
  bool due() const { return clock_->moment() >= next_; }
  void failed();
  void succeeded() { delay_ = milliseconds(0); }
  /// The attempt before failed as well: it was told.
  bool failing() const { return delay_ > milliseconds(0); }

 private:
  std::shared_ptr<Clock> clock_;
  std::shared_ptr<Random> random_;
  milliseconds delay_{0};
  Moment next_ = Moment::min();
};

class Writer {
 public:
  struct Options {
    Target target;
    std::size_t queue = 10000;
    std::shared_ptr<Clock> clock;  // of deadlines
    std::shared_ptr<Clock> real;   // of what happens on the network
    std::shared_ptr<Random> random;
    std::function<void(const std::string&)> on_fatal;
    milliseconds doubt{10000};  // how long the truth about a commit is looked for before it is called unknown
  };
  Writer(std::unique_ptr<Connection> connection, Options options);
  ~Writer();

  /// False, with nothing called, when the queue is full or closed.
  bool write(Moment deadline, Database::WriteWork work, Done done, Database::AheadWork ahead = Database::AheadWork());
  void close();
  StorageFigures figures() const;
  bool writable() const { return connected_.load() && !full_.load() && !broken_.load(); }
  std::string unwritable() const;

 private:
  struct Command {
    Moment deadline;
    Database::WriteWork write;
    Done done;
    Database::AheadWork ahead;
  };
  using Commands = std::vector<Command>;
  using Wrong = std::vector<std::optional<Error>>;  // answered with it: their work was rolled back
  using Actions = std::vector<std::function<void()>>;
  /// A commit whose answer never came.
  struct Doubt {
    std::int64_t number = 0;
    Actions after;
  };
  enum class Truth { committed, undone, unknown };

  void run();
  void turn(bool waited);
  void run_group(Commands commands);
  void run_all(Commands& commands, Group& group, Wrong& wrong, bool apart);
  bool run_apart(Command& command, Group& group, std::optional<Error>& wrong);
  bool run_command(Command& command, Group& group, std::optional<Error>& wrong);
  void commit(Group& group);
  void roll_back();
  bool connect();
  void disconnect(const std::string& why);
  Truth look_up();
  Truth find_out();
  void probe();
  void refuse(Commands& commands, const Error& why);
  void answer_all(Commands& commands, Wrong& wrong);

  Options options_;
  std::unique_ptr<Connection> connection_;
  Backoff backoff_;
  Uuid id_;                  // of this writer, in kernel_writer
  std::int64_t number_ = 0;  // of the newest commit that was tried
  bool barred_ = false;      // one of them was looked up and was not there: it may be on its way
  std::uint64_t era_ = 0;
  std::optional<Doubt> doubt_;
  Moment probed_{};
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Command> queue_;
  bool closing_ = false;
  std::atomic<bool> connected_{true}, full_{false}, broken_{false};
  std::atomic<std::uint64_t> groups_{0}, commands_{0}, failed_{0};
  std::thread thread_;
};

}  // namespace loggia::postgres
