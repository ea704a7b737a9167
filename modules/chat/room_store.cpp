#include "room_store.hpp"
#include "message_text.hpp"

namespace loggia::chat {
namespace {

constexpr int rooms_rank = 0;  // of all locks the first (timeline.cpp has the other)

// Everything that a description needs, for `read_room`; my membership is `m`.
#define LOGGIA_ROOM_COLUMNS                                                                                                             \
  "r.id, r.kind, r.name, r.topic, r.archived, r.retention, r.created_at, r.created_by, r.last_seq, r.member_count, r.first, r.second, " \
  "m.role, m.read_seq, r.changed "

Kind kind_at(const Rows& rows, int column) { return static_cast<Kind>(rows.integer(column)); }
Rank rank_at(const Rows& rows, int column) { return rows.null(column) ? Rank::none : static_cast<Rank>(rows.integer(column)); }

Room read_room(const Rows& rows, const UserId& viewer) {
  Room out;
  out.id = rows.id<RoomId>(0);
  const auto kind = kind_at(rows, 1);
  out.kind = name_of(kind);
  out.name = rows.maybe_string(2);
  out.topic = rows.maybe_string(3);
  out.archived = rows.flag(4);
  out.retention = rows.maybe_string(5);
  out.created_at = rows.time(6);
  out.created_by = rows.id<UserId>(7);
  out.last_seq = rows.integer(8);
  out.member_count = rows.integer(9);
  if (kind == Kind::direct) {
    Pair pair{rows.id<UserId>(10), rows.id<UserId>(11)};
    out.peer.emplace().id = pair.other(viewer);
  }
  if (const auto rank = rank_at(rows, 12); rank != Rank::none) {
    out.my_role = name_of(rank);
    out.read_seq = rows.integer(13);
  }
  return out;
}

}  // namespace

Asker asker_of(const Context& context) {
  Asker out;
  out.id = UserId(context.caller().subject);
  out.username = context.caller().username;
  out.admin = context.caller().is("admin");
  out.guest = context.caller().is("guest");
  return out;
}

std::unique_ptr<Rows> select_entry(Query& query, const RoomId& room, const UserId& user) {
  return query.select(
      "SELECT r.kind, r.archived, r.last_seq, r.member_count, m.role, m.joined_seq, m.read_seq FROM rooms r "
      "LEFT JOIN members m ON m.room = r.id AND m.user = ?2 WHERE r.id = ?1 AND r.deleted = 0",
      room, user);
}

std::optional<Entry> read_entry(Rows& rows, const RoomId& room) {
  if (!rows.next()) return std::nullopt;
  Entry out;
  out.id = room;
  out.kind = kind_at(rows, 0);
  out.archived = rows.flag(1);
  out.last_seq = rows.integer(2);
  out.member_count = rows.integer(3);
  out.rank = rank_at(rows, 4);
  if (out.rank != Rank::none) {
    out.joined_seq = rows.integer(5);
    out.read_seq = rows.integer(6);
  }
  return out;
}

std::optional<Entry> find_entry(Query& query, const RoomId& room, const UserId& user) { return read_entry(*select_entry(query, room, user), room); }

void lock_room(Transaction& transaction, const RoomId& room) { transaction.lock(rooms_rank, "SELECT 1 FROM rooms WHERE id = ?1", room); }

std::optional<Entry> find_entry(Transaction& transaction, const RoomId& room, const UserId& user) {
  lock_room(transaction, room);
  return find_entry(static_cast<Query&>(transaction), room, user);
}

Result<Entry> entry_for(Transaction& transaction, const RoomId& room, const Asker& asker, Act act) {
  lock_room(transaction, room);
  return entry_for(static_cast<Query&>(transaction), room, asker, act);
}

Result<Entry> entry_for(Query& query, const RoomId& room, const Asker& asker, Act act) {
  return allowed_entry(find_entry(query, room, asker.id), asker, act);
}

Result<Entry> allowed_entry(std::optional<Entry> entry, const Asker& asker, Act act) {
  if (!entry) return no_such_room();
  const auto allowed = may(entry->kind, entry->archived, Actor{entry->rank, asker.admin, asker.guest}, act);
  if (!allowed) return allowed.error();
  return *entry;
}

Room describe(Query& query, const RoomId& room, const UserId& viewer) {
  auto rows =
      query.select("SELECT " LOGGIA_ROOM_COLUMNS "FROM rooms r LEFT JOIN members m ON m.room = r.id AND m.user = ?2 WHERE r.id = ?1", room, viewer);
  if (!rows->next()) return Room();
  auto out = read_room(*rows, viewer);
  out.read_seq.reset();
  return out;
}

std::optional<Kind> kind_of_room(Query& query, const RoomId& room, Pair& pair) {
  auto rows = query.select("SELECT kind, first, second FROM rooms WHERE id = ?1 AND deleted = 0", room);
  if (!rows->next()) return std::nullopt;
  pair.first = rows->id<UserId>(1);
  pair.second = rows->id<UserId>(2);
  return kind_at(*rows, 0);
}

std::optional<RoomId> find_direct(Query& query, const Pair& pair) {
  auto rows = query.select("SELECT id FROM rooms WHERE first = ?1 AND second = ?2", pair.first, pair.second);
  if (!rows->next()) return std::nullopt;
  return rows->id<RoomId>(0);
}

Entry insert_room(Transaction& transaction, const NewRoom& room) {
  std::optional<UserId> first, second;
  if (room.pair) {
    first = room.pair->first;
    second = room.pair->second;
  }
  const auto search = folded(room.name.value_or(""));
  transaction.execute(
      "INSERT INTO rooms (id, kind, name, topic, folded, first, second, created_at, created_by) "
      "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
      room.id, static_cast<int>(room.kind), room.name, room.topic, search, first, second, room.at, room.by);
  Entry out;
  out.id = room.id;
  out.kind = room.kind;
  return out;
}

void update_room(Transaction& transaction, const RoomId& room, const RoomEdit& edit) {
  if (edit.kind) transaction.execute("UPDATE rooms SET kind = ?2 WHERE id = ?1", room, static_cast<int>(*edit.kind));
  if (edit.name) {
    const auto search = folded(*edit.name);
    transaction.execute("UPDATE rooms SET name = ?2, folded = ?3 WHERE id = ?1", room, *edit.name, search);
  }
  if (edit.topic) transaction.execute("UPDATE rooms SET topic = NULLIF(?2, '') WHERE id = ?1", room, *edit.topic);
  if (edit.retention) transaction.execute("UPDATE rooms SET retention = NULLIF(?2, 'off') WHERE id = ?1", room, *edit.retention);
  if (edit.archived) transaction.execute("UPDATE rooms SET archived = ?2 WHERE id = ?1", room, *edit.archived);
}

Rank rank_in(Query& query, const RoomId& room, const UserId& user) {
  auto rows = query.select("SELECT role FROM members WHERE room = ?1 AND user = ?2", room, user);
  return rows->next() ? rank_at(*rows, 0) : Rank::none;
}

std::int64_t count_owners(Query& query, const RoomId& room) {
  auto rows = query.select("SELECT COUNT(*) FROM members WHERE room = ?1 AND role = 3", room);
  return rows->next() ? rows->integer(0) : 0;
}

std::optional<UserId> successor(Query& query, const RoomId& room) {
  auto rows = query.select("SELECT user FROM members WHERE room = ?1 ORDER BY role DESC, joined_seq LIMIT 1", room);
  if (!rows->next()) return std::nullopt;
  return rows->id<UserId>(0);
}

std::vector<MemberRow> members_after(Query& query, const RoomId& room, std::int64_t joined_seq, std::int64_t limit) {
  auto rows = query.select(
      "SELECT user, role, joined_at, joined_seq, read_seq, read_at FROM members WHERE room = ?1 AND joined_seq > ?2 ORDER BY joined_seq LIMIT ?3",
      room, joined_seq, limit);
  std::vector<MemberRow> out;
  while (rows->next()) {
    MemberRow member;
    member.user = rows->id<UserId>(0);
    member.rank = rank_at(*rows, 1);
    member.joined_at = rows->time(2);
    member.joined_seq = rows->integer(3);
    member.read_seq = rows->integer(4);
    member.read_at = rows->time(5);
    out.push_back(member);
  }
  return out;
}

std::vector<RoomId> rooms_of(Query& query, const UserId& user) {
  auto rows = query.select("SELECT room FROM members WHERE user = ?1 ORDER BY room", user);
  std::vector<RoomId> out;
  while (rows->next()) out.push_back(rows->id<RoomId>(0));
  return out;
}

void insert_member(Transaction& transaction, Entry& room, const UserId& user, Rank rank, Time at, const Taken& taken) {
  transaction.execute(
      "INSERT INTO members (room, user, role, joined_at, joined_seq, read_seq, read_at, changed) VALUES (?1, ?2, ?3, ?4, ?5, ?5, ?4, ?6)", room.id,
      user, static_cast<int>(rank), at, taken.seq, taken.change);
  transaction.execute("DELETE FROM departures WHERE user = ?1 AND room = ?2", user, room.id);
  transaction.execute("UPDATE rooms SET member_count = member_count + 1 WHERE id = ?1", room.id);
  ++room.member_count;
}

void set_rank(Transaction& transaction, const RoomId& room, const UserId& user, Rank rank, const Taken& taken) {
  transaction.execute("UPDATE members SET role = ?3, changed = ?4 WHERE room = ?1 AND user = ?2", room, user, static_cast<int>(rank), taken.change);
}

void remove_member(Transaction& transaction, Entry& room, const UserId& user, std::string_view why, const Taken& taken) {
  transaction.execute("DELETE FROM members WHERE room = ?1 AND user = ?2", room.id, user);
  transaction.execute(
      "INSERT INTO departures (user, room, why, changed) VALUES (?1, ?2, ?3, ?4) "
      "ON CONFLICT (user, room) DO UPDATE SET why = excluded.why, changed = excluded.changed",
      user, room.id, why, taken.change);
  transaction.execute("UPDATE rooms SET member_count = member_count - 1 WHERE id = ?1", room.id);
  --room.member_count;
}

bool banned(Query& query, const RoomId& room, const UserId& user) {
  return query.select("SELECT 1 FROM bans WHERE room = ?1 AND user = ?2", room, user)->next();
}

bool insert_ban(Transaction& transaction, const RoomId& room, const UserId& user, const UserId& by, Time at, std::int64_t number) {
  return transaction.execute("INSERT INTO bans (room, user, by, at, number) VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (room, user) DO NOTHING", room,
                             user, by, at, number) > 0;
}

void remove_ban(Transaction& transaction, const RoomId& room, const UserId& user) {
  transaction.execute("DELETE FROM bans WHERE room = ?1 AND user = ?2", room, user);
}

std::vector<BanRow> bans_after(Query& query, const RoomId& room, std::int64_t number, std::int64_t limit) {
  auto rows = query.select("SELECT user, by, at, number FROM bans WHERE room = ?1 AND number > ?2 ORDER BY number LIMIT ?3", room, number, limit);
  std::vector<BanRow> out;
  while (rows->next()) {
    BanRow ban;
    ban.user = rows->id<UserId>(0);
    ban.by = rows->maybe_id<UserId>(1);
    ban.at = rows->time(2);
    ban.number = rows->integer(3);
    out.push_back(ban);
  }
  return out;
}

void forget_room(Transaction& transaction, const RoomId& room, const Taken& taken) {
  transaction.execute(
      "INSERT INTO departures (user, room, why, changed) SELECT user, room, 'deleted', ?2 FROM members WHERE room = ?1 "
      "ON CONFLICT (user, room) DO UPDATE SET why = excluded.why, changed = excluded.changed",
      room, taken.change);
  transaction.execute("DELETE FROM members WHERE room = ?1", room);
  transaction.execute("DELETE FROM bans WHERE room = ?1", room);
  transaction.execute("DELETE FROM pins WHERE room = ?1", room);
  transaction.execute("UPDATE rooms SET deleted = 1, name = NULL, topic = NULL, folded = '', member_count = 0 WHERE id = ?1", room);
}

std::vector<Listed> my_rooms(Query& query, const UserId& user, const std::string& part, std::int64_t before, std::int64_t limit) {
  auto rows = query.select("SELECT " LOGGIA_ROOM_COLUMNS
                           "FROM members m JOIN rooms r ON r.id = m.room WHERE m.user = ?1 AND r.deleted = 0 AND r.changed < ?2 "
                           "AND (?3 = '' OR INSTR(r.folded, ?3) > 0) ORDER BY r.changed DESC LIMIT ?4",
                           user, before, part, limit);
  std::vector<Listed> out;
  while (rows->next()) {
    Listed& listed = out.emplace_back();
    listed.room = read_room(*rows, user);
    listed.changed = rows->integer(14);
  }
  return out;
}

std::vector<Listed> public_rooms(Query& query, const Asker& asker, const std::string& part, const std::optional<RoomId>& before, std::int64_t limit) {
  // Ids order by age: the newest rooms first. A guest sees those that they were added to.
  auto rows =
      query.select("SELECT " LOGGIA_ROOM_COLUMNS
                   "FROM rooms r LEFT JOIN members m ON m.room = r.id AND m.user = ?1 WHERE r.kind = 1 AND r.deleted = 0 "
                   "AND r.archived = 0 AND (?2 IS NULL OR r.id < ?2) AND (?3 = '' OR INSTR(r.folded, ?3) > 0) AND (?4 = 0 OR m.role IS NOT NULL) "
                   "ORDER BY r.id DESC LIMIT ?5",
                   asker.id, before, part, asker.guest, limit);
  std::vector<Listed> out;
  while (rows->next()) {
    Listed& listed = out.emplace_back();
    listed.room = read_room(*rows, asker.id);
    listed.room.read_seq.reset();
  }
  return out;
}

}  // namespace loggia::chat
