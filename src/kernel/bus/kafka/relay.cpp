#include "bus/kafka/relay.hpp"
#include <pthread.h>
#include <algorithm>
#include <utility>
#include "bus/kafka/record.hpp"
#include "loggia/kernel/log.hpp"

namespace loggia::kafka {
namespace {

constexpr std::size_t page_of_rows = 256, in_flight_max = 8192;
// Of heads that other processes move.
constexpr milliseconds heads_busy(5), heads_idle(50), heads_elsewhere(200), heads_busy_for(1000);
constexpr milliseconds idle(250), backoff_first(100), backoff_max(5000), trial_polled(10);
constexpr int flush_limit_ms = 2000;

milliseconds grown(milliseconds backoff) { return std::clamp(backoff * 2, backoff_first, backoff_max); }

/// Nothing of it goes out any more; the reports are taken.
void purge(rd_kafka_t* client) {
  rd_kafka_purge(client, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
  rd_kafka_flush(client, flush_limit_ms);
}

}  // namespace

Relay::Relay(std::shared_ptr<Cluster> cluster, std::vector<std::shared_ptr<bus::LogHere>> logs, RelayOptions options)
    : Owner{cluster ? &cluster->health() : nullptr}, cluster_{std::move(cluster)}, logs_{std::move(logs)}, options_{std::move(options)} {
  for (const auto& log : logs_) {
    claims_.push_back(std::make_unique<Claim>(log, options_.who, options_.clock));
    for (const auto& topic : log->topics()) {
      const auto count = log->heads(topic).size();
      for (std::size_t at = 0; at < count; ++at) {
        auto lane = std::make_unique<Lane>();
        lane->log = log.get();
        lane->claim = claims_.back().get();
        lane->topic = topic;
        lane->name = cluster_ ? cluster_->name_of(topic) : topic;
        lane->partition = static_cast<int>(at);
        lanes_.push_back(std::move(lane));
      }
    }
  }
  if (cluster_) cluster_->on_missing([this](const auto& names) { return forget(names); });
}

Relay::~Relay() { stop(); }

Result<bool> Relay::start() {
  if (auto read = read_positions(); !read) return read;
  if (options_.metrics) {
    relayed_ = &options_.metrics->counter("loggia_relay_acknowledged_total", "Events that Kafka has acknowledged.", {});
    again_ = &options_.metrics->counter("loggia_relay_begun_again_total",
                                        "Failed deliveries after which the relay began again at what was acknowledged.", {});
    options_.metrics->observed("loggia_relay_backlog_events", "Events of the logs that Kafka has not acknowledged yet.", {},
                               [self = weak_from_this()] {
                                 const auto relay = self.lock();
                                 return relay ? static_cast<double>(relay->backlog()) : 0.0;
                               });
  }
  make_producer();
  answered();
  started_ = true;
  thread_ = std::thread([this] { run(); });
  return true;
}

void Relay::stop() {
  if (stopping_.exchange(true)) return;
  wake();
  if (thread_.joinable()) thread_.join();
  tasks_.cancel();
  tasks_.wait(milliseconds(10000));
}

void Relay::wake() {
  if (woken_.exchange(true)) return;
  const std::lock_guard lock(queue_mutex_);
  if (queue_) rd_kafka_queue_yield(queue_.get());
}

std::int64_t Relay::backlog() const {
  std::int64_t sum = 0;
  for (const auto& lane : lanes_) sum += std::max<std::int64_t>(0, lane->log->head(lane->topic, lane->partition) - lane->acknowledged);
  return sum;
}

milliseconds Relay::unanswered_for() const {
  if (!started_ || elsewhere() || backlog() == 0) return milliseconds(0);
  return std::chrono::duration_cast<milliseconds>(options_.clock->moment().time_since_epoch()) - milliseconds(answered_at_.load());
}

void Relay::answered() { answered_at_ = std::chrono::duration_cast<milliseconds>(options_.clock->moment().time_since_epoch()).count(); }

std::vector<TopicLag> Relay::lag() const {
  std::vector<TopicLag> out;
  for (const auto& lane : lanes_) {
    TopicLag row;
    row.topic = lane->topic;
    row.group = "kafka-relay";
    row.partition = lane->partition;
    row.head = lane->log->head(lane->topic, lane->partition);
    row.position = lane->acknowledged;
    if (row.head > 0) out.push_back(std::move(row));
  }
  return out;
}

Owned<rd_kafka_t> Relay::made(bool gapless) {
  auto conf = configuration(cluster_->options(), *this,
                            {{"enable.idempotence", "true"},
                             // A record that is refused ends this client before it sends what is behind it.
                             {"enable.gapless.guarantee", gapless ? "true" : "false"},
                             {"acks", "all"},
                             {"message.timeout.ms", "0"},  // it waits for as long as the cluster is away
                             {"linger.ms", "2"},
                             {"queue.buffering.max.messages", "20000"},
                             {"queue.buffering.max.kbytes", "65536"},
                             // A topic that was deleted is told soon, and made again from the log.
                             {"topic.metadata.propagation.max.ms", "5000"}});
  rd_kafka_conf_set_dr_msg_cb(conf.get(), &Relay::delivered);
  return client(RD_KAFKA_PRODUCER, std::move(conf));
}

void Relay::make_producer() {
  auto producer = made(true);
  const std::lock_guard lock(queue_mutex_);
  producer_ = std::move(producer);
  queue_.reset(rd_kafka_queue_get_main(producer_.get()));
}

bool Relay::elsewhere() const {
  return std::any_of(claims_.begin(), claims_.end(), [](const auto& claim) { return !claim->ours(); });
}

bool Relay::shares_a_store() const {
  return std::any_of(logs_.begin(), logs_.end(), [](const auto& log) { return log->store()->shared(); });
}

/// Who gets a log begins at what the one before had stored.
void Relay::look_at_claims() {
  for (const auto& claim : claims_) {
    const bool had = claim->ours();
    if (claim->look()) {
      if (!read_positions(claim.get())) claim->give_up();
    } else if (had && !claim->ours()) {
      failed_ = true;  // what is on its way is another's to send
    }
  }
}

/// Other processes append too, and tell nobody: their heads are asked for, often while there is something. How long until the next time.
milliseconds Relay::look_at_heads() {
  if (!shares_a_store()) return idle;
  const auto now = options_.clock->moment();
  const bool mine = std::any_of(claims_.begin(), claims_.end(), [](const auto& claim) { return claim->ours(); });
  const auto every = !mine ? heads_elsewhere : now - moved_at_ < heads_busy_for ? heads_busy : heads_idle;
  if (now - heads_at_ < every) return std::chrono::ceil<milliseconds>(every - (now - heads_at_));
  heads_at_ = now;
  for (const auto& log : logs_)
    if (log->store()->shared())
      if (const auto moved = log->look_at_heads(); moved && *moved) {
        moved_at_ = now;
        if (options_.moved) options_.moved();
      }
  return every;
}

/// After a delivery that failed: what is behind it in its partition must not overtake it. All that is not acknowledged goes again.
void Relay::begin_again() {
  log::warn("kafka.relay_begins_again", Field("in_flight", in_flight_));
  if (again_) again_->add();
  purge(producer_.get());
  if (trial_) purge(trial_.get());
  {
    const std::lock_guard lock(queue_mutex_);
    queue_.reset();
  }
  producer_.reset();
  trial_.reset();
  in_flight_ = 0;
  for (const auto& lane : lanes_) {
    lane->doubted = lane->doubted || lane->sent > lane->acknowledged;
    lane->sent = lane->acknowledged;
    lane->failed = lane->proven = false;
  }
  failed_ = false;
  make_producer();
}

void Relay::delivered(rd_kafka_t* from, const rd_kafka_message_t* message, void* opaque) {
  auto& relay = *static_cast<Relay*>(static_cast<Owner*>(opaque));
  relay.report(*message, from == relay.trial_.get());
}

/// Idempotence is lost.
void Relay::lost(rd_kafka_resp_err_t, const std::string&) { failed_ = true; }

void Relay::report(const rd_kafka_message_t& message, bool tried) {
  const std::unique_ptr<Sent> sent(static_cast<Sent*>(message._private));
  auto& lane = *sent->lane;
  if (in_flight_ > 0) --in_flight_;
  if (message.err == RD_KAFKA_RESP_ERR_NO_ERROR) {
    // In order in each partition, and nothing behind one that failed. Acknowledged twice is acknowledged once.
    if (!lane.failed && sent->sequence > lane.acknowledged) lane.acknowledged = sent->sequence;
    if (tried) {
      lane.doubted = false;
      lane.refused = RD_KAFKA_RESP_ERR_NO_ERROR;
    } else {
      lane.proven = true;
    }
    lane.backoff = backoff_ = milliseconds(0);
    answered();
    if (relayed_) relayed_->add();
    fine();
    return;
  }
  const bool its_own =
      message.err != RD_KAFKA_RESP_ERR__PURGE_QUEUE && message.err != RD_KAFKA_RESP_ERR__PURGE_INFLIGHT && message.err != RD_KAFKA_RESP_ERR__FATAL;
  if (its_own && !lane.failed) {
    refuse(lane, sent->sequence, message.err);
    if (tried) {  // there was nothing behind it
      lane.sent = lane.acknowledged;
      return;
    }
  }
  failed_ = lane.failed = true;
}

void Relay::run() {
  pthread_setname_np(pthread_self(), "kafka-relay");
  while (!stopping_) {
    woken_ = false;
    bool more = false;
    look_at_claims();
    const auto look = look_at_heads();
    look_at_positions();
    if (!failed_) {
      if (cluster_->usable()) more = produce_some();
    } else if (real_->moment() >= again_not_before_) {
      begin_again();
      again_not_before_ = real_->moment() + (backoff_ = grown(backoff_));
      more = true;
    }
    store_positions(false);
    if (const auto now = options_.clock->moment(); now - emptied_at_ >= idle) {
      emptied_at_ = now;
      if (backlog() == 0) answered();
    }
    // Acknowledgements are taken here; wake() ends the wait.
    const auto wait = more ? milliseconds(0) : std::min({look, idle, held_off()});
    rd_kafka_queue_poll_callback(queue_.get(), static_cast<int>(wait.count()));
    if (!trial_) continue;
    rd_kafka_poll(trial_.get(), 0);
    if (std::none_of(lanes_.begin(), lanes_.end(), [](const auto& lane) { return lane->doubted; })) trial_.reset();
  }
  rd_kafka_flush(producer_.get(), flush_limit_ms);
  store_positions(true);
  for (const auto& claim : claims_) claim->give_up();
  const std::lock_guard lock(queue_mutex_);
  // Reports of what did not go out in time free what rides on them.
  purge(producer_.get());
  if (trial_) purge(trial_.get());
  queue_.reset();
  producer_.reset();
  trial_.reset();
}

/// What cannot be read or delivered now is tried again later and later, and holds its partition alone.
void Relay::hold_off(Lane& lane) const {
  lane.backoff = grown(lane.backoff);
  lane.not_before = real_->moment() + lane.backoff;
}

/// What Kafka or its client does not take: told, and tried again by itself.
void Relay::refuse(Lane& lane, std::int64_t sequence, rd_kafka_resp_err_t why) {
  log::warn("kafka.delivery_failed", Field("topic", lane.name), Field("partition", lane.partition), Field("sequence", sequence),
            Field("why", words(why)));
  hold_off(lane);
  lane.doubted = true;
  if (no_topic(why)) gone_.insert(lane.name);
  cluster_->met(why, *this);
  if (refuses_the_record(why)) lane.refused = why;
}

std::string Relay::refused() const {
  for (const auto& lane : lanes_) {
    const auto why = lane->refused.load();
    if (why == RD_KAFKA_RESP_ERR_NO_ERROR || !lane->claim->ours()) continue;
    return "Kafka refuses event " + std::to_string(lane->acknowledged + 1) + " of " + lane->name + '/' + std::to_string(lane->partition) + ": " +
           words(why) + ". It waits with all behind it in its partition; correct the topic (max.message.bytes, for one).";
  }
  return std::string();
}

/// Until the next of those that wait may be tried, or a trial's report looked for.
milliseconds Relay::held_off() const {
  if (trial_ && rd_kafka_outq_len(trial_.get()) > 0) return trial_polled;
  const auto now = real_->moment();
  auto until = now + idle;
  if (failed_) until = std::min(until, again_not_before_);
  for (const auto& lane : lanes_)
    if (lane->not_before > now) until = std::min(until, lane->not_before);
  return std::max(milliseconds(0), std::chrono::ceil<milliseconds>(until - now));
}

/// A page of each partition that is behind. True when there may be more and there is room for it.
bool Relay::produce_some() {
  bool more = false;
  const auto now = real_->moment();
  const auto share = static_cast<std::int64_t>(std::max(page_of_rows, in_flight_max / std::max<std::size_t>(1, lanes_.size())));
  for (const auto& lane : lanes_) {
    if (failed_) return false;
    const auto head = lane->log->head(lane->topic, lane->partition), on_its_way = lane->sent - lane->acknowledged;
    if (!lane->claim->ours() || lane->sent >= head || now < lane->not_before) continue;
    if (in_flight_ >= in_flight_max) return false;
    // A broker takes any number from a producer that it does not know yet: the first goes alone, or what is behind it might be there before it.
    const bool alone = lane->doubted || !lane->proven;
    if (on_its_way >= (alone ? 1 : share)) continue;  // one whose broker is away does not take the room of all
    const auto events = lane->log->read(lane->topic, lane->partition, lane->sent, alone ? 1 : page_of_rows);
    if (!events) {
      if (unreadable_.insert(lane->log).second) log::warn("kafka.log_not_readable", Field("topic", lane->topic), Field("why", events.error().detail));
      hold_off(*lane);
      continue;
    }
    unreadable_.erase(lane->log);
    if (events->empty()) lane->sent = lane->acknowledged = head;  // past its retention before there was a relay
    auto produced = Produced::taken;
    for (const auto& event : *events)
      if ((produced = produce(*lane, *event)) != Produced::taken) break;
    if (produced == Produced::no_room) return false;
    more = more || (produced == Produced::taken && events->size() == page_of_rows);  // of one that goes alone the report ends the wait
  }
  return more && in_flight_ < in_flight_max;
}

Relay::Produced Relay::produce(Lane& lane, const Event& event) {
  if (lane.doubted && !trial_) trial_ = made(false);
  auto sent = std::make_unique<Sent>(Sent{&lane, event.sequence});
  const auto error = kafka::produce((lane.doubted ? trial_ : producer_).get(), lane.name, event, sent.get());
  if (error == RD_KAFKA_RESP_ERR_NO_ERROR) {
    (void)sent.release();  // until its report
    lane.sent = event.sequence;
    ++in_flight_;
    return Produced::taken;
  }
  if (error == RD_KAFKA_RESP_ERR__QUEUE_FULL) return Produced::no_room;
  refuse(lane, event.sequence, error);
  failed_ = failed_ || no_topic(error) || error == RD_KAFKA_RESP_ERR__FATAL;  // a new client knows the topic that is made
  return Produced::refused;
}

}  // namespace loggia::kafka
