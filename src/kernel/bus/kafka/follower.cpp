#include "bus/kafka/follower.hpp"
#include <pthread.h>
#include <algorithm>
#include "bus/kafka/record.hpp"
#include "loggia/kernel/log.hpp"

namespace loggia::kafka {
namespace {

constexpr int turn_ms = 50, turn_from_log_ms = 20, answer_limit_ms = 1500;
constexpr milliseconds ask_again(200);
// How long Kafka may be behind a log before that is read instead.
constexpr milliseconds patience(250);
// Clocks of other machines may be behind ours by so much: reading begins before the start, and what was there is dropped by its sequence.
constexpr std::chrono::minutes before_start(1);
constexpr std::size_t page_of_log = 256;

}  // namespace

Follower::Follower(std::shared_ptr<Cluster> cluster, std::vector<std::shared_ptr<bus::LogView>> logs, Options options)
    : Owner{&cluster->health()}, cluster_{std::move(cluster)}, logs_{std::move(logs)}, options_{std::move(options)} {}

void Follower::start() {
  if (options_.topics.empty()) return;
  began_ = options_.clock->now();
  for (const auto& log : logs_)
    for (const auto& topic : options_.topics) {
      if (!log->has(topic)) continue;
      Source source{log, topic, {}};
      for (const auto head : log->heads(topic)) source.lanes.emplace_back().seen = head;
      sources_.push_back(std::move(source));
    }
  if (options_.metrics)
    from_log_ =
        &options_.metrics->counter("loggia_follower_from_log_total", "Events that followers were told out of the log, because Kafka was late.", {});
  auto conf = configuration(cluster_->options(), *this,
                            {{"group.id", options_.name},
                             {"enable.auto.commit", "false"},
                             {"enable.auto.offset.store", "false"},
                             {"auto.offset.reset", "earliest"},
                             {"fetch.wait.max.ms", "500"},
                             {"queued.min.messages", "1000"},
                             {"queued.max.messages.kbytes", "8192"}});
  client_ = client(RD_KAFKA_CONSUMER, std::move(conf));
  rd_kafka_poll_set_consumer(client_.get());
  if (cluster_->usable()) read_from(beginning());
  thread_ = std::thread([this] { run(); });
}

void Follower::stop() {
  if (stopping_.exchange(true)) return;
  if (thread_.joinable()) thread_.join();
}

/// Every partition, from before the start on; nothing where Kafka does not say, or does not know a topic yet.
Partitions Follower::beginning() {
  const auto ask = [&](std::int64_t time) {
    auto list = partition_list(options_.topics.size() * static_cast<std::size_t>(options_.partitions));
    for (const auto& topic : options_.topics)
      for (int at = 0; at < options_.partitions; ++at)
        rd_kafka_topic_partition_list_add(list.get(), cluster_->name_of(topic).c_str(), at)->offset = time;
    auto error = rd_kafka_offsets_for_times(client_.get(), list.get(), answer_limit_ms);
    std::string of;
    for (int at = 0; at < list->cnt && error == RD_KAFKA_RESP_ERR_NO_ERROR; ++at) {
      error = list->elems[at].err;
      of = list->elems[at].topic;
    }
    if (error == RD_KAFKA_RESP_ERR_NO_ERROR) return list;
    log::debug("kafka.follower_waits", Field("topic", of), Field("why", words(error)));
    cluster_->met(error, *this);
    if (no_topic(error)) learn_topics();
    return Partitions();
  };
  // The ends first: where nothing is as young as that, what comes in between is behind the end.
  const auto ends = ask(RD_KAFKA_OFFSET_END);
  if (!ends) return Partitions();
  auto list = ask(Time(began_ - before_start).time_since_epoch().count());
  for (int at = 0; list && at < list->cnt; ++at)
    if (list->elems[at].offset < 0) list->elems[at].offset = ends->elems[at].offset;
  return list;
}

/// A client goes on believing for some ten seconds that there is no such topic; who asks for all topics makes it look.
void Follower::learn_topics() {
  const rd_kafka_metadata_t* got = nullptr;
  if (rd_kafka_metadata(client_.get(), 1, nullptr, &got, answer_limit_ms) == RD_KAFKA_RESP_ERR_NO_ERROR) rd_kafka_metadata_destroy(got);
}

void Follower::read_from(const Partitions& places) {
  reading_ = places && rd_kafka_assign(client_.get(), places.get()) == RD_KAFKA_RESP_ERR_NO_ERROR;
}

/// Asks where to begin, on a thread beside this one: while no answer comes the logs have to be read.
void Follower::begin_reading() {
  if (asked_.valid()) {
    if (asked_.wait_for(milliseconds(0)) == std::future_status::timeout) return;
    read_from(asked_.get());
    again_at_ = real_->moment() + ask_again;
  } else if (cluster_->usable() && real_->moment() >= again_at_) {
    try {
      asked_ = std::async(std::launch::async, [this] { return beginning(); });
    } catch (const std::system_error&) {  // no thread can be had
      again_at_ = real_->moment() + ask_again;
    }
  }
}

void Follower::run() {
  pthread_setname_np(pthread_self(), "kafka-follower");
  bool from_log = false;
  Moment looked{};
  while (!stopping_) {
    if (!reading_) begin_reading();
    const Owned<rd_kafka_message_t> message(rd_kafka_consumer_poll(client_.get(), from_log ? turn_from_log_ms : turn_ms));
    if (message && message->err == RD_KAFKA_RESP_ERR_NO_ERROR) take(*message);
    else if (message && message->err != RD_KAFKA_RESP_ERR__PARTITION_EOF) cluster_->met(message->err, *this);
    const auto now = options_.clock->moment();
    if (now - looked < milliseconds(turn_from_log_ms)) continue;
    looked = now;
    from_log = read_logs();
  }
  if (asked_.valid()) asked_.wait();
  rd_kafka_consumer_close(client_.get());
  client_.reset();
}

void Follower::appended(const bus::LogHere& log, const Event& event) {
  for (auto& source : sources_) {
    if (source.log.get() != static_cast<const bus::LogView*>(&log) || source.topic != event.topic) continue;
    auto& lane = source.lanes[static_cast<std::size_t>(event.partition)];
    const std::lock_guard lock(mutex_);
    if (event.sequence <= lane.seen) return;
    // With what was committed before it and not told, at the start; where another process has appended in between, Kafka brings both.
    std::vector<EventPtr> events;
    if (!log.from_tail(source.topic, event.partition, lane.seen, page_of_log, events)) return;
    tell(lane, events);
    return;
  }
}

std::int64_t Follower::seen(const Lane& lane) const {
  const std::lock_guard lock(mutex_);
  return lane.seen;
}

/// What a log said, in its order: what is missing in between is past its retention. Under the mutex.
void Follower::tell(Lane& lane, const std::vector<EventPtr>& events) {
  for (const auto& event : events) {
    if (event->sequence <= lane.seen) continue;
    lane.seen = event->sequence;
    options_.tell(event);
  }
}

void Follower::take(const rd_kafka_message_t& message) {
  fine();
  const auto topic = cluster_->topic_of(rd_kafka_topic_name(message.rkt));
  auto record = record_of(message, topic);
  if (!record) return;  // told by the groups
  if (record->event->sequence == 0) {
    // A signal: of use now or not at all.
    if (record->epoch != options_.instance && record->event->time >= began_) options_.tell(record->event);
    return;
  }
  const auto source = std::find_if(sources_.begin(), sources_.end(), [&](const auto& one) {
    return one.topic == topic && one.log->module() == record->producer && one.log->epoch() == record->epoch;
  });
  const auto partition = static_cast<std::size_t>(message.partition);
  if (source == sources_.end() || partition >= source->lanes.size()) return;
  auto& lane = source->lanes[partition];
  const auto sequence = record->event->sequence;
  std::int64_t after = 0;
  {
    const std::lock_guard lock(mutex_);
    after = lane.seen;
    if (sequence == after + 1) tell(lane, {record->event});
  }
  if (sequence == after + 1) {
    lane.behind_since = Moment();
    lane.from_log = false;
    return;
  }
  if (sequence <= after) {
    if (sequence >= lane.said_by_log) lane.from_log = false;
    return;
  }
  // Kafka has lost what is in between: the log is read, up to where Kafka is.
  if (!lane.from_log)
    log::warn("kafka.hole", Field("topic", topic), Field("partition", message.partition), Field("after", after), Field("next", sequence));
  lane.from_log = true;
}

/// What Kafka is late with. True while anything is read so.
bool Follower::read_logs() {
  bool any = false;
  for (auto& source : sources_)
    for (std::size_t at = 0; at < source.lanes.size(); ++at)
      if (read_log(source, static_cast<int>(at), source.lanes[at])) any = true;
  return any;
}

bool Follower::read_log(const Source& source, int partition, Lane& lane) {
  const auto now = options_.clock->moment();
  const auto head = source.log->head(source.topic, partition), after = seen(lane);
  if (head <= after) {
    lane.behind_since = Moment();
    return lane.from_log;
  }
  if (!lane.from_log) {
    if (lane.behind_since == Moment()) lane.behind_since = now;
    if (now - lane.behind_since < patience) return false;
    lane.from_log = true;
    log::warn("kafka.late", Field("topic", source.topic), Field("partition", partition), Field("behind", head - after));
  }
  const auto events = source.log->read(source.topic, partition, after, page_of_log);
  if (!events || events->empty()) return true;
  lane.said_by_log = events->back()->sequence;
  if (from_log_) from_log_->add(events->size());
  const std::lock_guard lock(mutex_);
  tell(lane, *events);
  return true;
}

}  // namespace loggia::kafka
