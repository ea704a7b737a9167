// The bus of one process: the logs of its modules, the groups that consume them, the followers that are told of each event.
#include <algorithm>
#include <mutex>
#include "bus/group.hpp"
#include "loggia/kernel/log.hpp"

namespace loggia {
namespace {

using bus::Group;
using bus::LogHere;
constexpr std::chrono::hours trim_every(1);
constexpr std::chrono::hours idempotency_kept(24);

class EmbeddedBus final : public Bus, public std::enable_shared_from_this<EmbeddedBus> {
 public:
  explicit EmbeddedBus(BusOptions options) : options_{std::move(options)}, random_{system_random()} {}
  ~EmbeddedBus() override { stop(); }

  int partitions() const override { return options_.partitions; }

  std::shared_ptr<Log> open_log(std::string module, std::shared_ptr<Database> store, std::vector<Topic> topics) override {
    std::vector<std::string> logged;
    for (const auto& topic : topics)
      if (topic.logged) logged.emplace_back(topic.name);
    auto log = std::make_shared<LogHere>(std::move(module), std::move(store), std::move(logged), options_,
                                         [bus = weak_from_this()](LogHere& from, const EventPtr& event) {
                                           if (const auto self = bus.lock()) self->published(from, event);
                                         });
    if (auto loaded = log->load(); !loaded) throw std::runtime_error(loaded.error().detail);
    logs_.push_back(log);
    return log;
  }

  void subscribe(Subscription subscription) override { subscriptions_.push_back(std::move(subscription)); }
  void follow(std::string topic, std::function<void(const EventPtr&)> handler) override {
    followers_[std::move(topic)].handlers.push_back(std::move(handler));
  }

  void signal(std::string_view topic, std::string_view type, std::string key, std::string data, std::string traceparent) override {
    const auto found = followers_.find(topic);
    if (found == followers_.end() || !started_ || stopping_) return;
    auto event = std::make_shared<Event>();
    event->topic = topic;
    event->type = type;
    event->partition = partition_of(key, options_.partitions);
    event->key = std::move(key);
    event->id = options_.ids->make<Uuid>();
    event->time = options_.clock->now();
    event->traceparent = std::move(traceparent);
    event->data = std::make_shared<const std::string>(std::move(data));
    found->second.tell(event);
  }

  Result<bool> start() override {
    if (auto made = make_groups(); !made) return made;
    started_ = true;
    for (const auto& group : *groups()) group->start();
    trim_later(std::chrono::minutes(1));
    return true;
  }

  void stop() override {
    if (stopping_.exchange(true)) return;
    for (const auto& group : *groups()) group->stop();
    tasks_.cancel();
    tasks_.wait(milliseconds(10000));
    if (!started_) return;
    Latch gone(1);
    options_.shards->post(0, [timer = trim_, gone]() mutable {
      timer->handle.reset();
      gone.count_down();
    });
    gone.wait(milliseconds(2000));
  }

  std::vector<TopicState> topics() override {
    std::vector<TopicState> out;
    for (const auto& log : logs_)
      for (const auto& topic : log->topics()) {
        TopicState state;
        state.topic = topic;
        state.producer = log->module();
        state.heads = log->heads(topic);
        out.push_back(std::move(state));
      }
    std::sort(out.begin(), out.end(), [](const auto& a, const auto& b) { return std::tie(a.topic, a.producer) < std::tie(b.topic, b.producer); });
    return out;
  }

  std::vector<TopicLag> lag() override {
    std::vector<TopicLag> out;
    if (auto made = make_groups(); !made) return out;
    for (const auto& group : *groups()) {
      auto rows = group->lag();
      out.insert(out.end(), std::make_move_iterator(rows.begin()), std::make_move_iterator(rows.end()));
    }
    return out;
  }

  std::vector<EventPtr> page(const std::string& topic, const std::string& producer, int partition, std::int64_t after, std::size_t limit) override {
    for (const auto& log : logs_) {
      if (!log->has(topic) || (!producer.empty() && log->module() != producer)) continue;
      if (partition < 0 || partition >= options_.partitions) return {};
      auto rows = log->store()->read_now(
          [&](Query& query) -> Result<std::vector<EventPtr>> { return log->from_rows(query, topic, partition, after, limit); });
      return rows ? std::move(*rows) : std::vector<EventPtr>();
    }
    return {};
  }

  Result<std::int64_t> replay(const std::string& topic, const std::string& group, std::int64_t from, int partition) override {
    return each_group(topic, group, [&](Group& one) { return one.replay(from, partition); });
  }
  Result<std::int64_t> replay_dead_letters(const std::string& topic, const std::string& group) override {
    return each_group(topic, group, [](Group& one) { return one.replay_dead_letters(); });
  }

