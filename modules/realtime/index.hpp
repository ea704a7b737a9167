#pragma once
// Who reads what on one shard: rooms to connections, users to connections. Touched on its shard only; knows nothing of sockets.
#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>
#include "loggia/ids.hpp"
#include "loggia/kernel/http.hpp"
#include "loggia/kernel/time.hpp"

namespace loggia::realtime {

struct Room;
struct Place {
  Room* room;
  std::uint32_t reader;  // in room->readers
};
/// The index's part of a connection.
struct Seat {
  UserId user;
  std::vector<Place> places;
};

struct Reader {
  enum class State : std::uint8_t {
    live,     // gets the next event when it comes
    joining,  // room.added is not sent yet
    behind,   // is fed from chat's time line, past what it lacks
  };
  Seat* seat;
  std::int64_t position;  // the last event that was queued
  std::int64_t since;     // membership is known as of this event
  std::uint32_t place;    // in seat->places
  State state;
};

struct Room {
  RoomId id;
  std::vector<Reader> readers;
  std::int64_t last = 0;  // the newest event that came to this shard
  bool known = false;     // the room's home has told `last`: events before that are none of ours
  // Chat takes sends of one connection in the order in which they are started where it need not ask anybody first: it knows the
  // room from an earlier send, and there are no blocks to look up as in a direct room.
  bool direct = true, warm = false;
  // What came in this turn of the loop, joined: events `first` to `last`.
  std::int64_t first = 0;
  SharedBytes single;
  std::string joined;
  Moment due{};  // not written before
};

struct UserEntry {
  std::vector<Seat*> seats;
  bool show_presence = true, show_receipts = true;
};

class Index {
 public:
  /// Rooms and users keep their address until they are erased.
  Room* find(const RoomId& id);
  Room& room(const RoomId& id);
  UserEntry* user(const UserId& id);
  std::size_t rooms() const { return rooms_.size(); }

  void sit(Seat& seat);    // under seat.user
  void stand(Seat& seat);  // no longer; its rooms must be left before

  Reader& enter(Seat& seat, Room& room, std::int64_t position, std::int64_t since, Reader::State state);
  Reader* reader(const Seat& seat, const Room& room);
  /// False when nobody reads the room any more: forget it then.
  bool leave(Seat& seat, Room& room);
  void forget(const RoomId& id) { rooms_.erase(id); }

 private:
  std::unordered_map<RoomId, Room> rooms_;
  std::unordered_map<UserId, UserEntry> users_;
};

}  // namespace loggia::realtime
