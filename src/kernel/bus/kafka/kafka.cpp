// The bus over Apache Kafka: what modules append stays in their logs, and a relay brings it to the cluster; groups and followers read there.
#include <algorithm>
#include <map>
#include "bus/bus_here.hpp"
#include "bus/kafka/consumer.hpp"
#include "bus/kafka/follower.hpp"
#include "bus/kafka/relay.hpp"
#include "loggia/kernel/log.hpp"

namespace loggia {
namespace {

constexpr milliseconds answers_within(3000);  // with a cluster that acknowledges nothing

class KafkaBus final : public bus::BusHere {
 public:
  KafkaBus(BusOptions options, KafkaOptions kafka) : BusHere{std::move(options)}, kafka_{std::move(kafka)} {}
  ~KafkaBus() override { stop(); }

  std::vector<TopicLag> lag() override {
    auto out = BusHere::lag();
    auto relay = relay_;
    if (!relay) {
      relay = std::make_shared<kafka::Relay>(nullptr, logs(), kafka::RelayOptions());
      if (auto read = relay->read_positions(); !read) return out;
    }
    auto relayed = relay->lag();
    out.insert(out.end(), std::make_move_iterator(relayed.begin()), std::make_move_iterator(relayed.end()));
    return out;
  }

  BusState state() const override {
    BusState state;
    state.broker = "kafka";
    if (!cluster_ || !relay_) return state;
    const auto unusable = cluster_->unusable_because();
    state.degraded = !unusable.empty() ? unusable : cluster_->health().why();
    if (const auto silent = relay_->unanswered_for(); state.degraded.empty() && silent > answers_within)
      state.degraded = cluster_->health().silent(silent);
    if (state.degraded.empty()) state.degraded = relay_->refused();
    if (const auto waiting = relay_->backlog(); !state.degraded.empty() && waiting > 0)
      state.degraded += " " + std::to_string(waiting) + " events wait.";
    return state;
  }

 protected:
  bool hears_logs() const override { return false; }
  std::shared_ptr<bus::Feed> feed(const Subscription& subscription, std::shared_ptr<bus::LogView> log) override {
    auto made = std::make_shared<kafka::KafkaFeed>(std::move(log), subscription.topic, partitions());
    feeds_[made.get()] = made;
    return made;
  }

  Result<bool> begin() override try {
    std::vector<std::string> topics = followed();
    for (const auto& log : logs()) topics.insert(topics.end(), log->topics().begin(), log->topics().end());
    for (const auto& group : *groups()) topics.push_back(group->subscription().topic);
    std::sort(topics.begin(), topics.end());
    topics.erase(std::unique(topics.begin(), topics.end()), topics.end());
    cluster_ = std::make_shared<kafka::Cluster>(kafka_, topics, partitions(), options().retention, [this] { relay_->wake(); });
    kafka::RelayOptions relay;
    relay.who = instance();
    relay.shards = options().shards;
    relay.clock = options().clock;
    relay.metrics = options().metrics;
    relay.moved = [this] { moved(); };
    relay_ = std::make_shared<kafka::Relay>(cluster_, logs(), std::move(relay));
    for (const auto& log : logs())
      if (auto looked = log->look_at_heads(); !looked) return looked;
    if (auto started = cluster_->start(); !started) return started;
    if (auto started = relay_->start(); !started) return started;
    kafka::Follower::Options follower;
    follower.instance = instance();
    follower.name = kafka_.topic_prefix + "loggia-follower-" + instance();
    follower.topics = followed();
    follower.partitions = partitions();
    follower.clock = options().clock;
    follower.metrics = options().metrics;
    follower.tell = [this](const EventPtr& event) { tell(event); };
    follower_ = std::make_unique<kafka::Follower>(cluster_, all_logs(), std::move(follower));
    follower_->start();
    std::map<std::string, std::vector<kafka::Consumer::Member>> members;
    for (const auto& group : *groups()) members[group->subscription().group].push_back({group, feeds_.at(&group->feed())});
    for (auto& [name, of] : members) {
      consumers_.push_back(std::make_unique<kafka::Consumer>(cluster_, kafka_.topic_prefix + name, std::move(of), options().metrics));
      consumers_.back()->start();
    }
    return true;
  } catch (const std::runtime_error& problem) {
    return Error(Errc::invalid_request, problem.what());
  }

  void published(bus::LogHere& from, const EventPtr& event) override {
    follower_->appended(from, *event);
    relay_->wake();
  }
  void signalled(const EventPtr& event) override { cluster_->signal(*event); }

  void end() override {
    // What a broker that says nothing costs each of them passes while the others end.
    for (const auto& consumer : consumers_) consumer->stopping();
    if (follower_) follower_->stop();
    if (relay_) relay_->stop();
    if (cluster_) cluster_->stop();
    for (const auto& consumer : consumers_) consumer->stop();
    consumers_.clear();
  }

  /// What the cluster has not acknowledged stays, however old it is.
  std::int64_t trim(bus::LogHere& log, Transaction& transaction, Time before) override { return log.trim_relayed(transaction, before); }

 private:
  KafkaOptions kafka_;
  std::map<const bus::Feed*, std::shared_ptr<kafka::KafkaFeed>> feeds_;
  std::shared_ptr<kafka::Cluster> cluster_;
  std::shared_ptr<kafka::Relay> relay_;
  std::unique_ptr<kafka::Follower> follower_;
  std::vector<std::unique_ptr<kafka::Consumer>> consumers_;
};

}  // namespace

std::shared_ptr<Bus> kafka_bus(BusOptions options, KafkaOptions kafka) { return std::make_shared<KafkaBus>(std::move(options), std::move(kafka)); }
std::string kafka_library() { return rd_kafka_version_str(); }
std::vector<FieldError> kafka_mistakes(const KafkaOptions& options) { return kafka::mistakes_of(options); }

}  // namespace loggia
