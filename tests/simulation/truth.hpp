#pragma once
// What was committed, as it happened: the judge of all that clients are told.
#include <map>
#include <optional>
#include <set>
#include "loggia/ids.hpp"
#include "loggia/kernel/bus.hpp"
#include "loop.hpp"

namespace loggia::simulation {

class Truth {
 public:
  struct Happened {
    std::string ev, text, client_id, frame;
    bool deleted = false;
    UserId by;
    std::int64_t about = 0;  // the message's number
  };
  struct Room {
    std::vector<Happened> events;
    std::map<UserId, std::vector<std::pair<std::int64_t, bool>>> membership;  // from this event on: in, out
    std::int64_t last() const { return static_cast<std::int64_t>(events.size()); }
    const Happened* at(std::int64_t seq) const { return seq >= 1 && seq <= last() ? &events[static_cast<std::size_t>(seq - 1)] : nullptr; }
  };
  using Fail = std::function<void(const std::string&)>;
  explicit Truth(Fail fail) : fail_{std::move(fail)} {}

  /// Right after its commit, in the order of the commits.
  void committed(const Event& event);
  /// What was committed when the process ended before it could tell anybody.
  void catch_up(Query& query);
  /// At the end: the rows say the same, none too few or too many.
  void compare(Query& query);

  bool member(const RoomId& room, const UserId& user) const;
  /// Whether somebody may be shown an event: a member then, or later and until now.
  bool entitled(const RoomId& room, const UserId& user, std::int64_t seq) const;
  const Room& room(const RoomId& id) const { return rooms_.at(id); }
  const std::map<RoomId, Room>& rooms() const { return rooms_; }
  bool knows(const RoomId& id) const { return rooms_.contains(id); }

 private:
  /// `user`: who came or went, where it tells of that.
  void add(const RoomId& room, std::int64_t seq, Happened event, const UserId& user);
  void compare_messages(Query& query);
  void compare_log(Query& query);

  Fail fail_;
  std::map<RoomId, Room> rooms_;
  std::set<std::pair<UserId, std::string>> sent_;                 // author, client_id
  std::map<std::pair<RoomId, std::int64_t>, std::string> texts_;  // of messages
  std::map<std::pair<RoomId, UserId>, std::int64_t> read_;
};

/// An id for a line of the trace: its last digits.
template <class T> std::string brief(const T& id) { return id.text().substr(30); }

}  // namespace loggia::simulation
