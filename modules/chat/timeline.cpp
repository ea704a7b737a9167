#include "timeline.hpp"
#include <limits>
#include "frame.hpp"
#include "loggia/chat/events.hpp"
#include "loggia/kernel/mutant.hpp"
#include "names.hpp"
#ifdef LOGGIA_MUTANTS
#include <map>
#endif

namespace loggia::chat {
namespace {

constexpr std::size_t page_bytes = 2u << 20;
constexpr int changes_rank = 1;  // after the rooms (room_store.cpp)

}  // namespace

// Read once and written once a group of commands; other processes wait from the one to the other, or who has seen a number could miss a
// lower one that is committed later. What a refused command took is a hole, which nobody minds.
std::int64_t Timeline::next_change(Transaction& transaction) {
  const bool taken_now = transaction.lock(changes_rank, "SELECT 1 FROM changes WHERE id = ?1", 1);
  if (taken_now || !newest_) newest_ = newest_change(transaction);
  transaction.before_commit(std::numeric_limits<std::uint64_t>::max(), [this](Transaction& group) {
    group.execute("UPDATE changes SET newest = ?1 WHERE id = 1", *newest_);
    newest_.reset();
  });
  return ++*newest_;
}
void HeldRooms::begin(Transaction& transaction) {
  if (era_ == transaction.era()) return;
  era_ = transaction.era();
  rooms_.clear();
  stored_.clear();
}

void HeldRooms::foresee(Transaction& transaction, const RoomId& room, const UserId& user) {
  begin(transaction);
  const auto [seen, fresh] = rooms_[room].seen.try_emplace(user);
  if (fresh) seen->second.rows = select_entry(transaction, room, user);
}

std::optional<Entry> HeldRooms::entry(Transaction& transaction, const RoomId& room, const UserId& user) {
  if (transaction.era() == 0) return find_entry(transaction, room, user);
  foresee(transaction, room, user);
  auto& held = rooms_[room];
  auto& seen = held.seen[user];
  if (const auto rows = std::move(seen.rows)) seen.entry = read_entry(*rows, room);
  auto out = seen.entry;
  if (out && held.last_seq >= 0) out->last_seq = held.last_seq;
  return out;
}

void HeldRooms::foresee_named(Transaction& transaction, const RoomId& room, const std::string& name) {
  begin(transaction);
  const auto [named, fresh] = rooms_[room].names.try_emplace(name);
  if (fresh) named->second.rows = select_named(transaction, room, name);
}

std::optional<UserId> HeldRooms::named(Transaction& transaction, const RoomId& room, const std::string& name) {
  if (transaction.era() == 0) return read_named(*select_named(transaction, room, name));
  foresee_named(transaction, room, name);
  auto& named = rooms_[room].names[name];
  if (const auto rows = std::move(named.rows)) named.member = read_named(*rows);
  return named.member;
}

void HeldRooms::sent(const RoomId& room, std::int64_t seq) {
  if (const auto found = rooms_.find(room); found != rooms_.end()) found->second.last_seq = seq;
}

bool HeldRooms::stored(Transaction& transaction, const UserId& author, const std::string& client_id) {
  begin(transaction);
  return !stored_.emplace(author, client_id).second;
}

std::int64_t newest_change(Query& query) {
  auto rows = query.select("SELECT newest FROM changes WHERE id = 1");
  return rows->next() ? rows->integer(0) : 0;
}

Taken Timeline::add(Transaction& transaction, Entry& room, std::string_view ev, const Cause& cause, std::string_view data) {
  std::string frame;
  frame.reserve(256 + data.size());
  open_frame(frame, ev, room.id, room.last_seq + 1, cause.by, cause.at);
  (frame += data) += '}';
  return add_frame(transaction, room, ev, cause, std::move(frame), std::nullopt);
}

Taken Timeline::add_frame(Transaction& transaction, Entry& room, std::string_view ev, const Cause& cause, std::string frame,
                          std::optional<std::int64_t> edits) {
  Taken taken;
  taken.seq = ++room.last_seq;
#ifdef LOGGIA_MUTANTS
  if (LOGGIA_MUTANT_IS(seq_outside_transaction)) {
    static std::map<RoomId, std::int64_t> remembered;
    taken.seq = room.last_seq = remembered[room.id] = std::max(remembered[room.id] + 1, taken.seq);
  }
#endif
  taken.change = next_change(transaction);
  if (ev == "message.created") held_.sent(room.id, taken.seq);
  else held_.changed(room.id);
  transaction.execute("UPDATE rooms SET last_seq = ?2, changed = ?3 WHERE id = ?1", room.id, taken.seq, taken.change);
  transaction.execute("INSERT INTO timeline (room, seq, edits, frame) VALUES (?1, ?2, ?3, ?4)", room.id, taken.seq, edits, frame);
  if (LOGGIA_MUTANT_IS(event_not_logged) && ev == "message.edited") return taken;
  NewEvent event;
  event.topic = TimelineFrame::topic;
  event.type = ev;
  event.key = room.id.text();
  event.data = std::move(frame);
  event.reference = Uuid(room.id);
  event.reference_number = taken.seq;
  event.traceparent = cause.traceparent;
  log_->append(transaction, std::move(event));
  return taken;
}

void Timeline::rewrite(Transaction& transaction, const Message& now) {
  std::vector<std::pair<std::int64_t, std::string>> frames;
  {
    // Of the message's frames, the one that made it has its number; the others are its edits.
    auto rows = transaction.select(
        "SELECT seq, frame FROM timeline WHERE room = ?1 AND seq = ?2 UNION ALL SELECT seq, frame FROM timeline WHERE room = ?1 AND edits = ?2",
        now.room, now.seq);
    while (rows->next()) frames.emplace_back(rows->integer(0), rows->string(1));
  }
  const auto key = now.room.text();
  for (const auto& [seq, frame] : frames) {
    auto rewritten = rewritten_frame(frame, now);
    transaction.execute("UPDATE timeline SET frame = ?3 WHERE room = ?1 AND seq = ?2", now.room, seq, rewritten);
    log_->rewrite(transaction, TimelineFrame::topic, key, Uuid(now.room), seq, std::move(rewritten));
  }
}

std::int64_t Timeline::erase(Transaction& transaction, const RoomId& room, std::int64_t limit) {
  std::vector<std::int64_t> numbers;
  {
    auto rows = transaction.select(
        "SELECT seq FROM timeline WHERE room = ?1 AND seq < (SELECT last_seq FROM rooms WHERE id = ?1) ORDER BY seq LIMIT ?2", room, limit);
    while (rows->next()) numbers.push_back(rows->integer(0));
  }
  const auto key = room.text();
  for (const auto seq : numbers) {
    transaction.execute("DELETE FROM timeline WHERE room = ?1 AND seq = ?2", room, seq);
    log_->rewrite(transaction, TimelineFrame::topic, key, Uuid(room), seq, std::string());
  }
  return static_cast<std::int64_t>(numbers.size());
}

void Timeline::receipt(Transaction& transaction, const RoomId& room, const Cause& cause, std::string data) {
  NewEvent event;
  event.topic = ReceiptMoved::topic;
  event.type = ReceiptMoved::type;
  event.key = room.text();
  event.data = std::move(data);
  event.traceparent = cause.traceparent;
  log_->append(transaction, std::move(event));
}

Events frames_after(Query& query, const RoomId& room, std::int64_t after, std::int64_t limit) {
  auto rows = query.select("SELECT frame FROM timeline WHERE room = ?1 AND seq > ?2 ORDER BY seq LIMIT ?3", room, after, limit + 1);
  Events out;
  std::size_t bytes = 0;
  while (rows->next()) {
    if (static_cast<std::int64_t>(out.items.size()) == limit || bytes > page_bytes) {
      out.more = true;
      break;
    }
    bytes += rows->text(0).size();
    out.items.emplace_back(rows->string(0));
  }
  return out;
}

std::string frame_at(Query& query, const Uuid& room, std::int64_t seq) {
  auto rows = query.select("SELECT frame FROM timeline WHERE room = ?1 AND seq = ?2", room, seq);
  return rows->next() ? rows->string(0) : std::string();
}

}  // namespace loggia::chat
