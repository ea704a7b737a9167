#pragma once
// Realtime without sockets, threads or a database: fake sockets on two shards, and a chat that is a list of events a room.
#include <doctest/doctest.h>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>
#include "hub.hpp"
#include "loggia/kernel/json.hpp"
#include "loggia/kernel/json_value.hpp"
#include "loggia/realtime/contract.hpp"

namespace loggia::realtime::test {

class World;

/// The client's end of a connection. Reads at once, unless it is stalled.
class Client : public WebSocket {
 public:
  Client(World& world, std::size_t shard) : world_{world}, shard_{shard} {}
  void start(Events events) override { events_ = std::move(events); }
  void send(SharedBytes framed) override;
  std::size_t queued() const override { return queued_; }
  void drop_queue() override {}
  void ping() override { ++pings; }
  void pause_reading(bool on) override { paused = on; }
  void set_limits(Limits limits) override { message_max = limits.message_max; }
  void close(int code, std::string_view reason) override;
  std::size_t shard() const override { return shard_; }

  /// A frame to the server; the world runs on.
  void say(const std::string& text);
  void pong() { events_.alive(); }
  /// The answer to a request.
  json ask(const std::string& op, json fields = json::object());
  json hello(const UserId& user, json resume = json());
  void cut();
  /// Reads what waits, `bytes` at most.
  void take(std::size_t bytes = SIZE_MAX);

  json answer(std::int64_t id) const;
  std::vector<json> pushed(const std::string& ev) const;
  std::vector<std::int64_t> seqs(const RoomId& room) const;
  /// `ev` of all that was pushed, in order.
  std::vector<std::string> evs() const;

  std::vector<json> frames;
  std::vector<SharedBytes> pieces;  // what was read, as it was handed over
  std::string reason;
  std::size_t message_max = 0, heard = 0;  // bytes, while deaf
  int code = 0, pings = 0;
  bool stalled = false, paused = false;
  bool deaf = false;  // takes what comes and keeps nothing of it

 private:
  void read(const std::string& bytes);
  World& world_;
  const std::size_t shard_;
  Events events_;
  std::deque<SharedBytes> waiting_;
  std::size_t queued_ = 0;
  std::int64_t last_id_ = 0;
};

struct FakeRoom {
  RoomId id;
  std::string kind = "private";
  std::map<UserId, std::string> members;  // role
  std::map<UserId, std::string> gone;     // why
  std::map<UserId, std::int64_t> read;
  std::vector<std::string> events;
  bool deleted = false;
};

class World {
 public:
  explicit World(Options options = Options());
  ~World();

  UserId user(const std::string& name);
  RoomId room(const std::vector<UserId>& members, const std::string& kind = "private");
  FakeRoom& operator[](const RoomId& room) { return rooms.at(room); }
  /// What chat would do; the event goes over the bus unless it is `mute`. Its number.
  std::int64_t post(const RoomId& room, const UserId& by, const std::string& text = "x");
  std::int64_t join(const RoomId& room, const UserId& user);
  std::int64_t remove(const RoomId& room, const UserId& user, const std::string& why = "removed");
  std::int64_t erase(const RoomId& room, const UserId& by);
  std::int64_t append(const RoomId& room, const std::string& ev, const UserId& by, const std::string& data);
  void deliver(const RoomId& room, std::int64_t seq);
  void moved(const RoomId& room, const UserId& user, std::int64_t seq);
  void bus(const std::string& topic, const std::string& type, const std::string& key, const std::string& data);

  std::shared_ptr<Client> connect(std::size_t shard = 0);
  std::shared_ptr<Client> online(const UserId& user, std::size_t shard = 0);
  std::optional<HttpResponse> knock(const std::string& protocols);
  void revoke(const UserId& user, const SessionId& session);
  void drain();
  void run();
  void advance(milliseconds by);
  Time now() const;
  void later(std::function<void()> work);
  /// Ends what the fake chat holds back.
  void release();

  std::shared_ptr<Hub> hub;
  std::map<RoomId, FakeRoom> rooms;
  std::map<std::string, SessionId> sessions;  // by token
  milliseconds token_lifetime{600000};
  bool mute = false;                    // events reach nobody
  bool hold = false;                    // chat takes sends and answers none
  std::optional<Error> together_fails;  // what goes in one call is answered so, as a whole
  bool down = false;                    // chat answers `unavailable`
  bool contact = true;                  // with auth
  bool timeline_down = false;
  std::function<void()> after_hello_read, before_standing;
  std::set<UserId> hides_presence, hides_receipts;
  std::vector<std::pair<UserId, UserId>> blocks;
  std::vector<std::string> asked;  // the requests that chat got, in order
  std::vector<std::string> signals;
  std::int64_t reads = 0;  // of the time line

 private:
  friend class Client;
  struct Inside;
  std::unique_ptr<Inside> inside_;
};

inline json text(const std::string& value) { return json(value); }

}  // namespace loggia::realtime::test
