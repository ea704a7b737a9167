#pragma once
// One connection of loggia.v1: its requests in their order, what it is sent, how it ends. A state machine driven by the callbacks of
// its socket and by its node; on the connection's shard only. Thousands of them idle: keep it small.
#include <memory>
#include <string>
#include <vector>
#include "frames.hpp"
#include "index.hpp"
#include "line.hpp"
#include "loggia/chat/contract.hpp"
#include "loggia/kernel/context.hpp"
#include "loggia/kernel/http.hpp"
#include "loggia/kernel/shards.hpp"
#include "outbox.hpp"
#include "pace.hpp"
#include "protocol.hpp"

namespace loggia::realtime {

class Node;

class Session : public Seat, public std::enable_shared_from_this<Session> {
 public:
  static constexpr std::size_t in_flight_max = 128;
  static constexpr std::chrono::seconds hello_timeout{10}, heartbeat{25}, stall_timeout{15}, expiry_warning{60};

  enum class State : std::uint8_t { waiting, greeting, live, closing };
  /// A change of membership that came before `hello` was answered.
  struct Pending {
    RoomId room;
    std::int64_t seq;
    bool joined;
    std::string why;
  };

  Session(Node& node, std::shared_ptr<WebSocket> socket, std::uint64_t number, std::string address);
  void start();

  State state() const { return state_; }
  std::uint64_t number() const { return number_; }
  const Caller& caller() const { return *caller_; }
  Node& node() { return node_; }

  // From the node.
  /// Events `first` … of a room, in order; the reader's position is already past them.
  void deliver(const SharedBytes& bytes, const Room& room, std::int64_t first);
  /// Any other frame. `room`: dropped with it.
  void push(SharedBytes bytes, const Room* room);
  void typing(const SharedBytes& bytes);
  void presence(const UserId& about, const SharedBytes& bytes);
  void hold(Pending change) { pending_.push_back(std::move(change)); }
  /// From here on the room comes from chat's time line, until it has caught up. `replay_to`: part of a resume up to there.
  void fall_behind(Reader& reader, std::int64_t replay_to);
  /// The room is left: nothing of it is sent. True where it was part of a resume: call replayed() then.
  bool forget(const Room& room);
  void feed();
  void tick(Moment now, Time wall);
  void drain();
  void close(int code, std::string_view reason);
  bool backlogged() const { return !outbox_.empty() || socket_->queued() > 0; }

  // From the requests.
  void answer(std::int64_t id, const Result<std::string>& ok);
  /// `count` requests are answered.
  void finish(std::size_t count = 1);
  /// The token is good: entered under its user, before anything is asked.
  void greet(Caller caller, Time expires, std::string client);
  void greet_failed();
  /// `hello` is answered: positions, what changed meanwhile, replays.
  void begin(std::int64_t id, const HelloOp& hello, const chat::Hello& state);
  void prolong(Caller caller, Time expires);
  /// One step of a resume is done (a room's replay, the rooms that are not theirs); the last one sends replay.done.
  void replayed();
  Context context() const;
  std::string cursor() const;
  /// A page of the time line has come.
  void page(const RoomId& room, std::int64_t after, const Result<chat::Events>& events);

 private:
  friend class Node;
  struct Feed {
    Room* room;
    std::int64_t replay_to;  // 0: no part of a resume
  };
  void message(std::string_view text);
  void pump();
  /// A send that may be started while others are on their way.
  bool plain_send(const Operation& operation) const;
  /// How many of those that wait, from the first on, are sends that go in one call.
  std::size_t sends_together() const;
  void drained();
  void closed();
  void send(SharedBytes bytes, const Room* room, std::int64_t first);
  void answer_text(const std::string& text);
  void overflow();
  void flow();
  /// It has just been told its positions: events wait in the outbox for a moment.
  bool settling();
  /// Queues the events of a page; false when one of them ends the user's membership.
  bool queue_page(Reader& reader, Room& room, const std::vector<RawJson>& items);
  std::int64_t page_limit() const;
  bool too_many(std::string_view text);

  Node& node_;
  std::shared_ptr<WebSocket> socket_;
  const std::uint64_t number_;
  std::shared_ptr<const Caller> caller_;
  std::shared_ptr<const Whence> whence_;
  std::string cursor_;
  Time expires_{};
  Moment opened_, progress_at_, pinged_at_;
  std::uint64_t taken_ = 0;  // bytes that the peer took, at the last tick
  Outbox outbox_;
  Line<Request> requests_;
  std::vector<Feed> feeds_;
  std::vector<Pending> pending_;
  /// The newest presence of each person while the reader is slow.
  std::unique_ptr<std::vector<std::pair<UserId, SharedBytes>>> merged_;
  RequestLimit limit_;
  Shards::Timer settle_timer_;
  std::uint32_t index_ = 0;          // in the node's list
  std::uint32_t page_bytes_ = 1024;  // of one event, about
  std::uint16_t running_ = 0, replaying_ = 0;
  State state_ = State::waiting;
  std::uint8_t unanswered_ = 0;
  bool alive_ = false, exclusive_ = false, paused_ = false, feeding_ = false, warned_ = false, ended_ = false, settled_ = false;
};

}  // namespace loggia::realtime
