#pragma once
// Every event of the followed topics, to who follows here, in order and once: what this process appends right after its commit, what others do
// out of Kafka, and out of their logs while Kafka is away or behind. For realtime, which stores nothing.
#include <functional>
#include <future>
#include <mutex>
#include <thread>
#include "bus/kafka/cluster.hpp"
#include "bus/log_here.hpp"

namespace loggia::kafka {

class Follower : private Owner {
 public:
  struct Options {
    std::string name;      // of its client in Kafka; it joins no group
    std::string instance;  // of this process: its own signals were heard already
    std::vector<std::string> topics;
    int partitions = 0;
    std::shared_ptr<Clock> clock;
    std::function<void(const EventPtr&)> tell;  // on its thread, or on that of appended(); one event at a time
    Metrics* metrics = nullptr;
  };
  Follower(std::shared_ptr<Cluster> cluster, std::vector<std::shared_ptr<bus::LogView>> logs, Options options);
  ~Follower() { stop(); }
  /// Blocking, briefly: from here on nothing is missed.
  void start();
  void stop();
  /// This process has committed it: told now, where all before it was. On the writer's thread; brief.
  void appended(const bus::LogHere& log, const Event& event);

 private:
  /// One producer's part of a partition.
  struct Lane {
    std::int64_t seen = 0;  // all up to here was told
    Moment behind_since{};  // there is more in the log, and nothing has come since; of the thread, as what follows
    bool from_log = false;  // Kafka is late: the log itself is read, until Kafka has come to what that said last
    std::int64_t said_by_log = 0;
  };
  /// What one producer says on a topic.
  struct Source {
    std::shared_ptr<bus::LogView> log;
    std::string topic;
    std::vector<Lane> lanes;
  };
  void run();
  Partitions beginning();
  void learn_topics();
  void read_from(const Partitions& places);
  void begin_reading();
  void take(const rd_kafka_message_t& message);
  bool read_logs();
  bool read_log(const Source& source, int partition, Lane& lane);
  void tell(Lane& lane, const std::vector<EventPtr>& events);
  std::int64_t seen(const Lane& lane) const;

  std::shared_ptr<Cluster> cluster_;
  std::vector<std::shared_ptr<bus::LogView>> logs_;
  Options options_;
  std::vector<Source> sources_;
  mutable std::mutex mutex_;  // of each lane's `seen`, held while its events are told
  Time began_{};
  Owned<rd_kafka_t> client_;
  bool reading_ = false;
  std::future<Partitions> asked_;                       // where to begin; of the thread, as what follows
  const std::shared_ptr<Clock> real_ = system_clock();  // what is waited for is a broker
  Moment again_at_{};
  Counter* from_log_ = nullptr;
  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

}  // namespace loggia::kafka
