#pragma once
// Fakes of the kernel for the modules' unit tests: time that a test moves, chance from a seed, one event loop that a test runs, a store
// in memory (or a schema: placed.hpp). No socket, no file, no sleeping.
#include <boost/asio/awaitable.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <cstring>
#include <future>
#include <map>
#include <mutex>
#include <random>
#include <stdexcept>
#include <thread>
#include "loggia/kernel/module.hpp"
#include "support/placed.hpp"

namespace loggia::test {

class FakeClock final : public Clock {
 public:
  explicit FakeClock(std::string_view start = "2026-01-31T12:00:00.000Z") : now_{*parse_rfc3339(start)} {}
  Time now() const override {
    const std::lock_guard lock(mutex_);
    return now_;
  }
  Moment moment() const override {
    const std::lock_guard lock(mutex_);
    return moment_;
  }
  void advance(milliseconds by) {
    const std::lock_guard lock(mutex_);
    now_ += by;
    moment_ += by;
  }
  void jump(milliseconds by) {  // the wall clock alone
    const std::lock_guard lock(mutex_);
    now_ += by;
  }

 private:
  mutable std::mutex mutex_;
  Time now_;
  Moment moment_{std::chrono::hours(1)};
};

class FakeRandom final : public Random {
 public:
  explicit FakeRandom(std::uint64_t seed = 1) : engine_{seed} {}
  void fill(void* out, std::size_t size) override {
    const std::lock_guard lock(mutex_);
    auto* bytes = static_cast<unsigned char*>(out);
    for (std::size_t at = 0; at < size; ++at) bytes[at] = static_cast<unsigned char>(engine_());
  }

 private:
  std::mutex mutex_;
  std::mt19937_64 engine_;
};

/// `count` shards on one loop, run by the test's own thread. Timers fire when the test moves the clock: advance().
class InlineShards final : public Shards {
 public:
  explicit InlineShards(std::shared_ptr<FakeClock> clock, std::size_t count = 1) : clock_{std::move(clock)}, count_{count} {}
  std::size_t size() const override { return count_; }
  Executor executor(std::size_t) override { return context_.get_executor(); }
  std::size_t current() const override { return current_; }
  void post(std::size_t shard, std::function<void()> work) override {
    boost::asio::post(context_, [this, shard, work = std::move(work)] {
      const auto before = std::exchange(current_, shard);
      work();
      current_ = before;
    });
  }
  Timer after(std::size_t shard, milliseconds delay, std::function<void()> work) override {
    auto handle = std::make_shared<int>(0);
    const std::lock_guard lock(mutex_);
    timers_.emplace(clock_->moment() + delay, Waiting{handle, shard, std::move(work)});
    return handle;
  }

  /// Runs what is ready.
  void run() {
    context_.restart();
    while (context_.poll() > 0) {
    }
  }
  /// Runs until `done()`, also what other threads (a store's) post meanwhile; throws when nothing happens for 20 s.
  template <class F> void run_until(F done) {
    const auto guard = boost::asio::make_work_guard(context_);
    context_.restart();
    for (int idle = 0; !done();) {
      if (context_.run_one_for(milliseconds(1)) > 0) idle = 0;
      else if (++idle > 20000) throw std::runtime_error("what the test waits for did not happen");
    }
  }
  /// Moves the clock, and fires the timers in the order of their moments.
  void advance(milliseconds by) {
    const auto end = clock_->moment() + by;
    for (;;) {
      run();
      std::optional<std::pair<Moment, Waiting>> next;
      {
        const std::lock_guard lock(mutex_);
        for (auto at = timers_.begin(); at != timers_.end();) at = at->second.handle.expired() ? timers_.erase(at) : std::next(at);
        if (!timers_.empty() && timers_.begin()->first <= end) {
          next.emplace(*timers_.begin());
          timers_.erase(timers_.begin());
        }
      }
      if (!next) break;
      if (next->first > clock_->moment()) clock_->advance(std::chrono::ceil<milliseconds>(next->first - clock_->moment()));
      post(next->second.shard, std::move(next->second.work));
    }
    if (end > clock_->moment()) clock_->advance(std::chrono::ceil<milliseconds>(end - clock_->moment()));
    run();
  }

 private:
  struct Waiting {
    std::weak_ptr<void> handle;
    std::size_t shard;
    std::function<void()> work;
  };
  boost::asio::io_context context_{1};
  std::shared_ptr<FakeClock> clock_;
  std::size_t count_, current_ = 0;
  std::mutex mutex_;
  std::multimap<Moment, Waiting> timers_;
};

/// Runs an awaitable to its end. What it throws comes out here.
void run_to_end(InlineShards& shards, boost::asio::awaitable<void> work);
template <class T> boost::asio::awaitable<void> keep_result(boost::asio::awaitable<T> work, std::optional<T>* out) {
  out->emplace(co_await std::move(work));
}
/// One spawn for every type: a spawn each costs the compiler a quarter of a second.
template <class T> T wait(InlineShards& shards, boost::asio::awaitable<T> work) {
  std::optional<T> out;
  run_to_end(shards, keep_result(std::move(work), &out));
  return std::move(*out);
}

/// Runs what blocks and may not run on a shard (Bus::stop, replay) beside the loop, which goes on meanwhile.
template <class F> void blocking(InlineShards& shards, F work) {
  auto done = std::async(std::launch::async, std::move(work));
  shards.run_until([&] { return done.wait_for(milliseconds(0)) == std::future_status::ready; });
  done.get();
}

/// The events that a module appends, and the followers and groups that it makes; nothing is delivered but by the test.
class FakeBus : public Bus {
 public:
  class FakeLog final : public Log {
   public:
    explicit FakeLog(FakeBus& bus) : bus_{bus} {}
    void append(Transaction& transaction, NewEvent event) override {
      transaction.on_commit([this, event = std::move(event)] {
        const std::lock_guard lock(bus_.mutex_);
        bus_.appended.push_back({std::string(event.topic), std::string(event.type), event.key, event.data});
      });
    }
    void rewrite(Transaction&, std::string_view, const std::string&, const Uuid&, std::int64_t number, std::string data) override {
      const std::lock_guard lock(bus_.mutex_);
      bus_.rewritten.emplace_back(number, std::move(data));
    }
    void resolve(std::string_view, Resolver) override {}
    std::string epoch() const override { return "00000000-0000-7000-8000-00000000e90c"; }

