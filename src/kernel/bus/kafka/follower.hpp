#pragma once
// Every event of the followed topics, to who follows here, in order and once: out of Kafka, and out of the logs of this process while Kafka
// is away or behind. For realtime, which stores nothing.
#include <deque>
#include <functional>
#include <map>
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
    std::function<void(const EventPtr&)> tell;  // on its thread
    Metrics* metrics = nullptr;
  };
  Follower(std::shared_ptr<Cluster> cluster, std::vector<std::shared_ptr<bus::LogHere>> logs, Options options);
  ~Follower() { stop(); }
  /// Blocking, briefly: from here on nothing is missed.
  void start();
  void stop();

 private:
  /// One producer's part of a partition.
  struct Lane {
    std::shared_ptr<bus::LogHere> log;
    std::string topic;
    int partition = 0;
    std::int64_t seen = 0;  // all up to here was told
    Moment behind_since{};  // there is more in the log, and nothing has come since
    bool from_log = false;  // Kafka is late: the log itself is read, until Kafka has come to where we are
  };
  void run();
  bool begin_reading();
  void take(const rd_kafka_message_t& message);
  bool read_logs();
  Lane* lane_of(const std::string& topic, const std::string& producer, const std::string& epoch, int partition);

  std::shared_ptr<Cluster> cluster_;
  std::vector<std::shared_ptr<bus::LogHere>> logs_;
  Options options_;
  std::vector<Lane> lanes_;  // of the thread
  Time began_{};
  Owned<rd_kafka_t> client_;
  bool reading_ = false;
  Counter* from_log_ = nullptr;
  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

}  // namespace loggia::kafka
