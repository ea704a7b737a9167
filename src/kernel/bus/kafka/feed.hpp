#pragma once
// What Kafka has delivered of one producer's events of a topic, for one group: a bounded queue a partition, between the consumer's thread
// and the group's pumps.
#include <deque>
#include <functional>
#include <mutex>
#include <vector>
#include "bus/feed.hpp"

namespace loggia::kafka {

class KafkaFeed final : public bus::Feed {
 public:
  KafkaFeed(std::shared_ptr<bus::LogView> log, std::string topic, int partitions);

  const std::string& producer() const override { return log_->module(); }
  std::string epoch() const { return log_->epoch(); }
  const std::string& topic() const { return topic_; }
  int partitions() const override { return static_cast<int>(places_.size()); }
  std::vector<std::int64_t> heads() const override { return log_->heads(topic_); }
  Async<bus::Page> next(int partition, std::int64_t after, std::size_t limit) override;
  void stored(int partition, std::int64_t position) override;
  Async<EventPtr> look_up(int partition, std::int64_t sequence) override { return bus::one_of(log_, topic_, partition, sequence); }

  // The consumer's side, on its thread.
  /// The partition is this member's, from `position` on; nothing of it is here.
  void begin(int partition, std::int64_t position);
  /// It is another member's now.
  void end(int partition);
  /// False where the event was here already, or is older than what is asked for.
  bool put(int partition, EventPtr event);
  bool full(int partition) const;
  bool roomy(int partition) const;
  /// All up to here is done and stored.
  std::int64_t done(int partition) const;
  /// A pump needs what is no longer ahead in Kafka (it was set back, or Kafka began too late): read from the oldest on. Told once each time.
  bool wants_rewind(int partition);
  void rewound(int partition);

 private:
  struct Place {
    std::deque<EventPtr> events;
    std::size_t bytes = 0;
    std::int64_t received = 0;  // the newest since begin() or rewound()
    std::int64_t asked = 0;     // the pump has all up to here
    std::int64_t done = 0;
    std::int64_t rewound_for = -1;
    std::int64_t hole_end = 0;  // the first one behind what that did not bring
    bool rewind = false;
    /// Nothing is here, and nothing was received.
    void empty();
    /// From the front on, up to the first that does not follow.
    bus::Page page(std::size_t limit) const;
  };
  std::shared_ptr<bus::LogView> log_;
  std::string topic_;
  mutable std::mutex mutex_;
  std::vector<Place> places_;
};

}  // namespace loggia::kafka
