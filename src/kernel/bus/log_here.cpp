#include "bus/log_here.hpp"
#include <algorithm>
#include <iterator>
#include <stdexcept>
#include <utility>

namespace loggia::bus {
namespace {

std::size_t weight(const Event& event) { return sizeof(Event) + 128 + (event.data ? event.data->size() : 0); }
constexpr std::size_t rows_at_once = 8, columns = 11;

std::string insert_events(std::size_t rows) {
  std::string sql = "INSERT INTO log_event(topic, partition, sequence, id, type, key, at, trace, data, reference, reference_number) VALUES ";
  for (std::size_t at = 0; at < rows * columns; ++at) {
    sql += at % columns > 0 ? ", " : at > 0 ? "), (" : "(";
    (sql += '?') += std::to_string(at + 1);
  }
  return sql += ')';
}

std::span<const std::uint8_t> bytes(const Uuid& id) { return id.bytes(); }

/// Adds `count` to the head. One writer of a file (or, elsewhere, the row's lock until the commit): positions appear in the order of the
/// commits, and without holes.
std::int64_t take_sequences(Transaction& transaction, const std::string& topic, int partition, std::size_t count) {
  auto rows = transaction.select(
      "INSERT INTO log_head(topic, partition, head) VALUES (?1, ?2, ?3) "
      "ON CONFLICT (topic, partition) DO UPDATE SET head = log_head.head + excluded.head RETURNING head",
      topic, partition, count);
  return rows->next() ? rows->integer(0) : 0;
}

}  // namespace

LogHere::LogHere(std::string module, std::shared_ptr<Database> store, std::vector<std::string> topics, const BusOptions& options, Published published)
    : module_{std::move(module)},
      store_{std::move(store)},
      topics_{topics.begin(), topics.end()},
      partitions_{options.partitions},
      tail_bytes_{options.tail_bytes},
      clock_{options.clock},
      ids_{options.ids},
      published_{std::move(published)},
      appended_{nullptr} {
  if (options.metrics)
    appended_ = &options.metrics->counter("loggia_events_appended_total", "Events written to the log of a module.", {{"module", module_}});
  for (const auto& topic : topics_) {
    auto& tail = tails_[topic];
    tail.partitions.resize(static_cast<std::size_t>(partitions_));
    tail.heads.resize(static_cast<std::size_t>(partitions_));
    tail.gone.resize(static_cast<std::size_t>(partitions_));
  }
}

Result<bool> LogHere::load() {
  const auto fresh = ids_->make<Uuid>().text();
  auto prepare = [&](Transaction& transaction) -> Result<std::string> {
    const auto value = [&](const char* name, const std::string& otherwise) {
      transaction.execute("INSERT INTO kernel_value(name, value) VALUES (?1, ?2) ON CONFLICT DO NOTHING", name, otherwise);
      auto rows = transaction.select("SELECT value FROM kernel_value WHERE name = ?1", name);
      return rows->next() ? rows->string(0) : otherwise;
    };
    const auto made_with = value("bus.partitions", std::to_string(partitions_));
    if (made_with != std::to_string(partitions_))
      return Error(Errc::conflict, "the log of " + module_ + " was made with " + made_with + " partitions, and bus.partitions says " +
                                       std::to_string(partitions_) + ". Set bus.partitions = " + made_with + ": it is fixed when the log is made.");
    return value("epoch", fresh);
  };
  auto epoch = store_->write_now(std::move(prepare));
  if (!epoch) return epoch.error();
  epoch_ = *epoch;
  source_ = "/loggia/" + module_ + "/" + epoch_;
  return look_at_heads();
}

Result<bool> LogHere::look_at_heads() {
  return store_->read_now([&](Query& query) -> Result<bool> {
    bool moved = false;
    auto rows = query.select("SELECT topic, partition, head FROM log_head");
    const std::lock_guard lock(mutex_);
    while (rows->next()) {
      const auto found = tails_.find(rows->text(0));
      const auto partition = static_cast<std::size_t>(rows->integer(1));
      if (found == tails_.end() || partition >= found->second.heads.size()) continue;
      auto& head = found->second.heads[partition];
      moved = moved || rows->integer(2) > head;
      head = std::max(head, rows->integer(2));  // our own newest may not have been committed yet when this was read
    }
    return moved;
  });
}

void LogHere::resolve(std::string_view topic, Resolver resolver) { resolvers_[std::string(topic)] = std::move(resolver); }

void LogHere::append(Transaction& transaction, NewEvent event) {
  const auto topic = topics_.find(event.topic);
  if (topic == topics_.end()) throw std::logic_error("module " + module_ + " has not declared the topic " + std::string(event.topic));
  auto made = std::make_shared<Event>();
  made->topic = event.topic;
  made->partition = partition_of(event.key, partitions_);
  made->id = ids_->make<Uuid>();
  made->type = event.type;
  made->key = std::move(event.key);
  made->time = clock_->now();
  made->source = source_;
  made->traceparent = std::move(event.traceparent);
  made->data = std::make_shared<const std::string>(std::move(event.data));
  const int partition = made->partition;
  auto pending = std::make_shared<Pending>();
  pending->event = std::move(made);
  pending->reference = event.reference;
  pending->number = event.reference_number;
  pending->elsewhere = event.reference_number != 0 && resolvers_.contains(event.topic);
  auto& place = pending_[{*topic, partition}];
  if (place.events.size() >= place.sweep_at) {
    std::erase_if(place.events, [](const auto& one) { return one.expired(); });
    place.sweep_at = std::max<std::size_t>(1024, place.events.size() * 2);
  }
  place.events.push_back(pending);
  const auto order = static_cast<std::uint64_t>(std::distance(topics_.begin(), topic)) << 32 | static_cast<std::uint32_t>(partition);
  transaction.before_commit(order, [this, name = *topic, partition](Transaction& group) { write_rows(group, name, partition); });
  transaction.on_commit([this, pending = std::move(pending)] { committed(*pending); });
}

void LogHere::write_rows(Transaction& transaction, const std::string& topic, int partition) {
  std::vector<std::shared_ptr<Pending>> events;
  for (const auto& one : std::exchange(pending_[{topic, partition}].events, {}))
    if (auto event = one.lock()) events.push_back(std::move(event));
  if (events.empty()) return;
  auto sequence = take_sequences(transaction, topic, partition, events.size()) - static_cast<std::int64_t>(events.size());
  for (const auto& pending : events) {
    auto& event = *pending->event;
    event.sequence = ++sequence;
    if (pending->elsewhere && event.data->empty())
      event.data = std::make_shared<const std::string>(resolvers_.find(topic)->second(transaction, pending->reference, pending->number));
  }
  // Of a group of sends most go in statements of several rows: one costs PostgreSQL, and SQLite too, more than a row does.
  static const std::string one_row = insert_events(1), many_rows = insert_events(rows_at_once);
  std::vector<Parameter> parameters;
  for (std::size_t at = 0; at < events.size();) {
    const std::size_t rows = events.size() - at >= rows_at_once ? rows_at_once : 1;
    parameters.clear();
    for (const auto end = at + rows; at < end; ++at) {
      const auto& pending = *events[at];
      const auto& event = *pending.event;
      parameters.insert(parameters.end(), {topic, partition, event.sequence, event.id, event.type, event.key, event.time, event.traceparent,
                                           pending.elsewhere ? std::nullopt : std::optional<std::string_view>(*event.data),
                                           pending.elsewhere ? std::optional(bytes(pending.reference)) : std::nullopt,
                                           pending.elsewhere ? std::optional(pending.number) : std::nullopt});
    }
    transaction.execute_with(rows == 1 ? one_row : many_rows, parameters);
  }
}

void LogHere::committed(const Pending& pending) {
  const EventPtr event = pending.event;
  {
    const std::lock_guard lock(mutex_);
    keep(tails_.find(event->topic)->second, pending);
  }
  if (appended_) appended_->add();
  published_(*this, event);
}

/// In memory are the newest without a hole: where another process has written in between, they begin anew behind it.
void LogHere::keep(Tail& tail, const Pending& pending) {
  const auto& event = pending.event;
  const auto partition = static_cast<std::size_t>(event->partition);
  auto& events = tail.partitions[partition];
  tail.heads[partition] = std::max(tail.heads[partition], event->sequence);
  if (!events.empty() && event->sequence != events.back().event->sequence + 1) {
    for (const auto& one : events) tail.bytes -= weight(*one.event);
    tail.gone[partition] += events.size();
    events.clear();
  }
  events.push_back({event, pending.reference, pending.number});
  tail.order.push_back(event->partition);
  tail.bytes += weight(*event);
  while (tail.bytes > tail_bytes_ && !tail.order.empty()) {
    const auto oldest = static_cast<std::size_t>(tail.order.front());
    tail.order.pop_front();
    if (tail.gone[oldest] > 0) {
      --tail.gone[oldest];
      continue;
    }
    tail.bytes -= weight(*tail.partitions[oldest].front().event);
    tail.partitions[oldest].pop_front();
  }
}

void LogHere::rewrite(Transaction& transaction, std::string_view topic, const std::string& key, const Uuid& reference, std::int64_t reference_number,
                      std::string data) {
  const auto partition = static_cast<std::size_t>(partition_of(key, partitions_));
  transaction.on_commit([this, topic = std::string(topic), partition, reference, reference_number, data = std::move(data)] {
    const std::lock_guard lock(mutex_);
    auto& tail = tails_.find(topic)->second;
    for (auto& kept : tail.partitions[partition]) {
      if (kept.number != reference_number || kept.reference != reference) continue;
      auto changed = std::make_shared<Event>(*kept.event);
      changed->data = std::make_shared<const std::string>(data);
      tail.bytes += weight(*changed) - weight(*kept.event);
      kept.event = std::move(changed);
    }
  });
}

std::vector<std::int64_t> LogHere::heads(const std::string& topic) const {
  const std::lock_guard lock(mutex_);
  const auto found = tails_.find(topic);
  return found == tails_.end() ? std::vector<std::int64_t>() : found->second.heads;
}

std::int64_t LogHere::head(const std::string& topic, int partition) const {
  const std::lock_guard lock(mutex_);
  const auto found = tails_.find(topic);
  return found == tails_.end() ? 0 : found->second.heads[static_cast<std::size_t>(partition)];
}

bool LogHere::from_tail(const std::string& topic, int partition, std::int64_t after, std::size_t limit, std::vector<EventPtr>& out) const {
  const std::lock_guard lock(mutex_);
  const auto& tail = tails_.find(topic)->second;
  const auto& events = tail.partitions[static_cast<std::size_t>(partition)];
  const auto head = tail.heads[static_cast<std::size_t>(partition)];
  if (after >= head) return true;
  // Another process that has appended may have rewritten too, which it does where it appends: rows say what is left.
  if (store_->shared() && !events.empty() && events.back().event->sequence < head) return false;
  if (events.empty() || events.front().event->sequence > after + 1 || events.back().event->sequence <= after) return false;
  for (auto at = static_cast<std::size_t>(after + 1 - events.front().event->sequence); at < events.size() && out.size() < limit; ++at)
    out.push_back(events[at].event);
  return true;
}

std::vector<EventPtr> LogHere::from_rows(Query& query, const std::string& topic, int partition, std::int64_t after, std::size_t limit) const {
  std::vector<EventPtr> out;
  const auto resolver = resolvers_.find(topic);
  auto rows = query.select(
      "SELECT sequence, id, type, key, at, trace, data, reference, reference_number FROM log_event "
      "WHERE topic = ?1 AND partition = ?2 AND sequence > ?3 ORDER BY sequence LIMIT ?4",
      topic, partition, after, limit);
  while (rows->next()) {
    auto event = std::make_shared<Event>();
    event->topic = topic;
    event->partition = partition;
    event->sequence = rows->integer(0);
    event->id = rows->id<Uuid>(1);
    event->type = rows->string(2);
    event->key = rows->string(3);
    event->time = rows->time(4);
    event->source = source_;
    event->traceparent = rows->string(5);
    auto data = rows->string(6);
    if (rows->null(6) && resolver != resolvers_.end()) data = resolver->second(query, rows->id<Uuid>(7), rows->integer(8));
    event->data = std::make_shared<const std::string>(std::move(data));
    out.push_back(std::move(event));
  }
  return out;
}

Result<std::vector<EventPtr>> LogHere::read(const std::string& topic, int partition, std::int64_t after, std::size_t limit) {
  std::vector<EventPtr> out;
  if (from_tail(topic, partition, after, limit, out)) return out;
  return store_->read_now([&](Query& query) -> Result<std::vector<EventPtr>> { return from_rows(query, topic, partition, after, limit); });
}

Async<std::vector<EventPtr>> LogHere::rows(std::string topic, int partition, std::int64_t after, std::size_t limit) {
  Context context;
  auto work = [log = shared_from_this(), topic = std::move(topic), partition, after, limit](Query& query) -> Result<std::vector<EventPtr>> {
    return log->from_rows(query, topic, partition, after, limit);
  };
  co_return co_await store_->read(context, std::move(work));
}

std::int64_t LogHere::trim(Transaction& transaction, Time before) const {
  return transaction.execute(
      "DELETE FROM log_event WHERE (topic, partition, sequence) IN (SELECT topic, partition, sequence FROM log_event WHERE at < ?1 LIMIT 5000)",
      before);
}

std::int64_t LogHere::trim_relayed(Transaction& transaction, Time before) const {
  return transaction.execute(
      "DELETE FROM log_event WHERE (topic, partition, sequence) IN (SELECT e.topic, e.partition, e.sequence FROM log_event e "
      "JOIN log_relay r ON r.topic = e.topic AND r.partition = e.partition WHERE e.at < ?1 AND e.sequence <= r.position LIMIT 5000)",
      before);
}

}  // namespace loggia::bus
