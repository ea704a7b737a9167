#pragma once
// The cluster as a whole: whether it answers, whether our topics are there as they must be, and signals, which need nothing else.
#include <condition_variable>
#include <functional>
#include <set>
#include <thread>
#include "bus/kafka/client.hpp"

namespace loggia::kafka {

/// Its thread looks after the cluster: it probes one that is away, and checks or makes the topics once it answers.
class Cluster {
 public:
  /// `partitions`: of every topic, fixed by the logs. `retention`: of those that are made here.
  Cluster(KafkaOptions options, std::vector<std::string> topics, int partitions, milliseconds retention, std::function<void()> on_back);
  ~Cluster() { stop(); }

  /// Blocking, some seconds at most. An error is one that a person has to mend before a start: a wrong password, a topic with another
  /// number of partitions, no right to make one. A cluster that is away is none: what is missing is done when it comes.
  Result<bool> start();
  void stop();

  const KafkaOptions& options() const { return options_; }
  Health& health() { return health_; }
  /// A topic as Kafka calls it, and as we do.
  std::string name_of(const std::string& topic) const { return options_.topic_prefix + topic; }
  std::string topic_of(const char* name) const { return std::string(name).substr(options_.topic_prefix.size()); }
  /// The topics are there with the right number of partitions.
  bool usable() const { return usable_.load(); }
  /// What a start refused, found while running: the topics are of no use as they are.
  std::string unusable_because() const;
  /// At most once, acks=1, dropped while the cluster is away. Any thread.
  void signal(const Event& event);
  /// `forget(names)`: of topics, as Kafka calls them, that are not there, before they are made: whatever was relayed into one of that name is
  /// gone. From the thread of start() or its own. True: another process may have to
  /// notice before the topic is there.
  using Forget = std::function<Result<bool>(const std::set<std::string>&)>;
  void on_missing(Forget forget) { forget_ = std::move(forget); }  // before start()
  /// The librdkafka error that `who` met with its client: the topics are looked at again where it says that one is gone.
  void met(rd_kafka_resp_err_t error, Owner& who);

 private:
  Result<bool> look(milliseconds limit);
  Result<bool> make(milliseconds limit);
  void run();

  KafkaOptions options_;
  std::vector<std::string> topics_;
  int partitions_;
  milliseconds retention_;
  std::function<void()> on_back_;
  Health health_;
  Owner owner_{&health_};
  Owned<rd_kafka_t> client_;
  std::atomic<bool> usable_{false}, stopping_{false}, look_again_{false};
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::string unusable_;
  Forget forget_;
  std::set<std::string> missing_;  // known to be, and forgotten
  std::thread thread_;
};

}  // namespace loggia::kafka
