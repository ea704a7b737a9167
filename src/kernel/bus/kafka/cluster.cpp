#include "bus/kafka/cluster.hpp"
#include <pthread.h>
#include <algorithm>
#include <array>
#include <utility>
#include "bus/kafka/record.hpp"
#include "loggia/kernel/log.hpp"

namespace loggia::kafka {
namespace {

constexpr milliseconds start_limit(4000), probe_limit(2000), probe_every(500);
constexpr milliseconds noticed_within(700);  // twice as long as a relay goes without looking at its positions

}  // namespace

Cluster::Cluster(KafkaOptions options, std::vector<std::string> topics, int partitions, milliseconds retention, std::function<void()> on_back)
    : options_{std::move(options)},
      topics_{std::move(topics)},
      partitions_{partitions},
      retention_{retention},
      on_back_{std::move(on_back)},
      health_{options_},
      // Of signals: one that waits longer than this is of no use any more.
      client_{client(
          RD_KAFKA_PRODUCER,
          configuration(
              options_, owner_,
              {{"acks", "1"}, {"message.timeout.ms", "2000"}, {"linger.ms", "2"}, {"queue.buffering.max.messages", "10000"}, {"retries", "0"}}))} {}

Result<bool> Cluster::start() {
  auto looked = look(start_limit);
  if (!looked && (looked.error().code == Errc::invalid_request || health_.refused())) {
    // Nothing runs yet: the reason why is what the person at the shell reads.
    const auto why = health_.why();
    return Error(Errc::invalid_request, why.empty() ? looked.error().detail : why);
  }
  if (!looked) owner_.trouble(RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN, looked.error().detail);
  thread_ = std::thread([this] { run(); });
  return true;
}

void Cluster::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  if (thread_.joinable()) thread_.join();
}

std::string Cluster::unusable_because() const {
  const std::lock_guard lock(mutex_);
  return unusable_;
}

void Cluster::met(rd_kafka_resp_err_t error, Owner& who) {
  if (no_topic(error)) {
    {
      const std::lock_guard lock(mutex_);
      look_again_ = true;
      usable_ = false;
    }
    wake_.notify_all();
    return;
  }
  if (refuses_the_record(error)) return;  // the relay tells it
  switch (static_cast<int>(error)) {
    case RD_KAFKA_RESP_ERR_NO_ERROR:
    // A topic is young, or another broker has it now: soon over.
    case RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION:
    case RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE:
      return;
    default:
      who.trouble(error, words(error));
  }
}

/// Answers its events, probes while something is wrong, and otherwise does nothing.
void Cluster::run() {
  pthread_setname_np(pthread_self(), "kafka-cluster");
  while (!stopping_) {
    rd_kafka_poll(client_.get(), 0);
    if (health_.away() || !usable_ || look_again_) {
      look_again_ = false;
      const bool was = usable_;
      const auto looked = look(probe_limit);
      if (looked) {
        owner_.fine();
        if (!was) on_back_();
      } else if (looked.error().code == Errc::invalid_request) {
        const std::lock_guard lock(mutex_);
        if (unusable_ != looked.error().detail) log::error("kafka.topics_unusable", Field("why", looked.error().detail));
        unusable_ = looked.error().detail;
      }
    }
    std::unique_lock lock(mutex_);
    wake_.wait_for(lock, probe_every, [this] { return stopping_.load() || look_again_.load(); });
  }
}

