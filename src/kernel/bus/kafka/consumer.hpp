#pragma once
// One consumer group in Kafka, for all subscriptions of one group of this process. The position that counts is the one in the consumer's
// store, in the transaction of what was done; what is committed to Kafka only says where to begin reading, and shows others the lag.
#include <deque>
#include <map>
#include <thread>
#include "bus/group.hpp"
#include "bus/kafka/cluster.hpp"
#include "bus/kafka/feed.hpp"

namespace loggia::kafka {

class Consumer : private Owner {
 public:
  struct Member {
    std::shared_ptr<bus::Group> group;
    std::shared_ptr<KafkaFeed> feed;
  };
  /// `name` as Kafka knows the group; `topics` and `members` by our names of topics.
  Consumer(std::shared_ptr<Cluster> cluster, std::string name, std::vector<Member> members, Metrics* metrics);
  ~Consumer() { stop(); }
  void start();
  /// It will end: who has several tells them all, then waits for each.
  void stopping() { stopping_ = true; }
  /// Leaves the group. Blocks, some seconds at most.
  void stop();

 private:
  /// A record that was read and is not done, as far as it is somebody's here.
  struct Open {
    std::int64_t offset;
    KafkaFeed* feed;  // null: nobody's
    std::int64_t sequence;
  };
  using Place = std::pair<std::string, int>;  // topic, as we call it, and partition
  struct Reading {
    std::deque<Open> open;
    std::int64_t next = -1;       // the offset to commit: all before it is done
    std::int64_t committed = -1;  // the last one that was
    bool paused = false;
  };
  static void rebalanced(rd_kafka_t* from, rd_kafka_resp_err_t why, rd_kafka_topic_partition_list_t* partitions, void* opaque);
  void assigned(rd_kafka_topic_partition_list_t& partitions);
  void revoked(const rd_kafka_topic_partition_list_t& partitions);
  void run();
  void close();
  void look_at_positions();
  void take(const rd_kafka_message_t& message);
  void tend(const Place& place, Reading& reading);
  void pause(const Place& place, Reading& reading, bool yes);
  void settle(const Place& place, Reading& reading) const;
  void commit(bool wait);
  std::string positions_of(const Place& place) const;
  bool beyond(const Place& place) const;
  bool behind(const Place& place, const std::string& positions, const std::map<const bus::Group*, std::vector<std::int64_t>>& stored) const;

  std::shared_ptr<Cluster> cluster_;
  std::string name_;
  std::vector<Member> members_;
  Owned<rd_kafka_t> client_;
  std::map<Place, Reading> readings_;  // of the thread
  Counter *strange_ = nullptr, *lost_line_ = nullptr, *assignments_ = nullptr, *pauses_ = nullptr;
  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

}  // namespace loggia::kafka
