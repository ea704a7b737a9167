#include "standing.hpp"
#include "message_store.hpp"
#include "room_store.hpp"
#include "timeline.hpp"

namespace loggia::chat {
namespace {

constexpr std::size_t rooms_max = 500;

#define LOGGIA_STANDING_COLUMNS "r.id, r.kind, r.name, r.first, r.second, r.last_seq, m.role, m.read_seq, r.member_count, r.changed, m.changed "

Standing read_standing(const Rows& rows, const UserId& user) {
  Standing out;
  out.id = rows.id<RoomId>(0);
  const auto kind = static_cast<Kind>(rows.integer(1));
  out.kind = name_of(kind);
  out.name = rows.maybe_string(2);
  if (kind == Kind::direct) {
    Pair pair{rows.id<UserId>(3), rows.id<UserId>(4)};
    out.peer.emplace().id = pair.other(user);
  }
  out.last_seq = rows.integer(5);
  out.my_role = name_of(static_cast<Rank>(rows.integer(6)));
  out.read_seq = rows.integer(7);
  return out;
}

void count(Query& query, Standing& standing, const UserId& user) {
  const auto unread = count_unread(query, standing.id, user, standing.read_seq, standing.last_seq);
  standing.unread = unread.unread;
  standing.mentions = unread.mentions;
}

}  // namespace

Snapshot snapshot(Query& query, const UserId& user, const std::optional<std::int64_t>& wanted) {
  Snapshot out;
  // First the position, then what it stands for: at worst a room is named once more.
  out.change = newest_change(query);
  auto since = wanted;
  if (since && *since > out.change) since.reset();
  {
    auto rows = query.select("SELECT " LOGGIA_STANDING_COLUMNS
                             "FROM members m JOIN rooms r ON r.id = m.room WHERE m.user = ?1 AND r.deleted = 0 ORDER BY r.changed DESC",
                             user);
    while (rows->next()) {
      RoomPosition& position = out.hello.all.emplace_back();
      position.room = rows->id<RoomId>(0);
      position.last_seq = rows->integer(5);
      position.members = rows->integer(8);
      if (since && rows->integer(9) <= *since && rows->integer(10) <= *since) continue;
      if (out.hello.rooms.size() == rooms_max) out.hello.more = true;
      else out.hello.rooms.push_back(read_standing(*rows, user));
    }
  }
  for (auto& standing : out.hello.rooms) count(query, standing, user);
  if (since) {
    auto rows = query.select("SELECT room FROM departures WHERE user = ?1 AND changed > ?2 ORDER BY changed", user, *since);
    while (rows->next()) out.hello.gone.push_back(rows->id<RoomId>(0));
  }
  return out;
}

std::optional<Standing> standing_of(Query& query, const RoomId& room, const UserId& user) {
  std::optional<Standing> out;
  {
    auto rows = query.select("SELECT " LOGGIA_STANDING_COLUMNS
                             "FROM members m JOIN rooms r ON r.id = m.room WHERE m.room = ?1 AND m.user = ?2 AND r.deleted = 0",
                             room, user);
    if (!rows->next()) return std::nullopt;
    out = read_standing(*rows, user);
  }
  count(query, *out, user);
  return out;
}

std::string why_absent(Query& query, const RoomId& room, const UserId& user) {
  auto rows = query.select("SELECT why FROM departures WHERE user = ?1 AND room = ?2", user, room);
  return rows->next() ? rows->string(0) : "unknown";
}

std::vector<UserId> near(Query& query, const UserId& user) {
  auto rows = query.select(
      "SELECT DISTINCT o.user FROM members m JOIN rooms r ON r.id = m.room JOIN members o ON o.room = m.room "
      "WHERE m.user = ?1 AND r.deleted = 0 AND (r.kind = 3 OR r.member_count <= 100) AND o.user <> ?1",
      user);
  std::vector<UserId> out;
  while (rows->next()) out.push_back(rows->id<UserId>(0));
  return out;
}

}  // namespace loggia::chat
