#pragma once
// What a client of loggia.v1 does, and what it believes: it sends with a client_id and again until answered, resumes by position, and
// takes each event as it comes. What it is told is held against what was committed.
#include <list>
#include <set>
#include "loggia/ids.hpp"
#include "loggia/kernel/json.hpp"
#include "loggia/kernel/json_value.hpp"
#include "socket.hpp"
#include "truth.hpp"

namespace loggia::simulation {

class Client {
 public:
  Client(World& world, int number, UserId user);
  void begin();
  /// Does one thing, by chance.
  void act();
  void send(const RoomId& room);
  void connect();
  void cut(bool server_learns);
  void stall(Instant until);
  /// Its session is revoked: from a second later on it may be told nothing.
  void revoke();

  // From its socket.
  void receive(Socket& socket, std::string_view frame);
  void lost(Socket& socket, int code);

  const UserId& user() const { return user_; }
  int number() const { return number_; }
  /// Nothing is unanswered, and it knows what there is; else what is missing.
  std::optional<std::string> missing() const;
  /// At the end: what it believes is what is stored.
  void judge(Query& query) const;

 private:
  struct Held {
    std::int64_t position = 0;
    std::map<std::int64_t, std::string> texts;  // of messages by number; empty: deleted
  };
  struct Op {
    std::string name;
    RoomId room;
    json fields;
    std::string said;  // the fields as text, without their braces
    std::string client_id;
    std::int64_t after = 0;  // of sync: what was surely there when it was asked
    std::int64_t request = 0;
    int tries = 0;
    Instant asked = 0, not_before = 0;
  };
  struct Sent {
    RoomId room;
    std::int64_t seq;
  };
  void tick();
  void speak(std::string frame);
  void hello();
  void greeted(const json& ok);
  void add(Op op);
  void pump();
  void answered(const json& frame);
  void done(Op& op, const json& ok);
  void refused(const Op& op, const json& error);
  bool known(std::string_view text);
  void event(const json& frame);
  void event(const RoomId& room, std::int64_t seq, const Truth::Happened& told);
  void pushed(const std::string& ev, const json& frame);
  void replay_done(const json& frame);
  void fail(const std::string& what) const;
  const RoomId* some_room();
  std::optional<Sent> some_message(bool own);

  World& world_;
  const int number_;
  const UserId user_;
  SessionId session_;
  std::shared_ptr<Socket> socket_;
  enum class State { offline, greeting, online } state_ = State::offline;
  Instant connected_ = 0;
  std::int64_t last_request_ = 0;
  std::uint64_t texts_ = 0;
  bool resuming_ = false, connecting_ = false, holds_ = false;  // holds_: positions of an earlier connection
  std::string epoch_, cursor_;
  std::map<RoomId, Held> rooms_;
  /// Of this connection: rooms that were asked for, with what hello said of them.
  std::map<RoomId, std::int64_t> awaited_;
  std::list<Op> ops_;
  std::vector<Sent> sent_;
  std::map<RoomId, std::int64_t> acked_;                             // the newest own number that was confirmed
  std::map<RoomId, std::map<std::int64_t, std::int64_t>> in_order_;  // of this connection: numbers by request
};

}  // namespace loggia::simulation
