#pragma once
// Virtual time and whose turn it is. A crew is the threads of one process (or of the world outside): each takes its work in order, as
// real ones do, and chance says which of them goes on. Time passes only when nobody has anything to do.
#include <boost/asio/execution.hpp>
#include <boost/asio/execution_context.hpp>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <vector>
#include "loggia/kernel/shards.hpp"

namespace loggia::simulation {

namespace asio = boost::asio;

/// Microseconds since the world began.
using Instant = std::int64_t;
constexpr Instant ms = 1000, second = 1000 * ms;

/// splitmix64: one stream for each purpose, so that a change of one does not move the others.
class Dice {
 public:
  explicit Dice(std::uint64_t seed) : state_{seed} {}
  std::uint64_t next() {
    auto z = state_ += 0x9e3779b97f4a7c15ull;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
    return z ^ (z >> 31);
  }
  std::int64_t below(std::int64_t bound) { return static_cast<std::int64_t>(next() % static_cast<std::uint64_t>(bound)); }
  std::int64_t between(std::int64_t low, std::int64_t high) { return low + below(high - low + 1); }
  bool chance(int per_thousand) { return below(1000) < per_thousand; }

 private:
  std::uint64_t state_;
};

/// A function that is called once; also one that cannot be copied.
class Work {
 public:
  template <class F> explicit Work(F function) : held_{std::make_unique<Of<F>>(std::move(function))} {}
  void operator()() { held_->run(); }

 private:
  struct Any {
    virtual ~Any() = default;
    virtual void run() = 0;
  };
  template <class F> struct Of final : Any {
    explicit Of(F&& given) : function{std::move(given)} {}
    void run() override { function(); }
    F function;
  };
  std::unique_ptr<Any> held_;
};

class Crew {
 public:
  explicit Crew(std::size_t threads) : ready_(threads) {}
  void post(std::size_t thread, Work work) { ready_[thread].push_back(std::move(work)); }
  void at(Instant when, std::size_t thread, Work work) { timers_.emplace(std::pair(when, number_++), Later{thread, std::move(work)}); }
  std::size_t threads() const { return ready_.size(); }
  /// The thread that runs at this moment; `nobody` where none of it does.
  static constexpr std::size_t nobody = SIZE_MAX;
  std::size_t running() const { return running_; }
  bool idle() const;
  /// Runs what is ready in turn, without chance, and timers before their time: for a process that is taken down. False: nothing left.
  bool run_down();
  /// Nothing of it is ever run.
  void drop();

 private:
  friend class Loop;
  struct Later {
    std::size_t thread;
    Work work;
  };
  void run(std::size_t thread);
  std::vector<std::deque<Work>> ready_;
  std::map<std::pair<Instant, std::uint64_t>, Later> timers_;
  std::uint64_t number_ = 0;
  std::size_t running_ = nobody;
  Instant stopped_until_ = 0;
};

class Loop {
 public:
  explicit Loop(std::uint64_t seed) : dice_{seed}, outside{1} { crews_.push_back(&outside); }
  Instant now() const { return now_; }
  void add(Crew& crew) { crews_.push_back(&crew); }
  void remove(Crew& crew) { std::erase(crews_, &crew); }
  /// As SIGSTOP and SIGCONT.
  void stop(Crew& crew, Instant until) { crew.stopped_until_ = until; }
  /// One piece of work of one thread; first of all time goes on, where nobody has any. False: there is nothing, and nothing to come.
  bool step();
  void after(Instant delay, Work work) { outside.at(now_ + delay, 0, std::move(work)); }
  /// Of all that happened, in its order: two runs of a seed have the same.
  void mix(std::uint64_t what) { hash_ = (hash_ ^ what) * 1099511628211ull; }
  std::uint64_t hash() const { return hash_; }
  std::uint64_t steps() const { return steps_; }

 private:
  Instant now_ = 0;
  Dice dice_;
  std::uint64_t hash_ = 1469598103934665603ull, steps_ = 0;
  std::vector<Crew*> crews_;

 public:
  Crew outside;  // clients, network, chance
};

/// The threads of one process, as its modules see them.
class Machine final : public asio::execution_context, public Shards {
 public:
  /// What is no shard: the writer and the readers of each store, the bus.
  enum Role : std::size_t { chat_writer, chat_reader, audit_writer, audit_reader, bus, roles };
  Machine(Loop& loop, std::size_t shards);
  ~Machine() override;

  /// As the executor of an io_context: what is dispatched from a thread onto itself runs at once, where it may.
  struct Runs {
    Machine* machine;
    std::size_t shard;
    bool at_once;
    asio::execution_context& query(asio::execution::context_t) const noexcept { return *machine; }
    asio::execution::blocking_t query(asio::execution::blocking_t) const noexcept {
      return at_once ? asio::execution::blocking_t(asio::execution::blocking.possibly) : asio::execution::blocking_t(asio::execution::blocking.never);
    }
    Runs require(asio::execution::blocking_t::possibly_t) const noexcept { return Runs{machine, shard, true}; }
    Runs require(asio::execution::blocking_t::never_t) const noexcept { return Runs{machine, shard, false}; }
    template <class F> void execute(F work) const {
      if (at_once && machine->crew.running() == shard) work();
      else machine->crew.post(shard, Work(std::move(work)));
    }
    friend bool operator==(const Runs& a, const Runs& b) noexcept { return a.machine == b.machine && a.shard == b.shard && a.at_once == b.at_once; }
    friend bool operator!=(const Runs& a, const Runs& b) noexcept { return !(a == b); }
  };

  std::size_t size() const override { return shards_; }
  Executor executor(std::size_t shard) override { return Runs{this, shard, true}; }
  std::size_t current() const override { return crew.running() < shards_ ? crew.running() : 0; }
  void post(std::size_t shard, std::function<void()> work) override { crew.post(shard, Work(std::move(work))); }
  Timer after(std::size_t shard, milliseconds delay, std::function<void()> work) override;
  std::size_t thread(Role role) const { return shards_ + role; }
  void later(Instant delay, std::size_t thread, Work work) { crew.at(loop.now() + delay, thread, std::move(work)); }

  Loop& loop;
  Crew crew;

 private:
  Async<bool> sleep(milliseconds duration);
  const std::size_t shards_;
};

}  // namespace loggia::simulation
