#include "bus/group.hpp"
#include <algorithm>
#include "loggia/kernel/log.hpp"
#include "loggia/kernel/mutant.hpp"

namespace loggia::bus {
namespace {

constexpr int tries_max = 5;
constexpr milliseconds backoff_first(100), backoff_max(30000);
constexpr std::size_t page = 64;
constexpr std::chrono::seconds handling_limit(30);
// How far, and for how long, the stored position may be behind events that had no effect.
constexpr std::int64_t unstored_max = 1000;
constexpr milliseconds unstored_for(250);

/// The position is moved only from where this consumer knows it: a second one of the same partition is fenced off.
bool move_position(Transaction& transaction, const Subscription& of, const std::string& producer, int partition, std::int64_t from, std::int64_t to) {
  if (from == 0)
    transaction.execute("INSERT INTO log_position(topic, producer, partition, position) VALUES (?1, ?2, ?3, 0) ON CONFLICT DO NOTHING", of.topic,
                        producer, partition);
  return transaction.execute("UPDATE log_position SET position = ?5 WHERE topic = ?1 AND producer = ?2 AND partition = ?3 AND position = ?4",
                             of.topic, producer, partition, from, to) == 1;
}

}  // namespace

Group::Group(Subscription subscription, std::shared_ptr<Feed> feed, PumpOptions options)
    : subscription_{std::move(subscription)}, feed_{std::move(feed)}, options_{std::move(options)} {
  for (int at = 0; at < feed_->partitions(); ++at) pumps_.push_back(std::make_unique<Pump>());
  if (!options_.metrics) return;
  const Labels labels{{"group", subscription_.group}, {"topic", subscription_.topic}, {"producer", feed_->producer()}};
  handled_ = &options_.metrics->counter("loggia_events_handled_total", "Events that a group has handled.", labels);
  retried_ = &options_.metrics->counter("loggia_events_retried_total", "Handlings of an event that failed and are tried again.", labels);
  missed_ = &options_.metrics->counter("loggia_events_missed_total", "Events that were past their retention before the group came to them.", labels);
  dead_ = &options_.metrics->counter("loggia_events_set_aside_total", "Events that a group refused for ever.", labels);
}

Result<bool> Group::load() {
  if (options_.metrics)
    options_.metrics->observed("loggia_group_lag_events", "Events of a topic that a group has not handled yet.",
                               {{"group", subscription_.group}, {"topic", subscription_.topic}, {"producer", feed_->producer()}},
                               [self = weak_from_this()] {
                                 const auto group = self.lock();
                                 return group ? group->behind() : 0.0;
                               });
  const auto stored = positions();
  if (!stored) return stored.error();
  for (std::size_t at = 0; at < pumps_.size(); ++at) pumps_[at]->position = pumps_[at]->stored = (*stored)[at];
  return true;
}

Result<std::vector<std::int64_t>> Group::positions() const {
  return subscription_.store->read_now([&](Query& query) -> Result<std::vector<std::int64_t>> {
    std::vector<std::int64_t> found(pumps_.size());
    auto rows =
        query.select("SELECT partition, position FROM log_position WHERE topic = ?1 AND producer = ?2", subscription_.topic, feed_->producer());
    while (rows->next())
      if (const auto partition = static_cast<std::size_t>(rows->integer(0)); partition < found.size()) found[partition] = rows->integer(1);
    return found;
  });
}

void Group::start() {
  started_ = true;
  for (std::size_t at = 0; at < pumps_.size(); ++at) wake(static_cast<int>(at));
}

void Group::wake(int partition) {
  if (!started_ || stopping_) return;
  auto& pump = *pumps_[static_cast<std::size_t>(partition)];
  pump.again = true;
  if (pump.waiting) return;
  if (pump.running.exchange(true)) return;
  tasks_.spawn(options_.shards->executor(shard_of(partition)), "group." + subscription_.group, run(partition));
}

void Group::look_again(int partition) {
  pump_of(partition).moved = true;
  wake(partition);
}

void Group::stop() {
  stopping_ = true;
  tasks_.cancel();
  tasks_.wait(milliseconds(10000));
  if (!started_) return;
  for (std::size_t shard = 0; shard < options_.shards->size(); ++shard) {
    Latch gone(1);  // a timer belongs to its shard
    options_.shards->post(shard, [self = shared_from_this(), gone, shard]() mutable {
      for (std::size_t at = shard; at < self->pumps_.size(); at += self->options_.shards->size())
        self->pumps_[at]->retry = self->pumps_[at]->later = nullptr;
      gone.count_down();
    });
    gone.wait(milliseconds(2000));
  }
}

double Group::behind() const {
  const auto heads = feed_->heads();
  std::int64_t sum = 0;
  for (std::size_t at = 0; at < heads.size(); ++at) sum += std::max<std::int64_t>(0, heads[at] - pumps_[at]->position);
  return static_cast<double>(sum);
}

bool Group::wanted(const Event& event) const {
  return subscription_.types.empty() || std::find(subscription_.types.begin(), subscription_.types.end(), event.type) != subscription_.types.end();
}

/// What comes after the position. Empty: nothing yet.
Async<Group::Events> Group::next(int partition) {
  auto& pump = pump_of(partition);
  const std::int64_t after = pump.position;
  auto found = co_await feed_->next(partition, after, page);
  if (!found) co_return found.error();
  const auto oldest = found->oldest;
  if (oldest > after + 1 && after > 0 && pump.warned_at != after) {
    pump.warned_at = after;
    log::warn("group.behind_retention", Field("group", subscription_.group), Field("topic", subscription_.topic), Field("partition", partition),
              Field("missed", oldest - after - 1));
    if (missed_) missed_->add(static_cast<std::uint64_t>(oldest - after - 1));
  }
  if (found->events.empty() && oldest > after + 1) {
    // All that there was is past its retention.
    std::vector<Apply> nothing;
    auto done = co_await commit(partition, oldest - 1, std::move(nothing));
    if (!done) co_return done.error();
  }
  co_return std::move(found->events);
}

/// Until the partition's head is reached, or an event has to wait.
boost::asio::awaitable<void> Group::run(int partition) {
  auto& pump = pump_of(partition);
  while (!stopping_) {
    pump.again = false;
    if (pump.moved.exchange(false)) {
      auto read = co_await read_position(partition);
      if (!read) {
        pump.moved = true;
        retry_later(partition);
        break;
      }
    }
    if (pump.overdue.exchange(false) && pump.position > pump.stored) {
      std::vector<Apply> nothing;
      auto stored = co_await commit(partition, pump.position, std::move(nothing));
      if (!stored) {
        retry_later(partition);
        break;
      }
    }
    auto events = co_await next(partition);
    if (stopping_) break;
    if (!events) {
      log::warn("group.not_readable", Field("group", subscription_.group), Field("topic", subscription_.topic), Field("why", events.error().detail));
      retry_later(partition);
      break;
    }
    if (events->empty()) {
      pump.running = false;
      if (!pump.again || stopping_ || pump.running.exchange(true)) co_return;
      continue;
    }
    const bool on = co_await take(partition, std::move(*events));
    if (!on) break;
  }
  pump.running = false;
}

/// Several events share one transaction where all go well. False where one has to be tried again later.
boost::asio::awaitable<bool> Group::take(int partition, Events events) {
  auto& pump = pump_of(partition);
  const std::int64_t from = pump.position;
  if (from < pump.alone_until) events.resize(1);
  if (LOGGIA_MUTANT_IS(position_before_handling)) {
    std::vector<Apply> nothing;
    auto moved = co_await commit(partition, events.back()->sequence, std::move(nothing));
    if (!moved || !*moved) co_return true;
  }
  std::vector<Apply> applies;
  std::int64_t reached = from;
  std::size_t count = 0;
  EventPtr failed;
  Error why;
  for (auto& event : events) {
    if (wanted(*event)) {
      auto apply = co_await handled(event);
      if (!apply) {
        failed = event;
        why = apply.error();
        break;
      }
      ++count;
      if (*apply) applies.push_back(std::move(*apply));
    }
    reached = event->sequence;
  }
  if (reached > from && applies.empty() && reached - pump.stored < unstored_max) {
    progressed(pump, reached);
    if (handled_) handled_->add(count);
    store_later(partition);
    if (failed) co_return co_await refused(partition, std::move(failed), std::move(why));
    co_return true;
  }
  if (reached > from) {
    auto done = co_await commit(partition, reached, std::move(applies));
    if (done && !*done) co_return true;  // fenced: from the stored position on
    if (done) {
      if (handled_) handled_->add(count);
    } else if (reached > events.front()->sequence) {
      pump.alone_until = reached;  // to find the one that does not go
      co_return true;
    } else {
      failed = events.front();
      why = done.error();
    }
  }
  if (!failed) co_return true;
  co_return co_await refused(partition, std::move(failed), std::move(why));
}

/// An event failed: set aside when it was refused for the last time, else to be tried again later (false).
boost::asio::awaitable<bool> Group::refused(int partition, EventPtr event, Error why) {
  auto& pump = pump_of(partition);
  if (why.code == Errc::invalid_request && ++pump.attempts >= tries_max) {
    std::vector<Apply> aside;
    aside.push_back(set_aside(event, why.detail));
    auto done = co_await commit(partition, event->sequence, std::move(aside));
    if (done && *done) {
      log::warn("group.event_set_aside", Field("group", subscription_.group), Field("topic", event->topic), Field("partition", partition),
                Field("sequence", event->sequence), Field("why", why.detail));
      if (dead_) dead_->add();
    }
    if (done) co_return true;
    why = done.error();
  }
  if (retried_) retried_->add();
  log::warn("group.event_retried", Field("group", subscription_.group), Field("topic", event->topic), Field("partition", partition),
            Field("sequence", event->sequence), Field("why", why.detail));
  retry_later(partition);
  co_return false;
}

void Group::progressed(Pump& pump, std::int64_t to) {
  pump.position = to;
  pump.attempts = 0;
  pump.backoff = backoff_first;
}

void Group::retry_later(int partition) {
  if (stopping_) return;
  auto& pump = pump_of(partition);
  const auto delay = pump.backoff;
  pump.backoff = std::min(pump.backoff * 2, backoff_max);
  pump.waiting = true;
  pump.retry = options_.shards->after(shard_of(partition), delay, [self = weak_from_this(), partition] {
    const auto group = self.lock();
    if (!group) return;
    group->pump_of(partition).waiting = false;
    group->wake(partition);
  });
}

void Group::store_later(int partition) {
  auto& pump = pump_of(partition);
  if (pump.later) return;
  pump.later = options_.shards->after(shard_of(partition), unstored_for, [self = weak_from_this(), partition] {
    const auto group = self.lock();
    if (!group) return;
    auto& due = group->pump_of(partition);
    due.later = nullptr;
    due.overdue = true;
    group->wake(partition);
  });
}

Async<Apply> Group::handled(EventPtr event) {
  Trace trace;
  if (auto parsed = Trace::parse(event->traceparent)) trace = child_of(*parsed, *options_.random);
  Context context(std::move(trace), options_.clock->moment() + handling_limit);
  try {
    co_return co_await subscription_.handle(std::move(context), std::move(event));
  } catch (const std::exception& problem) {
    // While stopping it was cancelled: no fault of the event.
    co_return Error(stopping_ ? Errc::unavailable : Errc::invalid_request, problem.what());
  }
}

/// Moves the position with what was done on the way. False where somebody else had moved it: then it was read again, nothing was done.
Async<bool> Group::commit(int partition, std::int64_t to, std::vector<Apply> applies) {
  auto& pump = pump_of(partition);
  const std::int64_t from = pump.stored;
  Context context;
  auto fenced = std::make_shared<bool>(false);
  auto work = [self = shared_from_this(), fenced, partition, from, to, applies = std::move(applies)](Transaction& transaction) -> Result<bool> {
    try {
      for (const auto& apply : applies)
        if (auto done = apply(transaction); !done) return done.error();
    } catch (const std::logic_error& problem) {
      return Error(Errc::invalid_request, problem.what());
    }
    if (move_position(transaction, self->subscription_, self->feed_->producer(), partition, from, to)) return true;
    *fenced = true;
    return Error(Errc::conflict, "another consumer moved the position");
  };
  auto done = co_await subscription_.store->write(context, std::move(work));
  if (done) {
    pump.stored = to;
    progressed(pump, to);
    feed_->stored(partition, to);
  }
  if (done || !*fenced) co_return done;
  auto read = co_await read_position(partition);
  if (!read) co_return read.error();
  co_return false;
}

Async<bool> Group::read_position(int partition) {
  Context context;
  auto work = [self = shared_from_this(), partition](Query& query) -> Result<std::int64_t> {
    auto rows = query.select("SELECT position FROM log_position WHERE topic = ?1 AND producer = ?2 AND partition = ?3", self->subscription_.topic,
                             self->feed_->producer(), partition);
    return rows->next() ? rows->integer(0) : 0;
  };
  auto position = co_await subscription_.store->read(context, std::move(work));
  if (!position) co_return position.error();
  auto& pump = pump_of(partition);
  pump.stored = *position;
  progressed(pump, *position);
  feed_->stored(partition, *position);
  pump.alone_until = 0;
  co_return true;
}

Apply Group::set_aside(EventPtr event, std::string reason) const {
  const auto now = options_.clock->now();
  return [event = std::move(event), producer = feed_->producer(), reason = std::move(reason), now](Transaction& transaction) -> Result<bool> {
    transaction.execute("INSERT INTO dead_letter(topic, producer, partition, sequence, event, reason, at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                        event->topic, producer, event->partition, event->sequence, to_cloud_event(*event), reason, now);
    return true;
  };
}

}  // namespace loggia::bus
