#include "room_commands.hpp"
#include <algorithm>
#include "loggia/chat/events.hpp"
#include "loggia/kernel/json.hpp"
#include "names.hpp"

namespace loggia::chat {
namespace {

constexpr std::int64_t erase_at_once = 2000;

Target self(const Asker& asker) { return {asker.id, asker.username}; }

void enter(Transaction& transaction, const Desk& desk, Entry& room, const Target& person, Rank rank, const Cause& cause) {
  keep_name(transaction, person.id, person.username);
  MemberStands data;
  data.user_id = person.id;
  data.role = name_of(rank);
  const auto taken = desk.timeline.add(transaction, room, "member.joined", cause, encode(data));
  insert_member(transaction, room, person.id, rank, cause.at, taken);
}

void give_rank(Transaction& transaction, const Desk& desk, Entry& room, const UserId& person, Rank rank, const Cause& cause) {
  MemberStands data;
  data.user_id = person;
  data.role = name_of(rank);
  const auto taken = desk.timeline.add(transaction, room, "member.role", cause, encode(data));
  set_rank(transaction, room.id, person, rank, taken);
}

void go(Transaction& transaction, const Desk& desk, Entry& room, const UserId& person, std::string_view why, const Cause& cause) {
  MemberGone data;
  data.user_id = person;
  data.why = why;
  const auto taken = desk.timeline.add(transaction, room, "member.left", cause, encode(data));
  remove_member(transaction, room, person, why, taken);
}

/// Leaves out of `edit` what is so already; the data of room.changed for the rest.
RoomChanged difference(const Room& now, RoomEdit& edit) {
  RoomChanged out;
  if (edit.kind && name_of(*edit.kind) == now.kind) edit.kind.reset();
  if (edit.name && edit.name == now.name) edit.name.reset();
  if (edit.topic && *edit.topic == now.topic.value_or("")) edit.topic.reset();
  if (edit.retention && *edit.retention == now.retention.value_or("off")) edit.retention.reset();
  if (edit.archived && *edit.archived == now.archived) edit.archived.reset();
  if (edit.kind) out.kind = name_of(*edit.kind);
  out.name = edit.name;
  out.topic = edit.topic;
  out.retention = edit.retention;
  out.archived = edit.archived;
  return out;
}

}  // namespace

Result<Room> create_room(Transaction& transaction, const Desk& desk, const Asker& asker, const NewRoom& room, const NewMembers& members,
                         const Cause& cause) {
  if (asker.guest) return Error(Errc::forbidden, "guests make no rooms");
  auto entry = insert_room(transaction, room);
  enter(transaction, desk, entry, self(asker), Rank::owner, cause);
  for (const auto& person : members.people) enter(transaction, desk, entry, person, Rank::member, cause);
  return describe(transaction, room.id, asker.id);
}

Result<Outcome<Room>> open_direct(Transaction& transaction, const Desk& desk, const Asker& asker, const Target& other, const Cause& cause) {
  Outcome<Room> out;
  Pair pair;
  pair.first = std::min(asker.id, other.id);
  pair.second = std::max(asker.id, other.id);
  if (const auto found = find_direct(transaction, pair)) {
    out.created = false;
    out.value = describe(transaction, *found, asker.id);
    return out;
  }
  if (asker.guest) {
    auto shared =
        transaction.select("SELECT 1 FROM members a JOIN members b ON b.room = a.room AND b.user = ?2 WHERE a.user = ?1 LIMIT 1", asker.id, other.id);
    if (!shared->next()) return Error(Errc::not_found, "there is no such person for you");
  }
  NewRoom room;
  room.id = desk.ids.make<RoomId>();
  room.kind = Kind::direct;
  room.pair = pair;
  room.by = asker.id;
  room.at = cause.at;
  auto entry = insert_room(transaction, room);
  enter(transaction, desk, entry, self(asker), Rank::member, cause);
  enter(transaction, desk, entry, other, Rank::member, cause);
  out.value = describe(transaction, room.id, asker.id);
  return out;
}

Result<Room> change_room(Transaction& transaction, const Desk& desk, const Asker& asker, const RoomId& id, const RoomEdit& wanted,
                         const Cause& cause) {
  auto room = find_entry(transaction, id, asker.id);
  if (!room) return no_such_room();
  const Actor actor{room->rank, asker.admin, asker.guest};
  const bool only_archives = wanted.archived && !wanted.kind && !wanted.name && !wanted.topic && !wanted.retention;
  if (wanted.archived) {
    const auto allowed = may(room->kind, room->archived, actor, Act::archive);
    if (!allowed) return allowed.error();
  }
  if (!only_archives) {
    // Who takes a room out of the archive may change it in the same request.
    const bool archived = room->archived && wanted.archived.value_or(true);
    const auto allowed = may(room->kind, archived, actor, Act::change);
    if (!allowed) return allowed.error();
  }
  auto edit = wanted;
  const auto data = encode(difference(describe(transaction, id, asker.id), edit));
  if (data != "{}") {
    update_room(transaction, id, edit);
    desk.timeline.add(transaction, *room, "room.changed", cause, data);
  }
  return describe(transaction, id, asker.id);
}

Result<bool> delete_room(Transaction& transaction, const Desk& desk, const Asker& asker, const RoomId& id, const Cause& cause) {
  auto room = entry_for(transaction, id, asker, Act::erase);
  if (!room) return room.error();
  const auto taken = desk.timeline.add(transaction, *room, "room.deleted", cause, "{}");
  forget_room(transaction, id, taken);
  return erase_some(transaction, desk, id);
}

bool erase_some(Transaction& transaction, const Desk& desk, const RoomId& room) {
  lock_room(transaction, room);
  const auto messages = erase_messages(transaction, room, erase_at_once);
  const auto frames = desk.timeline.erase(transaction, room, erase_at_once);
  if (messages == erase_at_once || frames == erase_at_once) return true;
  transaction.execute("UPDATE rooms SET deleted = 2 WHERE id = ?1", room);
  return false;
}

std::vector<RoomId> rooms_to_erase(Query& query) {
  auto rows = query.select("SELECT id FROM rooms WHERE deleted = 1");
  std::vector<RoomId> out;
  while (rows->next()) out.push_back(rows->id<RoomId>(0));
  return out;
}

Result<Room> join_room(Transaction& transaction, const Desk& desk, const Asker& asker, const RoomId& id, const Cause& cause) {
  auto room = find_entry(transaction, id, asker.id);
  if (!room) return no_such_room();
  const auto allowed = may_join(room->kind, room->archived, Actor{room->rank, asker.admin, asker.guest}, banned(transaction, id, asker.id));
  if (!allowed) return allowed.error();
  // A room that everybody has left has no owner: whoever comes first takes it over.
  if (room->rank == Rank::none) enter(transaction, desk, *room, self(asker), room->member_count == 0 ? Rank::owner : Rank::member, cause);
  return describe(transaction, id, asker.id);
}

Result<Nothing> put_member(Transaction& transaction, const Desk& desk, const Asker& asker, const RoomId& id, const Target& target,
                           std::optional<Rank> rank, const Cause& cause) {
  auto room = find_entry(transaction, id, asker.id);
  if (!room) return no_such_room();
  const Actor actor{room->rank, asker.admin, asker.guest};
  const auto now = rank_in(transaction, id, target.id);
  const auto wanted = rank.value_or(now == Rank::none ? Rank::member : now);
  // A direct room's two people are as they are; of a member, what is asked may be so already.
  const auto first = room->kind == Kind::direct || now == Rank::none ? Act::add : wanted == now ? Act::read : Act::grant;
  auto allowed = may(room->kind, room->archived, actor, first);
  if (allowed && now == Rank::none && wanted != Rank::member) allowed = may(room->kind, room->archived, actor, Act::grant);
  if (!allowed) return allowed.error();
  if (wanted == now) return Nothing();
  if (now == Rank::none) {
    if (!target.known()) return Error(Errc::not_found, "there is no such person");
    if (banned(transaction, id, target.id)) return Error(Errc::conflict, "they are banned from this room: lift the ban first");
    enter(transaction, desk, *room, target, wanted, cause);
    return Nothing();
  }
  allowed = may_act_on(room->rank, now);
  if (!allowed) return allowed.error();
  if (now == Rank::owner && count_owners(transaction, id) == 1)
    return Error(Errc::conflict, "the last owner cannot step down: make somebody else owner first");
  give_rank(transaction, desk, *room, target.id, wanted, cause);
  return Nothing();
}

Result<Nothing> take_member(Transaction& transaction, const Desk& desk, const Asker& asker, const RoomId& id, const UserId& target,
                            const Cause& cause) {
  const bool leaves = target == asker.id;
  auto room = entry_for(transaction, id, asker, leaves ? Act::leave : Act::remove);
  if (!room) return room.error();
  const auto now = rank_in(transaction, id, target);
  if (now == Rank::none) return Error(Errc::not_found, "they are not in this room");
  const auto allowed = may_act_on(room->rank, now);
  if (!allowed) return allowed.error();
  if (now == Rank::owner && room->member_count > 1 && count_owners(transaction, id) == 1)
    return Error(Errc::conflict, "the last owner cannot leave while others are in: make somebody else owner first");
  go(transaction, desk, *room, target, leaves ? "left" : "removed", cause);
  return Nothing();
}

Result<Nothing> ban_member(Transaction& transaction, const Desk& desk, const Asker& asker, const RoomId& id, const Target& target,
                           const Cause& cause) {
  auto room = entry_for(transaction, id, asker, Act::ban);
  if (!room) return room.error();
  if (target.id == asker.id) return Error(Errc::conflict, "nobody bans themselves: leave instead");
  if (!target.known()) return Error(Errc::not_found, "there is no such person");
  const auto now = rank_in(transaction, id, target.id);
  const auto allowed = may_act_on(room->rank, now);
  if (!allowed) return allowed.error();
  insert_ban(transaction, id, target.id, asker.id, cause.at, desk.timeline.next_change(transaction));
  if (now != Rank::none) go(transaction, desk, *room, target.id, "banned", cause);
  return Nothing();
}

Result<Nothing> unban(Transaction& transaction, const Asker& asker, const RoomId& id, const UserId& target) {
  const auto room = entry_for(transaction, id, asker, Act::ban);
  if (!room) return room.error();
  remove_ban(transaction, id, target);
  return Nothing();
}

void forget_person(Transaction& transaction, const Desk& desk, const UserId& person, Time at, const std::string& traceparent) {
  Cause cause;
  cause.at = at;
  cause.traceparent = traceparent;
  forget_name(transaction, person);
  for (const auto& id : rooms_of(transaction, person)) {
    auto room = find_entry(transaction, id, person);
    // A direct room keeps its two people, so that the other one can read it.
    if (!room || room->kind == Kind::direct) continue;
    go(transaction, desk, *room, person, "left", cause);
    if (room->rank != Rank::owner || count_owners(transaction, id) > 0) continue;
    if (const auto next = successor(transaction, id)) give_rank(transaction, desk, *room, *next, Rank::owner, cause);
  }
}

}  // namespace loggia::chat
