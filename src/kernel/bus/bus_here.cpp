#include "bus/bus_here.hpp"
#include <algorithm>
#include "loggia/kernel/log.hpp"

namespace loggia::bus {
namespace {

constexpr std::chrono::hours trim_every(1);
constexpr std::chrono::hours idempotency_kept(24);
constexpr std::chrono::seconds first_answer_within(60);

}  // namespace

BusHere::BusHere(BusOptions options) : options_{std::move(options)}, random_{system_random()}, instance_{options_.ids->make<Uuid>().text()} {}

std::shared_ptr<Log> BusHere::open_log(std::string module, std::shared_ptr<Database> store, std::vector<Topic> topics) {
  std::vector<std::string> logged;
  for (const auto& topic : topics)
    if (topic.logged) logged.emplace_back(topic.name);
  // Who is told from start() on finds the rest in the log.
  auto log = std::make_shared<LogHere>(std::move(module), std::move(store), std::move(logged), options_,
                                       [bus = weak_from_this()](LogHere& from, const EventPtr& event) {
                                         const auto self = bus.lock();
                                         if (!self || !self->started_ || self->stopping_) return;
                                         self->published(from, event);
                                         if (self->service_) self->service_->wake();
                                       });
  if (auto loaded = log->load(); !loaded) throw std::runtime_error(loaded.error().detail);
  logs_.push_back(log);
  return log;
}

void BusHere::signal(std::string_view module, std::string_view topic, std::string_view type, std::string key, std::string data,
                     std::string traceparent) {
  if (!started_ || stopping_) return;
  auto event = std::make_shared<Event>();
  event->topic = topic;
  event->type = type;
  event->partition = partition_of(key, options_.partitions);
  event->key = std::move(key);
  event->id = options_.ids->make<Uuid>();
  event->time = options_.clock->now();
  event->source = "/loggia/" + std::string(module) + "/" + instance_;
  event->traceparent = std::move(traceparent);
  event->data = std::make_shared<const std::string>(std::move(data));
  tell(event);
  signalled(event);
}

void BusHere::tell(const EventPtr& event) {
  const auto found = followers_.find(event->topic);
  if (found == followers_.end()) return;
  const std::lock_guard lock(found->second.mutex);
  for (const auto& handler : found->second.handlers) handler(event);
}

void BusHere::tell_all(const std::string& module, const EventPtr& event) {
  tell(event);
  for (const auto& group : *groups())
    if (group->subscription().topic == event->topic && group->feed().producer() == module) group->wake(event->partition);
}

std::vector<std::shared_ptr<LogView>> BusHere::all_logs() const {
  std::vector<std::shared_ptr<LogView>> out(logs_.begin(), logs_.end());
  out.insert(out.end(), logs_elsewhere_.begin(), logs_elsewhere_.end());
  return out;
}

std::vector<std::string> BusHere::followed() const {
  std::vector<std::string> out;
  for (const auto& [topic, followers] : followers_) out.push_back(topic);
  return out;
}

void BusHere::follow_log(std::string module, std::string topic, std::function<void(const EventPtr&)> handler) {
  log_followers_[std::move(module)].emplace_back(std::move(topic), std::move(handler));
}

milliseconds BusHere::silent_for(const std::string& module) const {
  for (const auto& log : logs_elsewhere_)
    if (log->module() == module) return log->silent_for();
  return milliseconds(0);
}

void BusHere::mount(Router& router, BusRights rights) {
  service_ = std::make_shared<LogService>(logs_, options_.shards, std::move(rights), [bus = weak_from_this()](const EventPtr& event) {
    if (const auto self = bus.lock(); self && self->started_ && !self->stopping_) self->tell(event);
  });
  service_->mount(router);
}

void BusHere::drain() {
  if (service_) service_->stop();
}

/// One for each module of which somebody here hears a topic.
void BusHere::make_logs_elsewhere() {
  for (const auto& module : elsewhere_) {
    LogElsewhere::Options options;
    const auto followed = log_followers_.find(module.module);
    for (const auto& topic : module.topics) {
      const bool by_us = std::any_of(subscriptions_.begin(), subscriptions_.end(), [&](const auto& one) { return one.topic == topic; }) ||
                         followers_.contains(topic);
      const bool of_log = followed != log_followers_.end() &&
                          std::any_of(followed->second.begin(), followed->second.end(), [&](const auto& one) { return one.first == topic; });
      if (of_log || (by_us && hears_logs())) options.topics.push_back(topic);
      else if (by_us) options.heads_of.push_back(topic);
    }
    if (options.topics.empty() && options.heads_of.empty()) continue;
    options.module = module.module;
    options.partitions = options_.partitions;
    options.transport = module.transport;
    options.shards = options_.shards;
    options.clock = options_.clock;
    options.on_fatal = options_.on_fatal;
    options.tell = [bus = weak_from_this(), name = module.module](const EventPtr& event) {
      if (const auto self = bus.lock(); self && !self->stopping_) self->heard(name, event);
    };
    logs_elsewhere_.push_back(std::make_shared<LogElsewhere>(std::move(options)));
  }
}

void BusHere::heard(const std::string& module, const EventPtr& event) {
  if (const auto followed = log_followers_.find(module); followed != log_followers_.end())
    for (const auto& [topic, handler] : followed->second)
      if (topic == event->topic) handler(event);
  if (hears_logs()) tell_all(module, event);
}

Result<bool> BusHere::start() {
  make_logs_elsewhere();
  const auto end = options_.clock->moment() + first_answer_within;
  for (const auto& log : logs_elsewhere_) {
    const auto left = std::chrono::duration_cast<milliseconds>(end - options_.clock->moment());
    if (auto begun = log->start(std::max(left, milliseconds(1))); !begun) return begun;
  }
  if (auto made = make_groups(); !made) return made;
  if (auto begun = begin(); !begun) return begun;
  if (!elsewhere_.empty()) signals_ = std::make_shared<SignalSender>(elsewhere_, options_.shards, options_.clock);
  started_ = true;
  for (const auto& group : *groups()) group->start();
  trim_later(std::chrono::minutes(1));
  return true;
}

void BusHere::stop() {
  if (stopping_.exchange(true)) return;
  drain();
  for (const auto& log : logs_elsewhere_) log->stop();
  if (signals_) signals_->stop();
  for (const auto& group : *groups()) group->stop();
  tasks_.cancel();
  tasks_.wait(milliseconds(10000));
  end();
  if (!started_) return;
  Latch gone(1);
  options_.shards->post(0, [timer = trim_, gone]() mutable {
    timer->handle.reset();
    gone.count_down();
  });
  gone.wait(milliseconds(2000));
}

std::shared_ptr<const BusHere::Groups> BusHere::groups() const {
  const std::lock_guard lock(groups_mutex_);
  return groups_;
}

/// Once: for start(), or for the commands, which ask without it.
Result<bool> BusHere::make_groups() {
  const std::lock_guard lock(making_);
  if (!groups()->empty()) return true;
  auto made = std::make_shared<Groups>();
  const auto logs = all_logs();
  for (const auto& subscription : subscriptions_)
    for (const auto& log : logs) {
      if (!log->has(subscription.topic)) continue;
      PumpOptions pump;
      pump.shards = options_.shards;
      pump.clock = options_.clock;
      pump.random = random_;
      pump.metrics = options_.metrics;
      auto group = std::make_shared<Group>(subscription, feed(subscription, log), std::move(pump));
      if (auto loaded = group->load(); !loaded) return loaded;
      made->push_back(std::move(group));
    }
  const std::lock_guard swap(groups_mutex_);
  groups_ = std::move(made);
  return true;
}

template <class F> Result<std::int64_t> BusHere::each_group(const std::string& topic, const std::string& name, F ask) {
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

void BusHere::trim_later(milliseconds delay) {
  if (stopping_) return;
  trim_->handle = options_.shards->after(0, delay, [bus = weak_from_this()] {
    const auto self = bus.lock();
    if (self && !self->stopping_) self->tasks_.spawn(self->options_.shards->executor(0), "bus.trim", self->trim_all());
  });
}

/// Events that are past their retention, and answers that are past their day.
boost::asio::awaitable<void> BusHere::trim_all() {
  const Context context;
  const auto now = options_.clock->now();
  for (const auto& log : logs_) {
    for (std::int64_t gone = 1; gone > 0 && !stopping_ && options_.retention.count() > 0;) {
      auto work = [self = shared_from_this(), log, before = Time(now - options_.retention)](Transaction& transaction) -> Result<std::int64_t> {
        return self->trim(*log, transaction, before);
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

std::vector<std::shared_ptr<Database>> BusHere::stores() const {
  std::vector<std::shared_ptr<Database>> out;
  const auto add = [&out](std::shared_ptr<Database> store) {
    if (std::find(out.begin(), out.end(), store) == out.end()) out.push_back(std::move(store));
  };
  for (const auto& log : logs_) add(log->store());
  for (const auto& subscription : subscriptions_) add(subscription.store);
  return out;
}

std::vector<TopicState> BusHere::topics() {
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

std::vector<TopicLag> BusHere::lag() {
  std::vector<TopicLag> out;
  if (auto made = make_groups(); !made) return out;
  for (const auto& group : *groups()) {
    auto rows = group->lag();
    out.insert(out.end(), std::make_move_iterator(rows.begin()), std::make_move_iterator(rows.end()));
  }
  return out;
}

std::vector<EventPtr> BusHere::page(const std::string& topic, const std::string& producer, int partition, std::int64_t after, std::size_t limit) {
  for (const auto& log : logs_) {
    if (!log->has(topic) || (!producer.empty() && log->module() != producer)) continue;
    if (partition < 0 || partition >= options_.partitions) return {};
    auto rows =
        log->store()->read_now([&](Query& query) -> Result<std::vector<EventPtr>> { return log->from_rows(query, topic, partition, after, limit); });
    return rows ? std::move(*rows) : std::vector<EventPtr>();
  }
  return {};
}

Result<std::int64_t> BusHere::replay(const std::string& topic, const std::string& group, std::int64_t from, int partition) {
  return each_group(topic, group, [&](Group& one) { return one.replay(from, partition); });
}
Result<std::int64_t> BusHere::replay_dead_letters(const std::string& topic, const std::string& group) {
  return each_group(topic, group, [](Group& one) { return one.replay_dead_letters(); });
}

}  // namespace loggia::bus