 private:
  using Groups = std::vector<std::shared_ptr<Group>>;
  struct Followers {
    std::recursive_mutex mutex;  // one call at a time, whoever appended; a handler may signal
    std::vector<std::function<void(const EventPtr&)>> handlers;
    void tell(const EventPtr& event) {
      const std::lock_guard lock(mutex);
      for (const auto& handler : handlers) handler(event);
    }
  };
  struct Trimming {
    Shards::Timer handle;  // of shard 0
  };

  std::shared_ptr<const Groups> groups() const {
    const std::lock_guard lock(groups_mutex_);
    return groups_;
  }

  /// Once: for start(), or for the commands, which ask without it.
  Result<bool> make_groups() {
    const std::lock_guard lock(making_);
    if (!groups()->empty()) return true;
    auto made = std::make_shared<Groups>();
    for (const auto& subscription : subscriptions_)
      for (const auto& log : logs_) {
        if (!log->has(subscription.topic)) continue;
        bus::PumpOptions pump;
        pump.shards = options_.shards;
        pump.clock = options_.clock;
        pump.random = random_;
        pump.metrics = options_.metrics;
        auto group = std::make_shared<Group>(subscription, log, std::move(pump));
        if (auto loaded = group->load(); !loaded) return loaded;
        made->push_back(std::move(group));
      }
    const std::lock_guard swap(groups_mutex_);
    groups_ = std::move(made);
    return true;
  }

  template <class F> Result<std::int64_t> each_group(const std::string& topic, const std::string& name, F ask) {
    if (auto made = make_groups(); !made) return made.error();
    std::int64_t sum = 0;
    bool found = false;
    for (const auto& group : *groups()) {
      if (group->subscription().topic != topic || group->subscription().group != name) continue;
      found = true;
      auto count = ask(*group);
      if (!count) return count;
      sum += *count;
    }
    if (!found) return Error(Errc::not_found, "no group \"" + name + "\" consumes " + topic + "; `loggia topics lag` lists them");
    return sum;
  }

  /// On the writer's thread of the producer, after the commit. Who is told from start() on finds the rest in the log.
  void published(LogHere& from, const EventPtr& event) {
    if (!started_ || stopping_) return;
    if (const auto found = followers_.find(event->topic); found != followers_.end()) found->second.tell(event);
    for (const auto& group : *groups())
      if (&group->log() == &from && group->subscription().topic == event->topic) group->wake(event->partition);
  }

  void trim_later(milliseconds delay) {
    if (stopping_) return;
    trim_->handle = options_.shards->after(0, delay, [bus = weak_from_this()] {
      const auto self = bus.lock();
      if (self && !self->stopping_) self->tasks_.spawn(self->options_.shards->executor(0), "bus.trim", self->trim());
    });
  }

  /// Events that are past their retention, and answers that are past their day.
  boost::asio::awaitable<void> trim() {
    const Context context;
    const auto now = options_.clock->now();
    for (const auto& log : logs_) {
      for (std::int64_t gone = 1; gone > 0 && !stopping_ && options_.retention.count() > 0;) {
        auto work = [log, before = Time(now - options_.retention)](Transaction& transaction) -> Result<std::int64_t> {
          return log->trim(transaction, before);
        };
        auto done = co_await log->store()->write(context, std::move(work));
        gone = done ? *done : 0;
      }
    }
    for (const auto& store : stores()) {
      auto work = [before = Time(now - idempotency_kept)](Transaction& transaction) -> Result<std::int64_t> {
        return transaction.execute("DELETE FROM idempotency WHERE at < ?1", before);
      };
      auto done = co_await store->write(context, std::move(work));
      if (!done) log::warn("bus.trim_failed", Field("store", store->name()), Field("why", done.error().detail));
    }
    trim_later(trim_every);
  }

  std::vector<std::shared_ptr<Database>> stores() const {
    std::vector<std::shared_ptr<Database>> out;
    const auto add = [&out](std::shared_ptr<Database> store) {
      if (std::find(out.begin(), out.end(), store) == out.end()) out.push_back(std::move(store));
    };
    for (const auto& log : logs_) add(log->store());
    for (const auto& subscription : subscriptions_) add(subscription.store);
    return out;
  }

  BusOptions options_;
  std::shared_ptr<Random> random_;
  std::vector<std::shared_ptr<LogHere>> logs_;
  std::vector<Subscription> subscriptions_;
  std::map<std::string, Followers, std::less<>> followers_;
  std::mutex making_;
  mutable std::mutex groups_mutex_;
  std::shared_ptr<const Groups> groups_ = std::make_shared<Groups>();
  std::atomic<bool> started_{false}, stopping_{false};
  std::shared_ptr<Trimming> trim_ = std::make_shared<Trimming>();
  Tasks tasks_;
};

}  // namespace

std::shared_ptr<Bus> embedded_bus(BusOptions options) { return std::make_shared<EmbeddedBus>(std::move(options)); }

}  // namespace loggia
