// From a room's home to its readers on this shard, in the order of `seq`; and who is a reader.
#include "loggia/kernel/json.hpp"
#include "loggia/kernel/log.hpp"
#include "loggia/kernel/mutant.hpp"
#include "node.hpp"
#include "session.hpp"

namespace loggia::realtime {
namespace {

// A write to a reader costs 10 to 17 us, so that half of a shard at most goes into a busy room. Under a millisecond there is nothing to gain.
constexpr std::chrono::microseconds pause_per_reader{40}, gather_per_reader{8}, pause_min{1000};
constexpr milliseconds pause_max{50}, gather_max{5};

}  // namespace

// Frames of one room are joined for a turn of the loop: a reader gets them as one piece. A room of many readers is written at most
// every so often, so that a shard spends a part of its time on it whatever comes: the busier it is, the longer the pieces. The first
// event after a pause does not wait, unless the room was written just now: a group commit answers one message and then those that came
// meanwhile, and without a moment to gather them the one alone would cost as much as all the others.
void Node::event(const RoomId& id, std::int64_t seq, SharedBytes frame) {
  auto* room = index_.find(id);
  if (!room || !room->known || (seq <= room->last && !LOGGIA_MUTANT_IS(duplicate_passed_on))) return;
  if (room->first > 0 && seq != room->last + 1) flush(*room);
  if (room->first == 0) {
    room->first = seq;
    room->single = std::move(frame);
    touched_.push_back(id);
    gather(*room);
  } else {
    if (room->joined.empty()) room->joined = *room->single;
    room->joined += *frame;
  }
  room->last = seq;
}

void Node::gather(Room& room) const {
  const auto wait = gather_per_reader * static_cast<std::int64_t>(room.readers.size());
  if (wait < pause_min) return;
  const auto now = hub_.clock->moment();
  if (now < room.due + pause_max) room.due = std::max(room.due, now + std::min<std::chrono::microseconds>(wait, gather_max));
}

void Node::flush(Room& room) {
  if (room.first == 0) return;
  const auto first = std::exchange(room.first, 0);
  const auto last = room.last;
  const SharedBytes bytes = room.joined.empty() ? std::move(room.single) : std::make_shared<const std::string>(std::move(room.joined));
  room.single.reset();
  room.joined = std::string();
  std::uint64_t delivered = 0;
  // Nothing in here changes the list: who ends does so by mail.
  for (auto& reader : room.readers) {
    if (reader.state != Reader::State::live || (reader.position >= last && !LOGGIA_MUTANT_IS(duplicate_passed_on))) continue;
    auto& session = static_cast<Session&>(*reader.seat);
    if ((reader.position + 1 != first && !LOGGIA_MUTANT_IS(gap_not_noticed) && !LOGGIA_MUTANT_IS(duplicate_passed_on)) || !contact_) {
      session.fall_behind(reader, 0);
      continue;
    }
    reader.position = last;
    session.deliver(bytes, room, first);
    ++delivered;
  }
  const auto pause = pause_per_reader * static_cast<std::int64_t>(room.readers.size());
  if (pause >= pause_min) room.due = hub_.clock->moment() + std::min<std::chrono::microseconds>(pause, pause_max);
  hub_.numbers.frames.add(delivered * static_cast<std::uint64_t>(last - first + 1));
}

void Node::subscribed(const RoomId& id, std::int64_t last) {
  auto* room = index_.find(id);
  if (!room) return;
  room->known = true;
  if (last <= room->last) return;
  room->last = last;
  for (auto& reader : room->readers)
    if (reader.state == Reader::State::live && reader.position < last) static_cast<Session&>(*reader.seat).fall_behind(reader, 0);
}

// ---- membership ----

Reader& Node::seat(Session& session, const RoomId& id, std::int64_t position, std::int64_t since, Reader::State state, std::int64_t members) {
  auto& room = index_.room(id);
  const bool first = room.readers.empty();
  auto& reader = index_.enter(session, room, position, since, state);
  if (first) hub_.home(id).mail([id, shard = shard_, members, since](Node& home) { home.home_rooms_.subscribe(id, shard, members, since); });
  return reader;
}

void Node::enter(Session& session, const chat::RoomPosition& position, std::int64_t after, std::int64_t replay_to) {
  auto& reader = seat(session, position.room, after, position.last_seq, Reader::State::live, position.members);
  const auto& room = *session.places[reader.place].room;
  if (replay_to > 0 || (room.known && room.last > after)) session.fall_behind(reader, replay_to);
}

void Node::join(Session& session, const RoomId& id) {
  seat(session, id, 0, 0, Reader::State::joining, -1);
  spawn("realtime.admit", admit(this, id, session.user));
}

void Node::leave(Session& session, Room& room) {
  if (index_.leave(session, room)) return;
  const auto id = room.id;
  index_.forget(id);
  hub_.home(id).mail([id, shard = shard_](Node& home) { home.home_rooms_.unsubscribe(id, shard); });
}

void Node::remove_from(Session& session, Room& room, std::string_view why) {
  const auto* reader = index_.reader(session, room);
  const bool told = reader && reader->state != Reader::State::joining;
  const bool replay = session.forget(room);
  const auto id = room.id;
  leave(session, room);
  if (told) {
    RemovedData data;
    data.why = why;
    session.push(framed(push_frame(RemovedData::ev, id, hub_.clock->now(), encode(data))), nullptr);
  }
  if (replay) session.replayed();
}

void Node::joined(const RoomId& id, const UserId& user, std::int64_t seq, SharedBytes frame) {
  event(id, seq, std::move(frame));
  const auto* entry = index_.user(user);
  if (!entry) return;
  bool any = false;
  for (auto* seated : entry->seats) {
    auto& session = static_cast<Session&>(*seated);
    if (session.state() == Session::State::greeting) {
      session.hold({id, seq, true, std::string()});
      continue;
    }
    const auto* room = index_.find(id);
    if (session.state() != Session::State::live || (room && index_.reader(session, *room))) continue;
    seat(session, id, 0, 0, Reader::State::joining, -1);
    any = true;
  }
  if (any) spawn("realtime.admit", admit(this, id, user));
}

void Node::left(const RoomId& id, const UserId& user, std::int64_t seq, const std::string& why, SharedBytes frame) {
  if (auto* room = index_.find(id)) flush(*room);
  if (const auto* entry = index_.user(user))
    for (auto* seated : entry->seats) {
      auto& session = static_cast<Session&>(*seated);
      if (session.state() == Session::State::greeting) session.hold({id, seq, false, why});
      auto* room = index_.find(id);
      auto* reader = room ? index_.reader(session, *room) : nullptr;
      if (reader && reader->since < seq && !LOGGIA_MUTANT_IS(removal_not_told)) remove_from(session, *room, why);
    }
  event(id, seq, std::move(frame));
}

void Node::deleted(const RoomId& id, std::int64_t seq, SharedBytes frame) {
  for (const auto& session : sessions_)
    if (session->state() == Session::State::greeting) session->hold({id, seq, false, "deleted"});
  event(id, seq, std::move(frame));
  auto* room = index_.find(id);
  if (!room) return;
  flush(*room);
  while ((room = index_.find(id))) remove_from(static_cast<Session&>(*room->readers.back().seat), *room, "deleted");
}

std::vector<Session*> Node::joining(const RoomId& id, const UserId& user) {
  std::vector<Session*> out;
  auto* room = index_.find(id);
  const auto* entry = index_.user(user);
  if (!room || !entry) return out;
  for (auto* seated : entry->seats) {
    const auto* reader = index_.reader(*seated, *room);
    if (reader && reader->state == Reader::State::joining) out.push_back(static_cast<Session*>(seated));
  }
  return out;
}

// A new member's connections: the room as it is now, then what comes after that.
boost::asio::awaitable<void> Node::admit(Node* node, RoomId room, UserId user) {
  while (!node->joining(room, user).empty()) {
    chat::GetStanding request;
    request.room = room;
    request.user = user;
    const auto standing = co_await asked(node->hub_.live, node->hub_.context(), request);
    if (standing) {
      node->admitted(user, *standing);
      co_return;
    }
    if (standing.error().code == Errc::not_found) {
      for (auto* session : node->joining(room, user))
        if (auto* place = node->index_.find(room)) node->leave(*session, *place);
      co_return;
    }
    log::warn("realtime.standing_unknown", Field("room", room), Field("detail", standing.error().detail));
    const auto slept = co_await sleep_for(milliseconds(1000));
    if (!slept) co_return;
  }
}

void Node::admitted(const UserId& user, const chat::Standing& standing) {
  const auto frame = framed(push_frame(room_added, standing.id, hub_.clock->now(), encode(standing)));
  for (auto* session : joining(standing.id, user)) {
    auto& room = *index_.find(standing.id);
    auto& reader = *index_.reader(*session, room);
    reader.position = reader.since = standing.last_seq;
    reader.state = Reader::State::live;
    room.direct = standing.kind == "direct";
    session->push(frame, &room);
    if (room.known && room.last > standing.last_seq) session->fall_behind(reader, 0);
  }
}

// ---- pushes without a number ----

void Node::receipt(const RoomId& id, const UserId& reader, const SharedBytes& frame) {
  auto* room = index_.find(id);
  if (!room) return;
  flush(*room);
  for (const auto& one : room->readers) {
    if (one.seat->user == reader || one.state == Reader::State::joining) continue;
    const auto* entry = index_.user(one.seat->user);
    if (entry && entry->show_receipts) static_cast<Session&>(*one.seat).push(frame, room);
  }
}

void Node::typing(const RoomId& id, const UserId& typist, const SharedBytes& frame) {
  const auto* room = index_.find(id);
  if (!room) return;
  for (const auto& one : room->readers)
    if (one.seat->user != typist && one.state == Reader::State::live) static_cast<Session&>(*one.seat).typing(frame);
}

void Node::presence(const std::vector<UserId>& audience, const UserId& about, const SharedBytes& frame) {
  for (const auto& id : audience) {
    const auto* entry = index_.user(id);
    if (!entry || !entry->show_presence) continue;
    for (auto* seated : entry->seats) static_cast<Session&>(*seated).presence(about, frame);
  }
}

void Node::to_user(const UserId& user, const SharedBytes& frame) {
  const auto* entry = index_.user(user);
  if (!entry) return;
  for (auto* seated : entry->seats) static_cast<Session&>(*seated).push(frame, nullptr);
}

void Node::settings(const UserId& user, std::optional<bool> show_presence, std::optional<bool> show_receipts) {
  auto* entry = index_.user(user);
  if (!entry) return;
  entry->show_presence = show_presence.value_or(entry->show_presence);
  entry->show_receipts = show_receipts.value_or(entry->show_receipts);
}

}  // namespace loggia::realtime
