#include "bus/group.hpp"
#include <algorithm>
#include <future>
#include "loggia/kernel/json.hpp"
#include "loggia/kernel/log.hpp"

namespace loggia::bus {
namespace {

constexpr int tries_max = 5;
constexpr milliseconds backoff_first(100), backoff_max(30000);
constexpr std::size_t page = 64;
constexpr std::chrono::seconds handling_limit(30);

/// The position is moved only from where this consumer knows it: a second one of the same partition is fenced off.
bool move_position(Transaction& transaction, const Subscription& of, const std::string& producer, int partition, std::int64_t from, std::int64_t to) {
  if (from == 0)
    transaction.execute("INSERT OR IGNORE INTO log_position(topic, producer, partition, position) VALUES (?1, ?2, ?3, 0)", of.topic, producer, partition);
  return transaction.execute("UPDATE log_position SET position = ?5 WHERE topic = ?1 AND producer = ?2 AND partition = ?3 AND position = ?4", of.topic,
                             producer, partition, from, to) == 1;
}

}  // namespace

Group::Group(Subscription subscription, std::shared_ptr<LogHere> log, PumpOptions options)
    : subscription_{std::move(subscription)}, log_{std::move(log)}, options_{std::move(options)} {
  const auto count = log_->heads(subscription_.topic).size();
  for (std::size_t at = 0; at < count; ++at) pumps_.push_back(std::make_unique<Pump>());
  if (!options_.metrics) return;
  const Labels labels{{"group", subscription_.group}, {"topic", subscription_.topic}, {"producer", log_->module()}};
  handled_ = &options_.metrics->counter("loggia_events_handled_total", "Events that a group has handled.", labels);
  retried_ = &options_.metrics->counter("loggia_events_retried_total", "Handlings of an event that failed and are tried again.", labels);
  dead_ = &options_.metrics->counter("loggia_events_set_aside_total", "Events that a group refused for ever.", labels);
}

Result<bool> Group::load() {
  return subscription_.store->read_now([&](Query& query) -> Result<bool> {
    auto rows = query.select("SELECT partition, position FROM log_position WHERE topic = ?1 AND producer = ?2", subscription_.topic, log_->module());
    while (rows->next())
      if (const auto partition = static_cast<std::size_t>(rows->integer(0)); partition < pumps_.size()) pumps_[partition]->position = rows->integer(1);
    return true;
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

void Group::stop() {
  stopping_ = true;
  tasks_.cancel();
  tasks_.wait(milliseconds(10000));
  for (std::size_t at = 0; at < pumps_.size(); ++at) {
    std::promise<void> gone;  // a timer belongs to its shard
    options_.shards->post(shard_of(static_cast<int>(at)), [&, at] {
      pumps_[at]->retry.reset();
      gone.set_value();
    });
    gone.get_future().wait_for(milliseconds(2000));
  }
}

bool Group::wanted(const Event& event) const {
  return subscription_.types.empty() || std::find(subscription_.types.begin(), subscription_.types.end(), event.type) != subscription_.types.end();
}

boost::asio::awaitable<Group::Events> Group::next(int partition, std::int64_t after) {
  Events found;
  if (log_->from_tail(subscription_.topic, partition, after, page, found)) co_return found;
  Context context;
  auto work = [log = log_, topic = subscription_.topic, partition, after](Query& query) -> Result<Events> {
    return log->from_rows(query, topic, partition, after, page);
  };
  auto rows = co_await log_->store()->read(context, std::move(work));
  if (!rows) co_return found;
  if (!rows->empty() && rows->front()->sequence > after + 1)
    log::warn("group.behind_retention", Field("group", subscription_.group), Field("topic", subscription_.topic), Field("partition", partition),
              Field("missed", rows->front()->sequence - after - 1));
  co_return std::move(*rows);
}

/// Until the partition's head is reached, or an event has to wait. Several events share one transaction where all go well.
boost::asio::awaitable<void> Group::run(int partition) {
  auto& pump = *pumps_[static_cast<std::size_t>(partition)];
  for (;;) {
    pump.again = false;
    auto events = co_await next(partition, pump.position);
    if (stopping_) break;
    if (events.empty()) {
      pump.running = false;
      if (!pump.again || stopping_ || pump.running.exchange(true)) co_return;
      continue;
    }
    std::vector<Apply> applies;
    std::int64_t reached = pump.position;
    EventPtr failed;
    for (auto& event : events) {
      if (wanted(*event)) {
        auto apply = co_await handled(event);
        if (!apply) {
          failed = event;
          break;
        }
        applies.push_back(std::move(*apply));
      }
      reached = event->sequence;
    }
    if (reached > pump.position) {
      const auto count = applies.size();
      const std::int64_t from = pump.position;
      auto done = co_await commit(partition, from, reached, std::move(applies));
      if (done) {
        pump.position = reached;
        pump.attempts = 0;
        pump.backoff = backoff_first;
        if (handled_) handled_->add(count);
      } else {
        failed = events.front();  // one by one, to find the one that does not go
      }
    }
    if (!failed) continue;
    const bool moved = co_await take(partition, std::move(failed));
    if (!moved) break;
  }
  pump.running = false;
}

/// One event alone, which has just failed: handled, set aside, or to be tried again later (false).
boost::asio::awaitable<bool> Group::take(int partition, EventPtr event) {
  auto& pump = *pumps_[static_cast<std::size_t>(partition)];
  const std::int64_t from = pump.position;
  std::vector<Apply> applies;
  std::optional<Error> why;
  if (wanted(*event)) {
    auto apply = co_await handled(event);
    if (apply) applies.push_back(std::move(*apply));
    else why = apply.error();
  }
  if (!why) {
    auto done = co_await commit(partition, from, event->sequence, std::move(applies));
    if (!done) why = done.error();
  }
  if (why && why->code == Errc::invalid_request && ++pump.attempts >= tries_max) {
    auto aside = co_await set_aside(event, why->detail);
    if (aside) {
      log::warn("group.event_set_aside", Field("group", subscription_.group), Field("topic", event->topic), Field("partition", partition),
                Field("sequence", event->sequence), Field("why", why->detail));
      if (dead_) dead_->add();
      why.reset();
    }
  }
  if (!why) {
    pump.position = event->sequence;
    pump.attempts = 0;
    pump.backoff = backoff_first;
    co_return true;
  }
  if (retried_) retried_->add();
  log::warn("group.event_retried", Field("group", subscription_.group), Field("topic", event->topic), Field("partition", partition),
            Field("sequence", event->sequence), Field("why", why->detail));
  retry_later(partition);
  co_return false;
}

void Group::retry_later(int partition) {
  if (stopping_) return;
  auto& pump = *pumps_[static_cast<std::size_t>(partition)];
  const auto delay = pump.backoff;
  pump.backoff = std::min(pump.backoff * 2, backoff_max);
  pump.waiting = true;
  pump.retry = options_.shards->after(shard_of(partition), delay, [self = weak_from_this(), partition] {
    const auto group = self.lock();
    if (!group) return;
    group->pumps_[static_cast<std::size_t>(partition)]->waiting = false;
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
    co_return Error(Errc::invalid_request, problem.what());
  }
}

Async<bool> Group::commit(int partition, std::int64_t from, std::int64_t to, std::vector<Apply> applies) {
  Context context;
  auto work = [self = shared_from_this(), partition, from, to, applies = std::move(applies)](Transaction& transaction) -> Result<bool> {
    try {
      for (const auto& apply : applies)
        if (apply)
          if (auto done = apply(transaction); !done) return done.error();
    } catch (const std::logic_error& problem) {
      return Error(Errc::invalid_request, problem.what());
    }
    if (!move_position(transaction, self->subscription_, self->log_->module(), partition, from, to))
      return Error(Errc::conflict, "another consumer moved the position");
    return true;
  };
  auto done = co_await subscription_.store->write(context, std::move(work));
  if (!done && done.error().code == Errc::conflict) {
    // Somebody set the position: go on from there.
    auto read = [self = shared_from_this(), partition](Query& query) -> Result<std::int64_t> {
      auto rows = query.select("SELECT position FROM log_position WHERE topic = ?1 AND producer = ?2 AND partition = ?3", self->subscription_.topic,
                               self->log_->module(), partition);
      return rows->next() ? rows->integer(0) : 0;
    };
    auto position = co_await subscription_.store->read(context, std::move(read));
    if (position) pumps_[static_cast<std::size_t>(partition)]->position = *position;
  }
  co_return done;
}

Async<bool> Group::set_aside(EventPtr event, std::string reason) {
  Context context;
  auto& pump = *pumps_[static_cast<std::size_t>(event->partition)];
  const auto now = options_.clock->now();
  const std::int64_t from = pump.position;
  auto work = [self = shared_from_this(), event, reason = std::move(reason), now, from](Transaction& transaction) -> Result<bool> {
    transaction.execute("INSERT INTO dead_letter(topic, producer, partition, sequence, event, reason, at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)", event->topic,
                        self->log_->module(), event->partition, event->sequence, to_cloud_event(*event), reason, now);
    if (!move_position(transaction, self->subscription_, self->log_->module(), event->partition, from, event->sequence))
      return Error(Errc::conflict, "another consumer moved the position");
    return true;
  };
  co_return co_await subscription_.store->write(context, std::move(work));
}

}  // namespace loggia::bus
