#pragma once
// Where a consumer group reads one producer's events of a topic: the producer's log, or what a broker has delivered. For bus/ alone.
#include <memory>
#include "bus/log_view.hpp"

namespace loggia::bus {

struct Page {
  std::vector<EventPtr> events;  // in order, right after what was asked for; none: nothing yet, and a wake follows
  /// The oldest event that is still to be had. What lies between it and what was asked for is past its retention. 0: not known.
  std::int64_t oldest = 0;
};

/// Safe from every thread.
class Feed {
 public:
  virtual ~Feed() = default;
  virtual const std::string& producer() const = 0;
  virtual int partitions() const = 0;
  /// Of each partition, for who asks how far a group is behind.
  virtual std::vector<std::int64_t> heads() const = 0;
  /// Events with sequence > `after`, at most `limit`. On the partition's shard.
  virtual Async<Page> next(int partition, std::int64_t after, std::size_t limit) = 0;
  /// The consumer's store has this position now; a broker can be told.
  virtual void stored(int partition, std::int64_t position) = 0;
  /// One event as the producer has it now (a text may have been deleted meanwhile), or nothing where it is no more.
  virtual Async<EventPtr> look_up(int partition, std::int64_t sequence) = 0;
};

/// One event of a log as it is now, or nothing where it is no more.
Async<EventPtr> one_of(std::shared_ptr<LogView> log, std::string topic, int partition, std::int64_t sequence);

/// The producer's log, here or elsewhere: from memory at the head, from rows behind it.
class LogFeed final : public Feed {
 public:
  LogFeed(std::shared_ptr<LogView> log, std::string topic) : log_{std::move(log)}, topic_{std::move(topic)} {}
  const std::string& producer() const override { return log_->module(); }
  int partitions() const override { return static_cast<int>(log_->heads(topic_).size()); }
  std::vector<std::int64_t> heads() const override { return log_->heads(topic_); }
  Async<Page> next(int partition, std::int64_t after, std::size_t limit) override;
  void stored(int, std::int64_t) override {}
  Async<EventPtr> look_up(int partition, std::int64_t sequence) override { return one_of(log_, topic_, partition, sequence); }

 private:
  std::shared_ptr<LogView> log_;
  std::string topic_;
};

}  // namespace loggia::bus
