#pragma once
// A consumer group on one topic of one producer: a pump a partition, positions in the consumer's database.
#include "bus/feed.hpp"

namespace loggia::bus {

struct PumpOptions {
  std::shared_ptr<Shards> shards;
  std::shared_ptr<Clock> clock;
  std::shared_ptr<Random> random;
  Metrics* metrics = nullptr;
};

/// Made while modules are made, started once. Wakes come from the producer's writer thread, or a broker's; handlers run on the partition's shard.
class Group : public std::enable_shared_from_this<Group> {
 public:
  Group(Subscription subscription, std::shared_ptr<Feed> feed, PumpOptions options);
  /// Blocking: reads positions.
  Result<bool> load();
  void start();
  /// Something new may be in this partition. From any thread.
  void wake(int partition);
  /// Another member may have moved the position of this partition: it is read again before anything is handled. From any thread.
  void look_again(int partition);
  /// No new handling begins; what runs ends. Blocking, not from a shard.
  void stop();

  const Subscription& subscription() const { return subscription_; }
  Feed& feed() const { return *feed_; }
  /// Blocking: the stored positions, of each partition.
  Result<std::vector<std::int64_t>> positions() const;
  std::vector<TopicLag> lag() const;
  /// Events that it has still to handle, over all partitions.
  double behind() const;
  /// Blocking. Sets positions back to before `from`; how many events come again.
  Result<std::int64_t> replay(std::int64_t from, int partition);
  Result<std::int64_t> replay_dead_letters();

 private:
  struct Pump {
    std::atomic<bool> running{false}, again{false}, waiting{false};  // waiting: for its retry's time
    std::atomic<bool> moved{false};                                  // somebody set the stored position
    std::atomic<std::int64_t> position{0};                           // all up to here was handled
    std::atomic<bool> overdue{false};                                // `stored` has waited long enough
    // On the pump's shard:
    int attempts = 0;
    milliseconds backoff{100};
    std::int64_t stored = 0;       // the position in the store; less than `position` after events that had no effect
    std::int64_t alone_until = 0;  // one by one up to here: a batch up to it did not go
    std::int64_t warned_at = -1;
    Shards::Timer retry, later;
  };
  using Events = std::vector<EventPtr>;
  Pump& pump_of(int partition) { return *pumps_[static_cast<std::size_t>(partition)]; }
  std::size_t shard_of(int partition) const { return static_cast<std::size_t>(partition) % options_.shards->size(); }
  boost::asio::awaitable<void> run(int partition);
  Async<Events> next(int partition);
  boost::asio::awaitable<bool> take(int partition, Events events);
  boost::asio::awaitable<bool> refused(int partition, EventPtr event, Error why);
  Async<Apply> handled(EventPtr event);
  Async<bool> commit(int partition, std::int64_t to, std::vector<Apply> applies);
  Async<bool> read_position(int partition);
  /// The position goes to the store a little later: events without an effect cost no commit, and may be handled again after a stop or crash.
  void store_later(int partition);
  Apply set_aside(EventPtr event, std::string reason) const;
  boost::asio::awaitable<void> retry_dead_letters();
  void progressed(Pump& pump, std::int64_t to);
  void retry_later(int partition);
  bool wanted(const Event& event) const;

  Subscription subscription_;
  std::shared_ptr<Feed> feed_;
  PumpOptions options_;
  std::vector<std::unique_ptr<Pump>> pumps_;
  std::atomic<bool> started_{false}, stopping_{false};
  Counter *handled_ = nullptr, *retried_ = nullptr, *dead_ = nullptr, *missed_ = nullptr;
  Tasks tasks_;
};

}  // namespace loggia::bus
