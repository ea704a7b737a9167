#pragma once
// What the connections of one listener share: options, handlers, metrics, and for each shard the list of its connections, one read
// buffer and the connections that have something to write. Used inside src/kernel/http alone. Shard state is touched on its shard.
#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <vector>
#include "http/deflate.hpp"
#include "http/head.hpp"
#include "http/tls.hpp"
#include "loggia/kernel/http.hpp"

namespace loggia::http {

class Core;

/// A connection, upgraded or not. On its shard.
class Member : public std::enable_shared_from_this<Member> {
 public:
  Member(std::shared_ptr<Core> core, std::size_t shard);
  Member(const Member&) = delete;
  virtual ~Member();
  virtual void flush() = 0;
  /// Looks at the deadline.
  virtual void sweep(Moment now) = 0;
  virtual void drain() = 0;
  virtual void terminate() = 0;

 protected:
  /// flush() is called once this turn of the loop is over.
  void mark_dirty();
  /// No sweep, drain or terminate from now on.
  void leave();
  Moment now() const;

  const std::shared_ptr<Core> core_;
  const std::size_t shard_;

 private:
  friend class Core;
  std::size_t position_ = 0;
  bool listed_ = true, dirty_ = false;
};

/// Counts one connection; stop() waits until all are gone.
class Slot {
 public:
  Slot() = default;
  explicit Slot(std::shared_ptr<Core> core);
  Slot(Slot&& other) = default;
  Slot& operator=(Slot&& other) noexcept;
  ~Slot() { release(); }
  void release();

 private:
  std::shared_ptr<Core> core_;
};

/// Counts one handler while it runs.
class Handling {
 public:
  explicit Handling(std::shared_ptr<Core> core);
  Handling(Handling&& other) = default;
  ~Handling();

 private:
  std::shared_ptr<Core> core_;
};

struct ServerMetrics {
  ServerMetrics(Metrics& metrics, const std::string& name);
  Gauge& connections;
  Gauge& websockets;
  Histogram& duration;
  Counter& sent_bytes;
  Counter& sent_frames;
  Counter& forged;
  Counter* requests[5];
};

class Core : public std::enable_shared_from_this<Core> {
 public:
  Core(HttpServerOptions options, std::shared_ptr<Shards> shards, std::shared_ptr<Clock> clock, Metrics& metrics, HttpHandlers handlers);

  /// The shard's read buffer: whatever is in it is used up or copied before the loop goes on.
  std::span<char> scratch(std::size_t shard);
  void sweep_on(std::size_t shard);
  /// On shard 0, at each sweep: tells on_calm that a crowd has gone. True while that is to come.
  bool calm();
  /// On every shard: drain() or terminate() of all connections.
  void drain_all();
  void terminate_all();
  /// Blocks until no connection is left.
  void wait_until_empty();
  std::size_t connections() const { return count_.load(std::memory_order_relaxed); }
  void count_frames_of(std::size_t shard, const SharedBytes& framed);
  /// The shard's; lives as long as this.
  Deflater& deflater(std::size_t shard);
  /// The same frames compressed, once for all readers of the shard that are sent them in a row.
  SharedBytes deflated(std::size_t shard, SharedBytes framed);
  HttpResponse refusal(int status, std::string_view detail) const;
  std::shared_ptr<TlsContext> tls() const;
  void set_tls(std::shared_ptr<TlsContext> tls);

  const HttpServerOptions options;
  const Limits limits;
  const std::shared_ptr<Shards> shards;
  const std::shared_ptr<Clock> clock;
  const HttpHandlers handlers;
  ServerMetrics metrics;
  std::atomic<bool> draining{false};
  std::atomic<std::size_t> tunnels{0}, handling{0};

 private:
  friend class Member;
  friend class Slot;
  struct State {
    std::vector<Member*> members;
    std::vector<std::weak_ptr<Member>> dirty;
    std::vector<char> scratch;
    Shards::Timer sweeper;
    const std::string* counted = nullptr;  // the shared bytes counted last in this turn, and their frames
    std::size_t counted_frames = 0;
    std::unique_ptr<Deflater> deflater;
    SharedBytes plain, deflated;  // the shared bytes compressed last in this turn
    std::size_t marks = 0, marks_seen = 0, turns = 0;
    std::size_t prepared = 0;  // descriptors that Asio has room for
    bool flush_posted = false;
  };
  void prepare(std::size_t shard);
  void post_flush(std::size_t shard);
  void flush_dirty(std::size_t shard);
  std::vector<std::shared_ptr<Member>> members_of(std::size_t shard) const;

  std::vector<std::unique_ptr<State>> states_;
  milliseconds sweep_interval_;
  std::atomic<std::size_t> most_{0};  // connections since memory was returned
  std::size_t last_ = 0, calm_ = 0;   // connections at the last sweep; sweeps without one gone
  Moment later_ = Moment::max();      // it is returned once more
  std::atomic<std::size_t> count_{0};
  std::mutex empty_mutex_;
  std::condition_variable empty_;
  mutable std::mutex tls_mutex_;
  std::shared_ptr<TlsContext> tls_;
};

}  // namespace loggia::http
