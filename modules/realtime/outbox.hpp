#pragma once
// What a connection has still to send. Little is handed to the socket ahead, so that what waits for a lost room, and what a slow
// reader does not take, can be dropped. On the connection's shard.
#include <cstdint>
#include <vector>
#include "line.hpp"
#include "loggia/kernel/http.hpp"

namespace loggia::realtime {

struct Room;

class Outbox {
 public:
  /// More than this is not given to the socket at once.
  static constexpr std::size_t handed_max = 64u << 10;
  static constexpr std::int64_t plain = 0, replay_done = -1;

  /// `first`: the number of the first timeline event in `bytes`, else `plain` or `replay_done`. `room`: drop it when that is lost.
  void push(WebSocket& socket, SharedBytes bytes, const Room* room, std::int64_t first, bool held);
  /// Gives the socket what it takes.
  void flow(WebSocket& socket);

  bool empty() const { return line_.empty(); }
  std::size_t bytes() const { return bytes_; }
  /// What was handed to sockets in all.
  std::uint64_t handed() const { return handed_; }

  void drop_room(const Room* room);
  struct Dropped {
    const Room* room;
    std::int64_t first;  // the lowest number that is gone
  };
  /// Drops the timeline and replay.done; `done` tells whether that waited here. Answers and other pushes stay.
  std::vector<Dropped> drop_timeline(bool& done);
  void clear();

 private:
  struct Slot {
    SharedBytes bytes;
    const Room* room;
    std::int64_t first;
  };
  void hand(WebSocket& socket, SharedBytes bytes);

  Line<Slot> line_;
  std::size_t bytes_ = 0;
  std::uint64_t handed_ = 0;
};

}  // namespace loggia::realtime
