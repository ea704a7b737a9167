#pragma once
// One shard of realtime: its connections, who reads what, what is to be written in this turn of the loop. Everything but mail() on
// the node's shard only. Between nodes go only shared, immutable frames.
#include <deque>
#include <functional>
#include <mutex>
#include <unordered_map>
#include "home_rooms.hpp"
#include "home_users.hpp"
#include "hub.hpp"
#include "index.hpp"

namespace loggia::realtime {

class Session;
using SessionPtr = std::shared_ptr<Session>;

class Node {
 public:
  Node(Hub& hub, std::size_t shard);
  ~Node();
  Hub& hub() { return hub_; }
  std::size_t shard() const { return shard_; }
  Index& index() { return index_; }
  HomeRooms& home_rooms() { return home_rooms_; }
  HomeUsers& home_users() { return home_users_; }

  /// Any thread: `work` runs on the shard, later, in the order of the calls of one thread; what has gathered runs in one turn.
  void mail(std::function<void(Node&)> work);
  void spawn(std::string name, boost::asio::awaitable<void> task);
  /// Deadlines, heartbeats, leases: once a second from begin() to end().
  void begin();
  void tick();
  /// Everybody gets server.draining, and the close a second later.
  void drain();
  void end();

  // Connections.
  void add(const SessionPtr& session);
  /// The socket is gone.
  void remove(Session& session);
  /// Takes a connection out of the index: nothing is pushed to it any more.
  void detach(Session& session);
  std::size_t sessions() const { return sessions_.size(); }
  void close_connection(std::uint64_t number, int code, const std::string& reason);
  void revoke(const UserId& user, const SessionId& session);
  bool contact() const { return contact_; }

  // The time line, from the room's home, in the order of `seq`.
  void event(const RoomId& id, std::int64_t seq, SharedBytes frame);
  void joined(const RoomId& id, const UserId& user, std::int64_t seq, SharedBytes frame);
  void left(const RoomId& id, const UserId& user, std::int64_t seq, const std::string& why, SharedBytes frame);
  void deleted(const RoomId& id, std::int64_t seq, SharedBytes frame);
  /// The home has entered this shard; `last` is the newest event that came before.
  void subscribed(const RoomId& id, std::int64_t last);
  /// Writes what was joined in this turn.
  void flush(Room& room);

  // Membership of one connection.
  void enter(Session& session, const chat::RoomPosition& position, std::int64_t after, std::int64_t replay_to);
  void join(Session& session, const RoomId& id);
  /// Out of the room, with `room.removed`; what waits for it is dropped.
  void remove_from(Session& session, Room& room, std::string_view why);
  void leave(Session& session, Room& room);
  /// Enters the room's readers; the home is told where this is the first.
  Reader& seat(Session& session, const RoomId& id, std::int64_t position, std::int64_t since, Reader::State state, std::int64_t members);

  // Pushes without a number.
  void receipt(const RoomId& id, const UserId& reader, const SharedBytes& frame);
  void typing(const RoomId& id, const UserId& typist, const SharedBytes& frame);
  void presence(const std::vector<UserId>& audience, const UserId& about, const SharedBytes& frame);
  void to_user(const UserId& user, const SharedBytes& frame);
  void settings(const UserId& user, std::optional<bool> show_presence, std::optional<bool> show_receipts);

  /// At most a few connections of a shard read the time line at once; who may not now is called when it is its turn.
  bool may_feed(Session& session);
  void fed();

  /// What others may know of a person; kept for a minute.
  Async<user::Person> person(UserId id);
  void forget_person(const UserId& id) {
    people_.erase(id);
    ++people_changes_;
  }
  /// A position that all that was pushed here has passed, newer than `since`; else nothing.
  std::optional<std::string> settled_cursor(Moment since) const;
  void want_cursor();

 private:
  static boost::asio::awaitable<void> admit(Node* node, RoomId room, UserId user);
  static boost::asio::awaitable<void> read_cursor(Node* node);
  void run_mail();
  void admitted(const UserId& user, const chat::Standing& standing);
  /// The connections of `user` that wait for room.added.
  std::vector<Session*> joining(const RoomId& room, const UserId& user);
  void schedule_tick();
  /// The first event of a piece: what follows at once is to be part of it.
  void gather(Room& room) const;
  /// Writes the rooms whose time has come, and comes back for the others.
  void flush_touched();

  Hub& hub_;
  const std::size_t shard_;
  std::mutex mail_mutex_;
  std::vector<std::function<void(Node&)>> mail_;
  Index index_;
  HomeRooms home_rooms_;
  HomeUsers home_users_;
  std::vector<SessionPtr> sessions_;
  std::vector<RoomId> touched_;
  std::size_t feeding_ = 0;
  std::deque<std::weak_ptr<Session>> waiting_;
  struct Known {
    user::Person person;
    Moment until;
  };
  std::unordered_map<UserId, Known> people_;
  std::uint64_t people_changes_ = 0;
  Moment people_swept_{};  // of those whose time is over
  struct Cursors {
    std::string settled, fresh;
    Moment settled_at{}, fresh_at{};
    bool reading = false;
  } cursors_;
  bool contact_ = true;
  Shards::Timer timer_, drain_timer_, flush_timer_;
  Moment flush_at_ = Moment::max();  // when flush_timer_ fires
};

}  // namespace loggia::realtime