/// Asks for the topics; makes those that are missing. Errc::invalid_request is for a person to mend.
Result<bool> Cluster::look(milliseconds limit) {
  const rd_kafka_metadata_t* got = nullptr;
  // All of them: asking for one by name would make it, where the broker makes topics by itself, with its own number of partitions.
  const auto error = rd_kafka_metadata(client_.get(), 1, nullptr, &got, static_cast<int>(limit.count()));
  rd_kafka_poll(client_.get(), 0);  // what the error callback has to say
  if (error != RD_KAFKA_RESP_ERR_NO_ERROR) return Error(Errc::unavailable, words(error));
  const Owned<const rd_kafka_metadata_t> metadata(got);
  std::set<std::string> missing;
  for (const auto& topic : topics_) {
    const auto name = name_of(topic);
    const auto* end = metadata->topics + metadata->topic_cnt;
    const auto* found = std::find_if(metadata->topics, const_cast<rd_kafka_metadata_topic*>(end), [&](const auto& one) { return name == one.topic; });
    if (found == end || found->err == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART) {
      missing.insert(name);
    } else if (found->err != RD_KAFKA_RESP_ERR_NO_ERROR && found->err != RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE) {
      return Error(Errc::unavailable, name + ": " + words(found->err));
    } else if (found->partition_cnt != partitions_) {
      return Error(
          Errc::invalid_request,
          "the topic " + name + " in Kafka has " + std::to_string(found->partition_cnt) + " partitions, and the log has " +
              std::to_string(partitions_) +
              ": the order of a room would be lost. Set another bus.kafka.topic_prefix, or delete that topic; it is made again from the log.");
    }
  }
  // Before any is made: a stop in between, or one that is made later than the limit, leaves nothing that says that what was relayed is there.
  if (forget_ && !std::includes(missing_.begin(), missing_.end(), missing.begin(), missing.end())) {
    const auto elsewhere = forget_(missing);
    if (!elsewhere) return elsewhere;
    std::unique_lock lock(mutex_);
    if (*elsewhere) wake_.wait_for(lock, noticed_within, [this] { return stopping_.load(); });
  }
  missing_ = std::move(missing);
  if (!missing_.empty())
    if (auto made = make(limit); !made) return made;
  missing_.clear();
  usable_ = true;
  const std::lock_guard lock(mutex_);
  unusable_.clear();
  return true;
}

/// What is missing.
Result<bool> Cluster::make(milliseconds limit) {
  std::array<char, 512> why{};
  std::vector<Owned<rd_kafka_NewTopic_t>> topics;
  std::vector<rd_kafka_NewTopic_t*> list;
  for (const auto& name : missing_) {
    topics.emplace_back(rd_kafka_NewTopic_new(name.c_str(), partitions_, options_.replication, why.data(), why.size()));
    if (!topics.back()) return Error(Errc::invalid_request, "the topic " + name + " cannot be made: " + why.data());
    if (retention_.count() > 0) rd_kafka_NewTopic_set_config(topics.back().get(), "retention.ms", std::to_string(retention_.count()).c_str());
    list.push_back(topics.back().get());
  }
  const Owned<rd_kafka_AdminOptions_t> options(rd_kafka_AdminOptions_new(client_.get(), RD_KAFKA_ADMIN_OP_CREATETOPICS));
  rd_kafka_AdminOptions_set_operation_timeout(options.get(), static_cast<int>(limit.count()), why.data(), why.size());
  const Owned<rd_kafka_queue_t> queue(rd_kafka_queue_new(client_.get()));
  rd_kafka_CreateTopics(client_.get(), list.data(), list.size(), options.get(), queue.get());
  const Owned<rd_kafka_event_t> event(rd_kafka_queue_poll(queue.get(), static_cast<int>(limit.count()) + 2000));
  const auto* result = event ? rd_kafka_event_CreateTopics_result(event.get()) : nullptr;
  if (!result || rd_kafka_event_error(event.get()) != RD_KAFKA_RESP_ERR_NO_ERROR)
    return Error(Errc::unavailable, "the topics were not made in time" + (event ? std::string(": ") + rd_kafka_event_error_string(event.get()) : ""));
  std::size_t count = 0;
  const auto** made = rd_kafka_CreateTopics_result_topics(result, &count);
  for (std::size_t at = 0; at < count; ++at) {
    const std::string name = rd_kafka_topic_result_name(made[at]);
    const auto* text = rd_kafka_topic_result_error_string(made[at]);
    switch (static_cast<int>(rd_kafka_topic_result_error(made[at]))) {
      case RD_KAFKA_RESP_ERR_NO_ERROR:
        log::info("kafka.topic_made", Field("topic", name), Field("partitions", partitions_));
        break;
      case RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS:  // another process was faster
        break;
      case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
      case RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED:
        return Error(Errc::invalid_request, "the topic " + name + " is not there, and this user may not make it. Make it with " +
                                                std::to_string(partitions_) + " partitions, or permit this user to create topics.");
      case RD_KAFKA_RESP_ERR_INVALID_REPLICATION_FACTOR:
        return Error(Errc::invalid_request, "the topic " + name + " cannot be made: " + (text ? text : "") +
                                                " Set bus.kafka.replication to no more than there are brokers.");
      default:
        return Error(Errc::unavailable, "the topic " + name + " was not made: " + (text ? text : words(rd_kafka_topic_result_error(made[at]))));
    }
  }
  return true;
}

void Cluster::signal(const Event& event) {
  if (health_.away() || !usable_) return;
  (void)produce(client_.get(), name_of(event.topic), event, nullptr);  // the queue is full: it is dropped
}

}  // namespace loggia::kafka
