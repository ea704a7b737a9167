#pragma once
// The rooms whose home is this shard: their order, gaps in it, which shards read them, receipts and typing at their pace.
// On the node's shard only.
#include <unordered_map>
#include <vector>
#include "loggia/chat/events.hpp"
#include "loggia/kernel/bus.hpp"
#include "loggia/kernel/http.hpp"
#include "loggia/kernel/shards.hpp"
#include "pace.hpp"

namespace loggia::realtime {

class Node;

class HomeRooms {
 public:
  explicit HomeRooms(Node& node) : node_{node} {}

  /// From `new-messages`.
  void event(const RoomId& room, EventPtr event);
  /// `members` as of event `seq`; -1: not known.
  void subscribe(const RoomId& room, std::size_t shard, std::int64_t members, std::int64_t seq);
  void unsubscribe(const RoomId& room, std::size_t shard);
  void receipt(const chat::ReceiptMoved& moved);
  /// A member types here; at most one signal a second goes out for each.
  void typing_asked(const RoomId& room, const UserId& user);
  /// From `room-signals`.
  void typing(const RoomId& room, const UserId& user);
  void tick(Moment now);
  void end() { timer_.reset(); }
  std::size_t size() const { return rooms_.size(); }

 private:
  struct Home {
    std::int64_t last = 0;  // the newest event that was passed on
    std::int64_t seen = 0;  // the newest that came
    bool filling = false;
    std::int64_t members = -1, members_seq = 0;
    Moment touched{};
    std::vector<std::uint16_t> shards;
    EventPtr newest;  // while filling
    Pace<chat::ReceiptMoved> receipts;
    Pace<bool> asked, typed;
  };
  void emit(Home& home, const RoomId& room, std::string_view ev, std::int64_t seq, std::string_view frame);
  void emit_receipt(const chat::ReceiptMoved& moved);
  void schedule();
  void send_waiting();
  static boost::asio::awaitable<void> fill(HomeRooms* homes, RoomId room);
  static boost::asio::awaitable<void> send_receipt(HomeRooms* homes, chat::ReceiptMoved moved);

  Node& node_;
  std::unordered_map<RoomId, Home> rooms_;
  std::vector<RoomId> paced_;  // rooms with a receipt that waits for its second
  Shards::Timer timer_;
  Moment swept_{};
};

}  // namespace loggia::realtime
