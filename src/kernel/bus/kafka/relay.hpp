#pragma once
// From the logs of this process's modules into Kafka: in order, acks=all, idempotent. It never holds up who appends: what the cluster has
// not acknowledged waits in the log. What it sends twice (after a crash, a failure) consumers drop by `sequence`.
#include <chrono>
#include <set>
#include <thread>
#include "bus/kafka/claim.hpp"
#include "bus/kafka/cluster.hpp"
#include "bus/log_here.hpp"

namespace loggia::kafka {

struct RelayOptions {
  std::string who;  // this process, as no other is called
  std::shared_ptr<Shards> shards;
  std::shared_ptr<Clock> clock;
  Metrics* metrics = nullptr;
  std::function<void()> moved;  // another process has appended to one of the logs; on the relay's thread
};

/// A thread of its own reads, produces and takes the acknowledgements.
class Relay : public std::enable_shared_from_this<Relay>, private Owner {
 public:
  /// `cluster` may be null where the relay is not started.
  Relay(std::shared_ptr<Cluster> cluster, std::vector<std::shared_ptr<bus::LogHere>> logs, RelayOptions options);
  ~Relay();
  /// Blocking: reads how far it had come. Without start(): for lag() alone.
  Result<bool> read_positions() { return read_positions(nullptr); }
  Result<bool> start();
  /// Waits a moment for what is on its way, stores how far it came. Blocks; not from a shard.
  void stop();
  /// Something was appended, or the cluster is back. Any thread; quick.
  void wake();

  /// How long something has waited for an acknowledgement while none came: a cluster that takes connections and never answers says
  /// nothing else for a minute.
  milliseconds unanswered_for() const;
  /// One line of an event that the cluster takes from nobody, which holds its partition; empty: there is none.
  std::string refused() const;
  /// Events that the cluster has not acknowledged.
  std::int64_t backlog() const;
  /// For the topics of the logs: how far each partition is relayed, of the store where the relay does not run.
  std::vector<TopicLag> lag() const;

 private:
  struct Lane {  // a partition of a topic of a log
    bus::LogHere* log;
    Claim* claim;
    std::string topic, name;  // as we call it, and as Kafka does
    int partition = 0;
    std::int64_t sent = 0;  // of the thread, as are these
    bool failed = false;    // a delivery; what is acknowledged behind it does not count until it has begun again
    bool proven = false;    // this producer has brought something there
    bool doubted = false;   // something failed there, or was on its way when another did: tried by the second client
    milliseconds backoff{};
    Moment not_before{};
    std::atomic<std::int64_t> acknowledged{0};
    std::atomic<rd_kafka_resp_err_t> refused{RD_KAFKA_RESP_ERR_NO_ERROR};  // why Kafka takes the one behind it from nobody
    std::atomic<std::int64_t> stored{0};
  };
  struct Sent {  // rides on each message to its delivery report
    Lane* lane;
    std::int64_t sequence;
  };
  void lost(rd_kafka_resp_err_t kind, const std::string& text) override;
  static void delivered(rd_kafka_t* from, const rd_kafka_message_t* message, void* opaque);
  void report(const rd_kafka_message_t& message, bool tried);
  void answered();
  void run();
  Owned<rd_kafka_t> made(bool gapless);
  void make_producer();
  void begin_again();
  bool elsewhere() const;
  bool shares_a_store() const;
  void look_at_claims();
  milliseconds look_at_heads();
  void hold_off(Lane& lane) const;
  void refuse(Lane& lane, std::int64_t sequence, rd_kafka_resp_err_t why);
  milliseconds held_off() const;
  bool produce_some();
  enum class Produced { taken, no_room, refused };
  Produced produce(Lane& lane, const Event& event);

  // relay_positions.cpp: log_relay has a row for each lane from the claim on. Who finds a topic missing takes its rows away before it is made,
  // whoever relays; who relays and finds a row gone puts it back and begins there at the oldest event.
  struct Moved {
    Lane* lane;
    std::int64_t from, to;
  };
  Result<bool> forget(const std::set<std::string>& names);
  void look_at_positions();
  Result<bool> read_positions(const Claim* taken);
  Result<bool> read_positions(bus::LogHere& log, bool taken);
  void store_positions(bool last);
  boost::asio::awaitable<void> store(bus::LogHere* log, std::vector<Moved> moved);
  static Result<bool> put(Transaction& transaction, const std::vector<Moved>& moved);

  std::shared_ptr<Cluster> cluster_;
  std::vector<std::shared_ptr<bus::LogHere>> logs_;
  RelayOptions options_;
  const std::unique_ptr<const Clock> real_ = system_clock();  // the world's, as the broker's: not the one that events are stamped with
  std::vector<std::unique_ptr<Claim>> claims_;                // of each log
  std::vector<std::unique_ptr<Lane>> lanes_;
  std::set<std::string> gone_;  // topics, as Kafka calls them, of which it knew nothing; of the thread
  Owned<rd_kafka_t> producer_;
  Owned<rd_kafka_t> trial_;        // of lanes in doubt, one event of each at a time: what is refused stops nobody else. Null where there are none
  Owned<rd_kafka_queue_t> queue_;  // the producer's own, to be woken from
  std::mutex queue_mutex_;
  std::size_t in_flight_ = 0;                 // of the thread
  bool failed_ = false;                       // of the thread: begin again
  std::set<const bus::LogHere*> unreadable_;  // of the thread: their stores are away, and that was told
  bool unread_ = false;                       // of the thread: positions, for a store was away
  milliseconds backoff_{};                    // of beginning again
  Moment again_not_before_{};
  Moment stored_at_{}, heads_at_{}, moved_at_{}, read_at_{};
  std::atomic<std::int64_t> answered_at_{0};  // of the clock's moments: the last acknowledgement, or when nothing waited for one
  Moment emptied_at_{};
  std::atomic<bool> woken_{false}, stopping_{false}, started_{false}, read_again_{false};
  std::atomic<int> storing_{0};  // logs whose positions are on their way
  Counter *relayed_ = nullptr, *again_ = nullptr;
  Tasks tasks_;
  std::thread thread_;
};

}  // namespace loggia::kafka
