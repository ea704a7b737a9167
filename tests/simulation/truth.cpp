#include "truth.hpp"
#include <fmt/format.h>
#include "frame.hpp"
#include "loggia/chat/events.hpp"
#include "loggia/kernel/json.hpp"

namespace loggia::simulation {
namespace {

/// What a frame says that the judge looks at.
struct Told {
  Truth::Happened event;
  std::int64_t seq = 0;
  UserId user;  // who came or went
};

UserId user_in(Reader& reader) { return UserId::parse(reader.string()).value(); }

void read_data(Reader& reader, Told& told) {
  auto& event = told.event;
  reader.object([&](std::string_view name) {
    if (name == "seq") event.about = reader.integer();
    else if (name == "text") event.text = reader.string();
    else if (name == "client_id") event.client_id = reader.string();
    else if (name == "deleted") event.deleted = reader.flag();
    else if (name == "user_id") told.user = user_in(reader);
    else reader.skip();
  });
}

Told read(std::string_view frame) {
  Told out;
  out.event.frame = frame;
  bool has_data = false;
  Reader reader(frame);
  reader.object([&](std::string_view name) {
    if (name == "ev") out.event.ev = reader.string();
    else if (name == "seq") out.seq = reader.integer();
    else if (name == "by") out.event.by = user_in(reader);
    else if (name != "data") reader.skip();
    else {
      has_data = true;
      read_data(reader, out);
    }
  });
  reader.end();
  if (out.event.ev.empty() || out.seq == 0 || !has_data) throw std::runtime_error("no frame: " + std::string(frame));
  return out;
}

}  // namespace

void Truth::committed(const Event& event) {
  if (event.topic == chat::ReceiptMoved::topic) {
    const auto moved = decode_text<chat::ReceiptMoved>(*event.data, Manner::lenient).value();
    auto& before = read_[{moved.room, moved.user_id}];
    if (moved.seq <= before) fail_(fmt::format("a receipt went back from {} to {}", before, moved.seq));
    before = moved.seq;
    return;
  }
  auto told = read(*event.data);
  const auto room = RoomId::parse(event.key).value();
  if (rooms_.contains(room) && told.seq <= rooms_[room].last()) return fail_(fmt::format("{} of room {} names two events", told.seq, brief(room)));
  add(room, told.seq, std::move(told.event), told.user);
}

void Truth::add(const RoomId& id, std::int64_t seq, Happened event, const UserId& user) {
  auto& room = rooms_[id];
  if (seq != room.last() + 1) return fail_(fmt::format("a hole in room {}: {} follows {}", brief(id), seq, room.last()));
  if (event.ev == "message.created" && !event.client_id.empty() && !sent_.insert({event.by, event.client_id}).second)
    fail_(fmt::format("{} of {} is stored twice, again as {} of room {}", event.client_id, brief(event.by), seq, brief(id)));
  // An edit that was answered and one that is repeated after another one are two; one that changes nothing takes no number.
  if (event.ev.starts_with("message.")) {
    auto& says = texts_[{id, event.about}];
    if (event.ev == "message.edited" && !event.text.empty() && says == event.text)
      fail_(fmt::format("the edit \"{}\" changed nothing and took {} of room {}", event.text, seq, brief(id)));
    says = event.text;
  }
  if (event.ev == "member.joined") room.membership[user].emplace_back(seq, true);
  if (event.ev == "member.left") {
    room.membership[user].emplace_back(seq, false);
    read_.erase({id, user});
  }
  room.events.push_back(std::move(event));
}

void Truth::catch_up(Query& query) {
  std::map<RoomId, std::int64_t> stored;
  auto all = query.select("SELECT id, last_seq FROM rooms");
  while (all->next()) stored.emplace(all->id<RoomId>(0), all->integer(1));
  for (const auto& [id, last] : stored) {
    if (const auto known = rooms_.find(id); known != rooms_.end() && known->second.last() > last)
      fail_(fmt::format("room {} had {} events and has {} after the restart", brief(id), known->second.last(), last));
    auto rows = query.select("SELECT seq, frame FROM timeline WHERE room = ?1 AND seq > ?2 ORDER BY seq", id, rooms_[id].last());
    while (rows->next()) {
      auto told = read(rows->text(1));
      add(id, rows->integer(0), std::move(told.event), told.user);
    }
  }
  for (const auto& [id, room] : rooms_)
    if (!stored.contains(id)) fail_(fmt::format("room {} is gone after the restart", brief(id)));
}

void Truth::compare(Query& query) {
  for (const auto& [id, room] : rooms_) {
    auto rows = query.select("SELECT seq, frame FROM timeline WHERE room = ?1 ORDER BY seq", id);
    std::int64_t last = 0;
    while (rows->next()) {
      const auto* known = room.at(rows->integer(0));
      if (rows->integer(0) != ++last || !known)
        return fail_(fmt::format("the time line of room {} has {} after {}", brief(id), rows->integer(0), last - 1));
      if (!rows->text(1).starts_with("{\"ev\":\"" + known->ev)) fail_(fmt::format("{} of room {} has changed its type", last, brief(id)));
    }
    if (last != room.last()) fail_(fmt::format("the time line of room {} ends at {}, and {} was committed", brief(id), last, room.last()));
  }
  compare_messages(query);
  compare_log(query);
}

void Truth::compare_messages(Query& query) {
  for (const auto& [id, room] : rooms_) {
    std::set<std::int64_t> created;
    for (std::size_t at = 0; at < room.events.size(); ++at)
      if (room.events[at].ev == "message.created") created.insert(static_cast<std::int64_t>(at) + 1);
    auto rows = query.select("SELECT seq, author, text, deleted FROM messages WHERE room = ?1 ORDER BY seq", id);
    while (rows->next()) {
      const auto* event = room.at(rows->integer(0));
      if (created.erase(rows->integer(0)) == 0 || event->by != rows->id<UserId>(1)) {
        fail_(fmt::format("{} of room {} is stored as a message and was none, or another's", rows->integer(0), brief(id)));
        continue;
      }
      if (!rows->flag(3)) continue;
      // Deleted is deleted: no frame has its text any more.
      auto kept = query.select("SELECT seq FROM timeline WHERE room = ?1 AND (seq = ?2 OR edits = ?2) AND instr(frame, '\"text\":\"\"') = 0", id,
                               rows->integer(0));
      if (kept->next())
        fail_(fmt::format("message {} of room {} is deleted, and event {} still has its text", rows->integer(0), brief(id), kept->integer(0)));
    }
    for (const auto seq : created) fail_(fmt::format("message {} of room {} was committed and is not stored", seq, brief(id)));
  }
}

/// Each event is in the log once, the numbers of a partition have no holes, and a room's events are in their order.
void Truth::compare_log(Query& query) {
  std::map<std::pair<std::string, std::int64_t>, std::int64_t> heads;
  std::map<RoomId, std::int64_t> last;
  auto rows = query.select("SELECT topic, partition, sequence, reference, reference_number FROM log_event ORDER BY topic, partition, sequence");
  while (rows->next()) {
    auto& head = heads[{rows->string(0), rows->integer(1)}];
    if (rows->integer(2) != ++head)
      return fail_(fmt::format("a hole in the log: {} {} has {} after {}", rows->text(0), rows->integer(1), rows->integer(2), head - 1));
    if (rows->null(4)) continue;
    auto& seq = last[rows->id<RoomId>(3)];
    if (rows->integer(4) != ++seq)
      return fail_(fmt::format("the log has event {} of room {} after {}", rows->integer(4), brief(rows->id<RoomId>(3)), seq - 1));
  }
  for (const auto& [id, room] : rooms_)
    if (last[id] != room.last()) fail_(fmt::format("the log ends at {} of room {}, and {} was committed", last[id], brief(id), room.last()));
}

bool Truth::member(const RoomId& id, const UserId& user) const {
  const auto room = rooms_.find(id);
  if (room == rooms_.end()) return false;
  const auto found = room->second.membership.find(user);
  return found != room->second.membership.end() && found->second.back().second;
}

bool Truth::entitled(const RoomId& id, const UserId& user, std::int64_t seq) const {
  const auto room = rooms_.find(id);
  if (room == rooms_.end()) return false;
  const auto found = room->second.membership.find(user);
  if (found == room->second.membership.end()) return false;
  bool in = false;
  for (const auto& [from, joined] : found->second) in = from <= seq ? joined : in || joined;
  return in;
}

}  // namespace loggia::simulation
