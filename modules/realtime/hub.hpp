#pragma once
// What all shards of realtime share: the ports, the options, the counters, one node a shard. Filled before the first connection,
// read only afterwards; the atomics apart.
#include <atomic>
#include <map>
#include <memory>
#include <string>
#include <vector>
#include "loggia/auth/verifier.hpp"
#include "loggia/chat/contract.hpp"
#include "loggia/kernel/bus.hpp"
#include "loggia/kernel/log.hpp"
#include "loggia/kernel/metrics.hpp"
#include "loggia/kernel/shards.hpp"
#include "loggia/user/contract.hpp"

namespace loggia::realtime {

class Node;

struct Options {
  std::int64_t resume_limit = 1000, resume_total = 10000;
  std::size_t queue_bytes = 1u << 20;
  /// Between the answer to a `hello` without positions and the first event of a room (docs/decisions/0010).
  milliseconds settle{20};
  bool compression = false;
  bool chat_here = true;  // its calls begin in the order in which they are made
  std::string server = "loggia";
};

struct Numbers {
  explicit Numbers(Metrics& metrics);
  Gauge& connections;
  Counter& frames;  // written to readers
  Counter& drops;   // queues of slow readers
  Counter& resumes;
  Counter& resets;
  Counter& gaps;                   // filled from chat
  std::map<int, Counter*> closed;  // by this side, by close code
};

struct Hub : std::enable_shared_from_this<Hub> {
  explicit Hub(Metrics& metrics) : numbers{metrics} {}
  /// Once everything is filled in.
  void make_nodes();
  Node& home(const RoomId& room) const { return *nodes[std::hash<RoomId>()(room) % nodes.size()]; }
  Node& home(const UserId& user) const { return *nodes[std::hash<UserId>()(user) % nodes.size()]; }
  /// For reads on realtime's own behalf.
  Context context() const;

  std::shared_ptr<Clock> clock;
  std::shared_ptr<Random> random;
  std::shared_ptr<Shards> shards;
  Bus* bus = nullptr;
  std::shared_ptr<chat::Live> live;
  std::shared_ptr<chat::Reading> reading;
  std::shared_ptr<chat::Rooms> rooms;
  std::shared_ptr<user::Directory> directory;
  std::shared_ptr<auth::Verifier> verifier;
  Options options;
  std::string instance;
  Numbers numbers;
  std::atomic<bool> running{false}, draining{false}, limited{true};
  std::atomic<std::uint64_t> connections_made{0};
  std::atomic<std::int64_t> connections_open{0};
  std::vector<std::shared_ptr<Node>> nodes;
  Tasks tasks;
};

/// Says in the log what a task of realtime threw; but a stop cancels what is under way, and then nothing failed.
template <class... Fields> void log_thrown(std::string_view event, const std::exception& problem, const Fields&... fields) {
  if (!was_cancelled(problem)) log::error(event, fields..., Field("what", problem.what()));
}

/// Asks a port for a task that nobody waits for: what throws there is an error here, so that the task's state goes on.
template <class R, class P> Async<typename R::Reply> asked(std::shared_ptr<P> port, Context context, R request) {
  Result<typename R::Reply> reply = Error(Errc::internal, "a request failed");
  try {
    reply = co_await static_cast<Slot<R>&>(*port).on(std::move(context), std::move(request));
  } catch (const std::exception& problem) {
    log_thrown("realtime.request_failed", problem, Field("route", R::route));
  }
  co_return reply;
}

}  // namespace loggia::realtime