   private:
    FakeBus& bus_;
  };
  struct Appended {
    std::string topic, type, key, data;
  };

  int partitions() const override { return 4; }
  std::shared_ptr<Log> open_log(std::string, std::shared_ptr<Database>, std::vector<Topic>) override { return std::make_shared<FakeLog>(*this); }
  void subscribe(Subscription subscription) override { subscriptions.push_back(std::move(subscription)); }
  void follow(std::string topic, std::function<void(const EventPtr&)> handler) override { followers[topic].push_back(std::move(handler)); }
  void signal(std::string_view, std::string_view topic, std::string_view type, std::string key, std::string data, std::string) override {
    const std::lock_guard lock(mutex_);
    signals.push_back({std::string(topic), std::string(type), std::move(key), std::move(data)});
  }
  void connect(Elsewhere) override {}
  void follow_log(std::string, std::string topic, std::function<void(const EventPtr&)> handler) override {
    log_followers[topic].push_back(std::move(handler));
  }
  milliseconds silent_for(const std::string&) const override { return silence; }
  void mount(Router&, BusRights) override {}
  Result<bool> start() override { return true; }
  void drain() override {}
  void stop() override {}
  std::vector<TopicState> topics() override { return {}; }
  std::vector<TopicLag> lag() override { return {}; }
  std::vector<EventPtr> page(const std::string&, const std::string&, int, std::int64_t, std::size_t) override { return {}; }
  Result<std::int64_t> replay(const std::string&, const std::string&, std::int64_t, int) override { return 0; }
  Result<std::int64_t> replay_dead_letters(const std::string&, const std::string&) override { return 0; }

  static EventPtr event(std::string topic, std::string type, std::string key, std::string data, std::int64_t sequence = 1) {
    auto made = std::make_shared<Event>();
    made->topic = std::move(topic);
    made->type = std::move(type);
    made->partition = partition_of(key, 4);
    made->key = std::move(key);
    made->sequence = sequence;
    made->data = std::make_shared<const std::string>(std::move(data));
    return made;
  }
  /// To the followers of its topic.
  void deliver(const EventPtr& event) {
    for (const auto& handler : followers[event->topic]) handler(event);
  }

  std::vector<Appended> appended, signals;
  std::vector<std::pair<std::int64_t, std::string>> rewritten;
  std::vector<Subscription> subscriptions;
  std::map<std::string, std::vector<std::function<void(const EventPtr&)>>> followers, log_followers;  // by topic
  milliseconds silence{0};

 private:
  std::mutex mutex_;
};

/// A kernel of fakes, as a module's constructor wants it. Stores are in memory.
struct FakeKernel {
  std::shared_ptr<FakeClock> clock = std::make_shared<FakeClock>();
  std::shared_ptr<FakeRandom> random = std::make_shared<FakeRandom>();
  std::shared_ptr<InlineShards> shards = std::make_shared<InlineShards>(clock);
  std::shared_ptr<FakeBus> bus = std::make_shared<FakeBus>();
  Kernel kernel;

  using Settings = std::vector<std::pair<std::string, std::string>>;
  explicit FakeKernel(const std::vector<ConfigKey>& keys = std::vector<ConfigKey>(), Settings settings = Settings()) {
    Config::Source source;
    source.keys = keys;
    source.flags = std::move(settings);
    kernel.config = Config::load(source).value();
    kernel.clock = clock;
    kernel.random = random;
    kernel.ids = std::make_shared<Ids>(*clock, *random);
    kernel.shards = shards;
    kernel.bus = bus;
    kernel.metrics = std::make_shared<Metrics>();
    kernel.readiness = [] { return std::vector<Check>(); };
    kernel.fatal = [](const std::string& why) { throw std::runtime_error(why); };
    kernel.open = [this](const std::string& name, std::vector<Migration> migrations) {
      DatabaseOptions options;
      options.name = name;
      options.migrations = std::move(migrations);
      options.clock = clock;
      return open_database(placed(std::move(options))).value();
    };
  }
  template <class T> T wait(boost::asio::awaitable<T> work) { return test::wait(*shards, std::move(work)); }
  Context as(const Uuid& user, std::vector<std::string> roles = {"member"}) const {
    Caller caller;
    caller.subject = user;
    caller.username = "u" + user.text().substr(30);
    caller.roles = std::move(roles);
    return Context().as(std::move(caller));
  }
};

}  // namespace loggia::test
