#pragma once
// The log of a module that runs in another process, as groups and followers here see it: one question at a time waits there for what is new.
// For bus/ alone.
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include "bus/log_view.hpp"
#include "bus/log_wire.hpp"
#include "loggia/kernel/router.hpp"

namespace loggia::bus {

/// Safe from every thread.
class LogElsewhere : public LogView, public std::enable_shared_from_this<LogElsewhere> {
 public:
  struct Options {
    std::string module;
    std::vector<std::string> topics;    // that somebody here hears so
    std::vector<std::string> heads_of;  // of which a broker brings the events: their heads alone, a few times a second
    int partitions = 0;
    std::shared_ptr<Transport> transport;
    std::shared_ptr<Shards> shards;
    std::shared_ptr<Clock> clock;
    /// Each event after the head at start(), once, in the order of its partition. On a shard: brief.
    std::function<void(const EventPtr&)> tell;
    std::function<void(const std::string&)> on_fatal;
  };
  explicit LogElsewhere(Options options);

  /// Blocking, `limit` at most, until the module has answered once: from here on nothing is missed. What keeps it from that is an error.
  Result<bool> start(milliseconds limit);
  void stop();
  /// What is wrong while it has not answered, and what to do.
  std::string not_begun() const;

  const std::string& module() const override { return options_.module; }
  std::string epoch() const override;
  bool has(const std::string& topic) const override { return lanes_.contains(topic); }
  std::vector<std::int64_t> heads(const std::string& topic) const override;
  std::int64_t head(const std::string& topic, int partition) const override;
  /// These two ask there.
  Result<std::vector<EventPtr>> read(const std::string& topic, int partition, std::int64_t after, std::size_t limit) override;
  Async<std::vector<EventPtr>> rows(std::string topic, int partition, std::int64_t after, std::size_t limit) override;
  bool from_tail(const std::string& topic, int partition, std::int64_t after, std::size_t limit, std::vector<EventPtr>& out) const override;
  /// Since it answered last.
  milliseconds silent_for() const;

 private:
  struct Lane {
    std::int64_t head = 0;  // all up to here was told
    std::deque<EventPtr> tail;
    std::size_t bytes = 0;
  };
  boost::asio::awaitable<void> run();
  Async<LogAnswer> ask(ReadLog request, milliseconds limit);
  void take_heads(const LogState& state);
  ReadLog question() const;
  Result<bool> begin(const LogState& state);
  void take(LogAnswer answer);
  void keep(Lane& lane, const EventPtr& event) const;
  void answered();
  void refused(const Error& error);

  const Options options_;
  mutable std::mutex mutex_;
  std::map<std::string, std::vector<Lane>, std::less<>> lanes_;
  std::string epoch_;
  std::string refused_;    // what keeps start() from its end
  std::string forbidden_;  // what the module says to the question itself
  std::atomic<std::int64_t> answered_at_{0};
  Latch begun_{1};
  bool running_ = false;  // of the task
  Tasks tasks_;
};

}  // namespace loggia::bus
