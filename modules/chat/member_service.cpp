// The part of `Rooms` that is about who is in a room.
#include "pages.hpp"
#include "room_commands.hpp"
#include "room_service.hpp"

namespace loggia::chat {
namespace {

/// `me` or an id.
Result<UserId> person_in(const std::string& text, const UserId& me) {
  if (text == "me") return me;
  auto id = UserId::parse(text);
  if (!id) return Error(Errc::not_found, "there is no such person");
  return *id;
}

/// Somebody, with the name that the directory knows.
Async<Target> as_known(Chat* chat, Context context, UserId id) {
  auto username = co_await chat->people.name_of(std::move(context), id);
  if (!username) co_return username.error();
  Target out;
  out.id = id;
  out.username = std::move(*username);
  co_return out;
}

}  // namespace

Async<MemberList> RoomService::on(Context context, ListMembers request) {
  const auto asker = asker_of(context);
  std::int64_t after = 0;
  if (request.cursor) {
    const auto number = number_in(*request.cursor);
    if (!number) co_return number.error();
    after = *number;
  }
  const auto limit = page_limit(request.limit);
  auto work = [asker, room = request.room, after, limit](Query& query) -> Result<std::vector<MemberRow>> {
    const auto entry = entry_for(query, room, asker, Act::read);
    if (!entry) return entry.error();
    return members_after(query, room, after, limit + 1);
  };
  auto rows = co_await chat_.store->read(context, std::move(work));
  if (!rows) co_return rows.error();
  MemberList out;
  if (static_cast<std::int64_t>(rows->size()) > limit) {
    rows->pop_back();
    out.next = cursor_of(rows->back().joined_seq);
  }
  std::vector<UserId> ids;
  for (const auto& row : *rows) ids.push_back(row.user);
  auto people = co_await chat_.people.get(std::move(context), std::move(ids));
  if (!people) co_return people.error();
  for (const auto& row : *rows) {
    Member& member = out.items.emplace_back();
    member.user_id = row.user;
    member.role = name_of(row.rank);
    member.joined_at = row.joined_at;
    Peer names;
    names.id = row.user;
    name_peer(names, *people);
    member.username = std::move(names.username);
    member.display_name = std::move(names.display_name);
  }
  co_return out;
}

Async<Nothing> RoomService::on(Context context, PutMember request) {
  const auto asker = asker_of(context);
  const auto id = person_in(request.user, asker.id);
  if (!id) co_return id.error();
  auto target = co_await as_known(&chat_, context, *id);
  if (!target) co_return target.error();
  std::optional<Rank> rank;
  if (request.role) rank = rank_of(*request.role);
  auto make = [this, asker, room = request.room, target = std::move(*target), rank](Transaction& transaction, const Cause& cause) -> Result<Nothing> {
    return put_member(transaction, chat_.desk(), asker, room, target, rank, cause);
  };
  co_return co_await chat_.written(std::move(context), std::move(make));
}

Async<Nothing> RoomService::on(Context context, RemoveMember request) {
  const auto asker = asker_of(context);
  const auto id = person_in(request.user, asker.id);
  if (!id) co_return id.error();
  auto make = [this, asker, room = request.room, target = *id](Transaction& transaction, const Cause& cause) -> Result<Nothing> {
    return take_member(transaction, chat_.desk(), asker, room, target, cause);
  };
  co_return co_await chat_.written(std::move(context), std::move(make));
}

Async<Room> RoomService::on(Context context, JoinRoom request) {
  const auto asker = asker_of(context);
  auto make = [this, asker, room = request.room](Transaction& transaction, const Cause& cause) -> Result<Room> {
    return join_room(transaction, chat_.desk(), asker, room, cause);
  };
  co_return co_await chat_.once(std::move(context), request, std::move(make));
}

Async<Bans> RoomService::on(Context context, ListBans request) {
  const auto asker = asker_of(context);
  std::int64_t after = 0;
  if (request.cursor) {
    const auto number = number_in(*request.cursor);
    if (!number) co_return number.error();
    after = *number;
  }
  const auto limit = page_limit(request.limit);
  auto work = [asker, room = request.room, after, limit](Query& query) -> Result<std::vector<BanRow>> {
    const auto entry = find_entry(query, room, asker.id);
    if (!entry) return no_such_room();
    // An archived room's list can be read like the rest of it.
    const auto allowed = may(entry->kind, false, Actor{entry->rank, asker.admin, asker.guest}, Act::ban);
    if (!allowed) return allowed.error();
    return bans_after(query, room, after, limit + 1);
  };
  auto rows = co_await chat_.store->read(context, std::move(work));
  if (!rows) co_return rows.error();
  Bans out;
  if (static_cast<std::int64_t>(rows->size()) > limit) {
    rows->pop_back();
    out.next = cursor_of(rows->back().number);
  }
  std::vector<UserId> ids;
  for (const auto& row : *rows) ids.push_back(row.user);
  auto people = co_await chat_.people.get(std::move(context), std::move(ids));
  if (!people) co_return people.error();
  for (const auto& row : *rows) {
    Peer names;
    names.id = row.user;
    name_peer(names, *people);
    Ban& ban = out.items.emplace_back();
    ban.user_id = row.user;
    ban.username = std::move(names.username);
    ban.display_name = std::move(names.display_name);
    ban.by = row.by;
    ban.at = row.at;
  }
  co_return out;
}

Async<Nothing> RoomService::on(Context context, BanMember request) {
  const auto asker = asker_of(context);
  auto target = co_await as_known(&chat_, context, request.user);
  if (!target) co_return target.error();
  auto make = [this, asker, room = request.room, target = std::move(*target)](Transaction& transaction, const Cause& cause) -> Result<Nothing> {
    return ban_member(transaction, chat_.desk(), asker, room, target, cause);
  };
  co_return co_await chat_.written(std::move(context), std::move(make));
}

Async<Nothing> RoomService::on(Context context, Unban request) {
  const auto asker = asker_of(context);
  auto make = [asker, request](Transaction& transaction, const Cause&) -> Result<Nothing> {
    return unban(transaction, asker, request.room, request.user);
  };
  co_return co_await chat_.written(std::move(context), std::move(make));
}

}  // namespace loggia::chat
