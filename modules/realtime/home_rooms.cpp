#include "home_rooms.hpp"
#include <algorithm>
#include "frames.hpp"
#include "loggia/kernel/json.hpp"
#include "loggia/kernel/log.hpp"
#include "loggia/kernel/mutant.hpp"
#include "loggia/realtime/events.hpp"
#include "node.hpp"

namespace loggia::realtime {
namespace {

constexpr milliseconds retry_pause{1000}, pace_step{250}, sweep_every{10000};
/// A room without readers is remembered for longer than a `hello` may take, so that nothing is lost between its read and its entry.
constexpr milliseconds forget_after{60000};
constexpr std::int64_t small_room = 100;

}  // namespace

// ---- the order ----

void HomeRooms::event(const RoomId& room, EventPtr event) {
  const auto head = head_of(*event->data);
  if (!head) return log::warn("realtime.frame_unknown", Field("room", room), Field("sequence", event->sequence));
  auto& home = rooms_[room];
  home.touched = node_.hub().clock->moment();
  if (head->seq > home.seen) {
    home.seen = head->seq;
    if (home.filling) home.newest = event;
  }
  if (home.filling || (home.last > 0 && head->seq <= home.last && !LOGGIA_MUTANT_IS(duplicate_passed_on))) return;
  const bool any = LOGGIA_MUTANT_IS(gap_not_noticed) || LOGGIA_MUTANT_IS(duplicate_passed_on);
  if (home.last == 0 || head->seq == home.last + 1 || any) return emit(home, room, head->ev, head->seq, *event->data);
  home.filling = true;
  home.newest = std::move(event);
  node_.hub().numbers.gaps.add();
  node_.spawn("realtime.fill", fill(this, room));
}

void HomeRooms::emit(Home& home, const RoomId& room, std::string_view ev, std::int64_t seq, std::string_view frame) {
  home.last = seq;
  auto bytes = framed(frame);
  const bool joined = ev == "member.joined", left = ev == "member.left";
  if (joined || left) {
    if (home.members >= 0 && seq > home.members_seq) {
      home.members += joined ? 1 : -1;
      home.members_seq = seq;
    }
    // To every shard: the person may be connected where nobody reads the room.
    if (const auto change = member_change(frame)) {
      for (const auto& node : node_.hub().nodes)
        node->mail([room, seq, bytes, joined, user = change->user_id, why = change->why.value_or("left")](Node& there) {
          joined ? there.joined(room, user, seq, bytes) : there.left(room, user, seq, why, bytes);
        });
      return;
    }
    log::warn("realtime.frame_unknown", Field("room", room), Field("seq", seq));
  }
  if (ev == "room.deleted") {
    for (const auto& node : node_.hub().nodes) node->mail([room, seq, bytes](Node& there) { there.deleted(room, seq, bytes); });
    return;
  }
  for (const auto shard : home.shards) node_.hub().nodes[shard]->mail([room, seq, bytes](Node& there) { there.event(room, seq, bytes); });
}

// An event that is not the next one: chat has what is between. What comes meanwhile is only noted; reading goes on up to it.
boost::asio::awaitable<void> HomeRooms::fill(HomeRooms* homes, RoomId room) {
  auto& hub = homes->node_.hub();
  for (;;) {
    chat::ReadTimeline request;
    request.room = room;
    request.after = homes->rooms_[room].last;
    const auto events = co_await asked(hub.live, hub.context(), request);
    auto& home = homes->rooms_[room];
    if (events)
      for (const auto& item : events->items)
        if (const auto head = head_of(item.text); head && head->seq > home.last) homes->emit(home, room, head->ev, head->seq, item.text);
    const bool nothing = events ? events->items.empty() : events.error().code == Errc::not_found;
    if (nothing && home.last < home.seen && home.newest) {
      // The room is gone, or its log ends before what was passed on: the readers are told the newest and look for themselves.
      const auto newest = home.newest;
      if (const auto head = head_of(*newest->data)) homes->emit(home, room, head->ev, head->seq, *newest->data);
    }
    if (nothing || home.last >= home.seen) {
      home.filling = false;
      home.newest.reset();
      co_return;
    }
    if (events) continue;
    log::warn("realtime.gap_unfilled", Field("room", room), Field("detail", events.error().detail));
    const auto slept = co_await sleep_for(retry_pause);
    if (!slept) co_return;
  }
}

void HomeRooms::subscribe(const RoomId& room, std::size_t shard, std::int64_t members, std::int64_t seq) {
  auto& home = rooms_[room];
  const auto number = static_cast<std::uint16_t>(shard);
  if (std::find(home.shards.begin(), home.shards.end(), number) == home.shards.end()) home.shards.push_back(number);
  if (members >= 0 && seq >= home.members_seq) {
    home.members = members;
    home.members_seq = seq;
  }
  node_.hub().nodes[shard]->mail([room, last = home.last](Node& there) { there.subscribed(room, last); });
}

void HomeRooms::unsubscribe(const RoomId& room, std::size_t shard) {
  const auto found = rooms_.find(room);
  if (found == rooms_.end()) return;
  std::erase(found->second.shards, static_cast<std::uint16_t>(shard));
  found->second.touched = node_.hub().clock->moment();
}

void HomeRooms::tick(Moment now) {
  if (now - swept_ < sweep_every) return;
  swept_ = now;
  for (auto at = rooms_.begin(); at != rooms_.end();) {
    auto& home = at->second;
    home.asked.due(now);
    home.typed.due(now);
    if (std::find(paced_.begin(), paced_.end(), at->first) == paced_.end()) home.receipts.due(now);
    const bool over = home.shards.empty() && !home.filling && home.receipts.empty() && now - home.touched > forget_after;
    at = over ? rooms_.erase(at) : std::next(at);
  }
}

// ---- receipts: at most one a second of each reader, the last one wins ----

void HomeRooms::receipt(const chat::ReceiptMoved& moved) {
  const auto found = rooms_.find(moved.room);
  if (found == rooms_.end() || found->second.shards.empty()) return;
  if (const auto now = found->second.receipts.offer(moved.user_id, moved, node_.hub().clock->moment())) return emit_receipt(*now);
  if (std::find(paced_.begin(), paced_.end(), moved.room) == paced_.end()) paced_.push_back(moved.room);
  schedule();
}

void HomeRooms::schedule() {
  if (timer_ || paced_.empty()) return;
  timer_ = node_.hub().shards->after(node_.shard(), pace_step, [this] { send_waiting(); });
}

void HomeRooms::send_waiting() {
  timer_.reset();
  const auto now = node_.hub().clock->moment();
  for (const auto& room : std::exchange(paced_, std::vector<RoomId>())) {
    const auto found = rooms_.find(room);
    if (found == rooms_.end()) continue;
    for (const auto& [user, moved] : found->second.receipts.due(now)) emit_receipt(moved);
    if (found->second.receipts.next()) paced_.push_back(room);
  }
  schedule();
}

void HomeRooms::emit_receipt(const chat::ReceiptMoved& moved) {
  node_.hub().home(moved.user_id).mail([moved](Node& home) { home.home_users().own_receipt(moved); });
  node_.spawn("realtime.receipt", send_receipt(this, moved));
}

boost::asio::awaitable<void> HomeRooms::send_receipt(HomeRooms* homes, chat::ReceiptMoved moved) {
  auto& hub = homes->node_.hub();
  const auto person = co_await homes->node_.person(moved.user_id);
  if (!person || !person->show_receipts) co_return;
  auto found = homes->rooms_.find(moved.room);
  if (found == homes->rooms_.end()) co_return;
  if (found->second.members < 0) {
    Caller reader;
    reader.subject = Uuid(moved.user_id);
    reader.module = "realtime";
    chat::GetRoom request;
    request.room = moved.room;
    const auto room = co_await asked(hub.rooms, hub.context().as(std::move(reader)), request);
    if (!room) co_return;
    found = homes->rooms_.find(moved.room);
    if (found == homes->rooms_.end()) co_return;
    found->second.members = room->member_count;
    found->second.members_seq = room->last_seq;
  }
  if (found->second.members > small_room) co_return;
  ReceiptData data;
  data.user_id = moved.user_id;
  data.seq = moved.seq;
  const auto frame = framed(push_frame(ReceiptData::ev, moved.room, moved.at, encode(data)));
  for (const auto shard : found->second.shards)
    hub.nodes[shard]->mail([room = moved.room, user = moved.user_id, frame](Node& there) { there.receipt(room, user, frame); });
}

// ---- typing ----

void HomeRooms::typing_asked(const RoomId& room, const UserId& user) {
  if (!rooms_[room].asked.pass(user, node_.hub().clock->moment())) return;
  TypingStarted started;
  started.room = room;
  started.user_id = user;
  node_.hub().bus->signal("realtime", TypingStarted::topic, TypingStarted::type, room.text(), encode(started), std::string());
}

void HomeRooms::typing(const RoomId& room, const UserId& user) {
  const auto found = rooms_.find(room);
  if (found == rooms_.end() || found->second.shards.empty()) return;
  if (!found->second.typed.pass(user, node_.hub().clock->moment())) return;
  TypingData data;
  data.user_id = user;
  const auto frame = framed(push_frame(TypingData::ev, room, node_.hub().clock->now(), encode(data)));
  for (const auto shard : found->second.shards) node_.hub().nodes[shard]->mail([room, user, frame](Node& there) { there.typing(room, user, frame); });
}

}  // namespace loggia::realtime
