#pragma once
// What people have chosen, in memory: few change the standard, and every message asks for everybody in its room. Loaded at the start,
// replaced by the writer's thread after each commit. Safe from every thread.
#include <map>
#include <memory>
#include <shared_mutex>
#include <unordered_map>
#include <unordered_set>
#include "decision.hpp"

namespace loggia::notification {

/// One person's settings, as they are stored.
struct Chosen {
  Level level = Level::mentions;
  std::optional<Quiet> quiet;
  bool email = false, web_push = false;
  std::map<RoomId, Level> rooms;
};

class Choices {
 public:
  /// Null: the standard.
  std::shared_ptr<const Chosen> of(const UserId& user) const;
  void put(const UserId& user, std::shared_ptr<const Chosen> chosen);  // null: forget
  void forget_room(const RoomId& room);

  using All = std::unordered_map<UserId, std::shared_ptr<const Chosen>>;
  /// The store is read as it is from now on; one reading at a time.
  void begin_reading();
  /// By what was read. Of whom something was put meanwhile, that stays: it is as new or newer.
  void replace(All read);

  /// False where a message without a mention can be of interest to nobody: the room is no direct one and nobody wants all of it.
  bool may_interest(const RoomId& room) const;
  void learn(const RoomId& room, bool direct);

 private:
  static constexpr std::size_t groups_max = 50000;
  void count(const Chosen& chosen, int by);
  void set(const UserId& user, std::shared_ptr<const Chosen> chosen);
  mutable std::shared_mutex mutex_;
  All all_;
  bool reading_ = false;
  std::unordered_set<UserId> put_meanwhile_;            // while it is read
  std::int64_t want_all_ = 0;                           // people whose default is `all`
  std::unordered_map<RoomId, std::int64_t> want_room_;  // how many want all of this room
  std::unordered_set<RoomId> groups_;                   // known to be no direct rooms; that never changes
};

}  // namespace loggia::notification
