#include "bus/kafka/consumer.hpp"
#include <fmt/format.h>
#include <pthread.h>
#include <algorithm>
#include <charconv>
#include <chrono>
#include "bus/kafka/record.hpp"
#include "loggia/kernel/log.hpp"

namespace loggia::kafka {
namespace {

constexpr int poll_ms = 100, committed_limit_ms = 5000, commit_limit_ms = 1000, seek_limit_ms = 2000, close_turn_ms = 20;
// Of records that are read and not done: one producer's event may have to wait for hours while the other's go on.
constexpr std::size_t open_max = 8000;
constexpr milliseconds tended_every(100), committed_every(1000), close_limit(1500), looked_every(3000);

}  // namespace

Consumer::Consumer(std::shared_ptr<Cluster> cluster, std::string name, std::vector<Member> members, Metrics* metrics)
    : Owner{&cluster->health()}, cluster_{std::move(cluster)}, name_{std::move(name)}, members_{std::move(members)} {
  if (!metrics) return;
  const Labels labels{{"group", name_}};
  strange_ = &metrics->counter("loggia_kafka_strange_records_total", "Records in our topics that are no events of ours.", labels);
  lost_line_ = &metrics->counter("loggia_kafka_other_epoch_total", "Events of a log that is not the present one.", labels);
  assignments_ = &metrics->counter("loggia_kafka_assignments_total", "Times that a group was given its partitions.", labels);
  pauses_ = &metrics->counter("loggia_kafka_pauses_total", "Times that a partition was read no further until more of it was handled.", labels);
}

void Consumer::start() {
  auto conf = configuration(cluster_->options(), *this,
                            {{"group.id", name_},
                             {"enable.auto.commit", "false"},
                             {"enable.auto.offset.store", "false"},
                             // An offset that is not there (any more): the oldest. The stored position drops what was handled.
                             {"auto.offset.reset", "earliest"},
                             {"partition.assignment.strategy", "range"},
                             {"session.timeout.ms", "6000"},
                             // A commit that is on its way holds up the client's end.
                             {"socket.timeout.ms", "4000"},
                             {"heartbeat.interval.ms", "1000"},
                             {"max.poll.interval.ms", "300000"},
                             {"fetch.wait.max.ms", "500"},
                             {"queued.min.messages", "1000"},
                             {"queued.max.messages.kbytes", "4096"}});
  rd_kafka_conf_set_rebalance_cb(conf.get(), &Consumer::rebalanced);
  client_ = client(RD_KAFKA_CONSUMER, std::move(conf));
  rd_kafka_poll_set_consumer(client_.get());
  auto topics = partition_list(members_.size());
  for (const auto& member : members_) {
    const auto name = cluster_->name_of(member.feed->topic());
    if (!rd_kafka_topic_partition_list_find(topics.get(), name.c_str(), RD_KAFKA_PARTITION_UA))
      rd_kafka_topic_partition_list_add(topics.get(), name.c_str(), RD_KAFKA_PARTITION_UA);
  }
  if (const auto error = rd_kafka_subscribe(client_.get(), topics.get()); error != RD_KAFKA_RESP_ERR_NO_ERROR)
    throw std::runtime_error("the group " + name_ + " cannot subscribe: " + words(error));
  thread_ = std::thread([this] { run(); });
}

void Consumer::stop() {
  stopping();
  if (thread_.joinable()) thread_.join();
}

void Consumer::run() {
  pthread_setname_np(pthread_self(), "kafka-group");
  // Of the world, as the broker's: not the clock that events are stamped with.
  const auto clock = system_clock();
  Moment tended{}, committed = clock->moment(), looked = committed;
  while (!stopping_) {
    const Owned<rd_kafka_message_t> message(rd_kafka_consumer_poll(client_.get(), poll_ms));
    if (message && message->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
      take(*message);
    } else if (message && message->err != RD_KAFKA_RESP_ERR__PARTITION_EOF) {
      cluster_->met(message->err, *this);
    }
    const auto now = clock->moment();
    if (now - tended < tended_every) continue;
    tended = now;
    for (auto& [place, reading] : readings_)
      if (!stopping_) tend(place, reading);
    if (now - committed < committed_every) continue;
    committed = now;
    commit(false);
    if (now - looked < looked_every) continue;
    looked = now;
    look_at_positions();
  }
  for (auto& [place, reading] : readings_) settle(place, reading);
  commit(true);
  close();
}

/// An offset is a hint, and a member that does not say that it leaves is given up in its turn: what the broker does not answer is not waited for.
void Consumer::close() {
  // Who waits to be let in (after a crash, until the member that was is given up) would wait on in a close.
  if (!readings_.empty()) {
    const auto clock = system_clock();
    const Owned<rd_kafka_queue_t> queue(rd_kafka_queue_new(client_.get()));
    const Owned<rd_kafka_error_t> failed(rd_kafka_consumer_close_queue(client_.get(), queue.get()));
    const auto end = clock->moment() + close_limit;
    while (!failed && !rd_kafka_consumer_closed(client_.get()) && clock->moment() < end) {
      // Records that had come come here too, and are read again by who has the partition next (rd_kafka_queue_poll_callback asserts that none does).
      const Owned<rd_kafka_message_t> message(rd_kafka_consume_queue(queue.get(), close_turn_ms));
    }
  }
  rd_kafka_destroy_flags(client_.release(), RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
}

void Consumer::take(const rd_kafka_message_t& message) {
  fine();
  const auto topic = cluster_->topic_of(rd_kafka_topic_name(message.rkt));
  const auto found = readings_.find({topic, message.partition});
  if (found == readings_.end()) {
    if (strange_) strange_->add();
    return;
  }
  auto& reading = found->second;
  Open open{message.offset, nullptr, 0};
  auto record = record_of(message, topic);
  if (!record) {
    if (strange_) strange_->add();
    log::warn("kafka.strange_record", Field("topic", topic), Field("partition", message.partition), Field("offset", message.offset),
              Field("why", record.error().detail));
  } else if (record->event->sequence > 0) {
    for (const auto& member : members_) {
      if (member.feed->topic() != topic || member.feed->producer() != record->producer) continue;
      if (member.feed->epoch() != record->epoch) {
        if (lost_line_) lost_line_->add();
        continue;
      }
      open.feed = member.feed.get();
      open.sequence = record->event->sequence;
      if (member.feed->put(message.partition, std::move(record->event))) member.group->wake(message.partition);
      break;
    }
  }
  if (reading.next < 0) reading.next = message.offset;
  reading.open.push_back(open);
  if (reading.open.size() >= open_max || (open.feed && open.feed->full(message.partition))) tend({topic, message.partition}, reading);
}

/// A position that was set back at another process (`loggia topics replay`) is told to nobody here.
void Consumer::look_at_positions() {
  for (const auto& member : members_) {
    std::map<int, std::int64_t> done;  // before the store is read: pumps move it meanwhile
    for (const auto& [place, reading] : readings_)
      if (place.first == member.feed->topic()) done[place.second] = member.feed->done(place.second);
    if (done.empty()) continue;
    const auto stored = member.group->positions();
    if (!stored) continue;
    for (const auto& [partition, position] : done)
      if ((*stored)[static_cast<std::size_t>(partition)] < position) member.group->look_again(partition);
  }
}

/// What is done and in order can be committed.
void Consumer::settle(const Place& place, Reading& reading) const {
  while (!reading.open.empty()) {
    const auto& first = reading.open.front();
    if (first.feed && first.feed->done(place.second) < first.sequence) break;
    reading.next = first.offset + 1;
    reading.open.pop_front();
  }
}

void Consumer::tend(const Place& place, Reading& reading) {
  settle(place, reading);
  bool full = reading.open.size() >= open_max, roomy = reading.open.size() <= open_max / 2;
  for (const auto& member : members_) {
    if (member.feed->topic() != place.first) continue;
    full = full || member.feed->full(place.second);
    roomy = roomy && member.feed->roomy(place.second);
    if (!member.feed->wants_rewind(place.second)) continue;
    log::info("kafka.reads_again", Field("group", name_), Field("topic", place.first), Field("partition", place.second));
    auto list = partition_list(1);
    auto* one = rd_kafka_topic_partition_list_add(list.get(), cluster_->name_of(place.first).c_str(), place.second);
    one->offset = RD_KAFKA_OFFSET_BEGINNING;
    const Owned<rd_kafka_error_t> failed(rd_kafka_seek_partitions(client_.get(), list.get(), seek_limit_ms));
    if (failed || one->err != RD_KAFKA_RESP_ERR_NO_ERROR) continue;  // asked again at the next turn
    reading.open.clear();
    for (const auto& other : members_)
      if (other.feed->topic() == place.first) other.feed->rewound(place.second);
  }
  if (full != reading.paused && (full || roomy)) pause(place, reading, full);
}

void Consumer::pause(const Place& place, Reading& reading, bool yes) {
  auto list = partition_list(1);
  rd_kafka_topic_partition_list_add(list.get(), cluster_->name_of(place.first).c_str(), place.second);
  if (yes) rd_kafka_pause_partitions(client_.get(), list.get());
  else rd_kafka_resume_partitions(client_.get(), list.get());
  reading.paused = yes;
  if (yes && pauses_) pauses_->add();
}

/// The positions that an offset stands for, beside it: `chat=12,user=3`. Where a store is behind them (it was set back, or restored), the
/// offset is too late to begin at.
std::string Consumer::positions_of(const Place& place) const {
  std::string out;
  for (const auto& member : members_)
    if (member.feed->topic() == place.first)
      out += fmt::format("{}{}={}", out.empty() ? "" : ",", member.feed->producer(), member.feed->done(place.second));
  return out;
}

/// More than the log has: somebody altered the topic. The cluster tells it; nothing there is ours.
bool Consumer::beyond(const Place& place) const {
  return std::any_of(members_.begin(), members_.end(),
                     [&](const auto& member) { return member.feed->topic() == place.first && place.second >= member.feed->partitions(); });
}

bool Consumer::behind(const Place& place, const std::string& positions, const std::map<const bus::Group*, std::vector<std::int64_t>>& stored) const {
  for (const auto& member : members_) {
    if (member.feed->topic() != place.first) continue;
    const auto name = member.feed->producer() + "=";
    const auto at = positions.find(name);
    if (at == positions.npos) return true;
    std::int64_t then = 0;
    std::from_chars(positions.data() + at + name.size(), positions.data() + positions.size(), then);
    if (stored.at(member.group.get())[static_cast<std::size_t>(place.second)] < then) return true;
  }
  return false;
}

void Consumer::commit(bool wait) {
  auto list = partition_list(readings_.size());
  for (auto& [place, reading] : readings_) {
    if (reading.next < 0 || reading.next == reading.committed) continue;
    auto* one = rd_kafka_topic_partition_list_add(list.get(), cluster_->name_of(place.first).c_str(), place.second);
    one->offset = reading.next;
    const auto positions = positions_of(place);
    one->metadata = ::strdup(positions.c_str());  // the list's now
    one->metadata_size = positions.size();
    reading.committed = reading.next;
  }
  if (list->cnt == 0) return;
  if (!wait) {
    rd_kafka_commit(client_.get(), list.get(), 1);
    return;
  }
  const Owned<rd_kafka_queue_t> queue(rd_kafka_queue_new(client_.get()));
  if (rd_kafka_commit_queue(client_.get(), list.get(), queue.get(), nullptr, nullptr) != RD_KAFKA_RESP_ERR_NO_ERROR) return;
  const Owned<rd_kafka_event_t> answer(rd_kafka_queue_poll(queue.get(), commit_limit_ms));
}

void Consumer::rebalanced(rd_kafka_t* from, rd_kafka_resp_err_t why, rd_kafka_topic_partition_list_t* partitions, void* opaque) {
  auto& self = *static_cast<Consumer*>(static_cast<Owner*>(opaque));
  if (why == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS) {
    self.assigned(*partitions);
    rd_kafka_assign(from, partitions);
  } else {
    self.revoked(*partitions);
    rd_kafka_assign(from, nullptr);
  }
}

void Consumer::assigned(rd_kafka_topic_partition_list_t& partitions) {
  // Another member may have had them: its positions are in the store.
  std::map<const bus::Group*, std::vector<std::int64_t>> stored;
  for (const auto& member : members_) {
    auto read = member.group->positions();
    stored[member.group.get()] = read ? std::move(*read) : std::vector<std::int64_t>(static_cast<std::size_t>(member.feed->partitions()));
  }
  const bool known = rd_kafka_committed(client_.get(), &partitions, committed_limit_ms) == RD_KAFKA_RESP_ERR_NO_ERROR;
  for (int at = 0; at < partitions.cnt; ++at) {
    auto& one = partitions.elems[at];
    const Place place{cluster_->topic_of(one.topic), one.partition};
    const std::string positions = one.metadata ? std::string(static_cast<const char*>(one.metadata), one.metadata_size) : std::string();
    if (beyond(place)) continue;
    if (!known || one.err != RD_KAFKA_RESP_ERR_NO_ERROR || one.offset < 0 || behind(place, positions, stored)) one.offset = RD_KAFKA_OFFSET_BEGINNING;
    readings_[place] = Reading();
    for (const auto& member : members_) {
      if (member.feed->topic() != place.first) continue;
      member.feed->begin(place.second, stored[member.group.get()][static_cast<std::size_t>(place.second)]);
      member.group->look_again(place.second);
    }
  }
  fine();  // it may read the topics, and is in the group
  if (assignments_) assignments_->add();
  log::info("kafka.partitions_assigned", Field("group", name_), Field("partitions", partitions.cnt));
}

void Consumer::revoked(const rd_kafka_topic_partition_list_t& partitions) {
  for (auto& [place, reading] : readings_) settle(place, reading);
  if (!rd_kafka_assignment_lost(client_.get())) commit(true);  // else they are another's, and it would be refused
  for (int at = 0; at < partitions.cnt; ++at) {
    const Place place{cluster_->topic_of(partitions.elems[at].topic), partitions.elems[at].partition};
    if (const auto found = readings_.find(place); found != readings_.end()) {
      // The client keeps a pause beyond the assignment, and nobody would know of it when the partition is given to us again.
      if (found->second.paused) pause(place, found->second, false);
      readings_.erase(found);
    }
    for (const auto& member : members_)
      if (member.feed->topic() == place.first && place.second < member.feed->partitions()) member.feed->end(place.second);
  }
  log::info("kafka.partitions_revoked", Field("group", name_), Field("partitions", partitions.cnt));
}

}  // namespace loggia::kafka
