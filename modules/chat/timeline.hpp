#pragma once
// The one way in which a room changes: its next number, the frame, the event in the log, in the transaction of the change. Made
// once. On the store's threads.
#include <memory>
#include <set>
#include <unordered_map>
#include "loggia/kernel/bus.hpp"
#include "room_store.hpp"

namespace loggia::chat {

/// Who changes something, when, and as part of what call. `by` is absent where the server does it.
struct Cause {
  std::optional<UserId> by;
  Time at{};
  std::string traceparent;
};

/// The newest of all changes that is stored: a position of `hello`.
std::int64_t newest_change(Query& query);

/// What a group of commands has read of rooms that it holds the locks of, so that sends that follow each other read a room once; where the
/// store has nothing to gain by it, each reads for itself. A room that changes in another way than by a message is read again.
class HeldRooms {
 public:
  /// Sends for a room as somebody sees it, to be looked at later.
  void foresee(Transaction& transaction, const RoomId& room, const UserId& user);
  std::optional<Entry> entry(Transaction& transaction, const RoomId& room, const UserId& user);
  /// The same for a member of that name.
  void foresee_named(Transaction& transaction, const RoomId& room, const std::string& name);
  std::optional<UserId> named(Transaction& transaction, const RoomId& room, const std::string& name);
  void sent(const RoomId& room, std::int64_t seq);
  void changed(const RoomId& room) { rooms_.erase(room); }
  /// Whether this group has stored a message with this client_id already: what was foreseen of it is old then.
  bool stored(Transaction& transaction, const UserId& author, const std::string& client_id);

 private:
  struct Seen {
    std::unique_ptr<Rows> rows;  // not looked at yet
    std::optional<Entry> entry;
  };
  struct Named {
    std::unique_ptr<Rows> rows;
    std::optional<UserId> member;
  };
  struct Held {
    std::int64_t last_seq = -1;
    std::unordered_map<UserId, Seen> seen;
    std::unordered_map<std::string, Named> names;
  };
  void begin(Transaction& transaction);

  std::uint64_t era_ = 0;
  std::unordered_map<RoomId, Held> rooms_;
  std::set<std::pair<UserId, std::string>> stored_;
};

class Timeline {
 public:
  explicit Timeline(std::shared_ptr<Log> log) : log_{std::move(log)} {}

  /// The next of all changes; they ascend, with holes.
  std::int64_t next_change(Transaction& transaction);
  /// Takes the room's next number for an event whose data is `data`. `ev` is a literal.
  Taken add(Transaction& transaction, Entry& room, std::string_view ev, const Cause& cause, std::string_view data);
  /// The same with a frame that is ready: it carries `room.last_seq + 1`. `edits`: the message whose edit it is.
  Taken add_frame(Transaction& transaction, Entry& room, std::string_view ev, const Cause& cause, std::string frame,
                  std::optional<std::int64_t> edits);
  /// Makes the earlier frames of a message say what it is now, here and in the log's tail. Before the change's own event is added.
  void rewrite(Transaction& transaction, const Message& now);
  /// Erases up to `limit` frames of a deleted room, but not its last. How many went.
  std::int64_t erase(Transaction& transaction, const RoomId& room, std::int64_t limit);
  void receipt(Transaction& transaction, const RoomId& room, const Cause& cause, std::string data);
  std::string epoch() const { return log_->epoch(); }
  HeldRooms& held() { return held_; }

 private:
  std::shared_ptr<Log> log_;
  std::optional<std::int64_t> newest_;  // while a group of commands runs
  HeldRooms held_;
};

/// Frames with a number > `after`, oldest first: at most `limit`, and no more than a few MiB; `more` says that others follow.
Events frames_after(Query& query, const RoomId& room, std::int64_t after, std::int64_t limit);
/// For the log: the frame at a number, empty once it is erased.
std::string frame_at(Query& query, const Uuid& room, std::int64_t seq);

}  // namespace loggia::chat
