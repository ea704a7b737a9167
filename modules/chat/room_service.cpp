#include "room_service.hpp"
#include <algorithm>
#include "loggia/kernel/config.hpp"
#include "loggia/kernel/storable.hpp"
#include "message_text.hpp"
#include "pages.hpp"
#include "room_commands.hpp"

namespace loggia::chat {
namespace {

constexpr std::size_t name_max = 100, topic_max = 500;

Result<std::string> checked_retention(const std::string& text) {
  if (text == "off") return text;
  const auto age = parse_duration(text);
  if (!age || age->count() <= 0) return wrong_field("/retention", "is a duration such as 7d or 24h, or off");
  return text;
}

Result<RoomEdit> checked(const UpdateRoom& request) {
  RoomEdit out;
  if (request.name) {
    auto name = normalised_line(*request.name, 1, name_max, "/name");
    if (!name) return name.error();
    out.name = std::move(*name);
  }
  if (request.topic) {
    auto topic = normalised_line(*request.topic, 0, topic_max, "/topic");
    if (!topic) return topic.error();
    out.topic = std::move(*topic);
  }
  if (request.retention) {
    auto retention = checked_retention(*request.retention);
    if (!retention) return retention.error();
    out.retention = std::move(*retention);
  }
  if (request.visibility) {
    if (*request.visibility != "public" && *request.visibility != "private") return wrong_field("/visibility", "is public or private");
    out.kind = kind_of(*request.visibility);
  }
  out.archived = request.archived;
  return out;
}

}  // namespace

Async<Room> RoomService::on(Context context, CreateRoom request) {
  NewRoom room;
  auto name = normalised_line(request.name, 1, name_max, "/name");
  if (!name) co_return name.error();
  room.name = std::move(*name);
  if (request.topic && !request.topic->empty()) {
    auto topic = normalised_line(*request.topic, 0, topic_max, "/topic");
    if (!topic) co_return topic.error();
    room.topic = std::move(*topic);
  }
  if (request.visibility != "public" && request.visibility != "private") co_return wrong_field("/visibility", "is public or private");
  room.kind = kind_of(request.visibility);
  const auto asker = asker_of(context);
  NewMembers members;
  if (request.members) {
    if (request.members->size() > name_max) co_return wrong_field("/members", "names at most 100 people");
    auto known = co_await chat_.people.get(context, *request.members);
    if (!known) co_return known.error();
    for (std::size_t at = 0; at < request.members->size(); ++at) {
      const auto& person = (*request.members)[at];
      const auto found = known->find(person);
      if (found == known->end() || found->second.deleted) co_return wrong_field("/members/" + std::to_string(at), "is the id of somebody here");
      auto& others = members.people;
      const auto same = [&](const Target& other) { return other.id == person; };
      if (person != asker.id && std::none_of(others.begin(), others.end(), same)) others.push_back({person, found->second.username});
    }
  }
  room.by = asker.id;
  auto make = [this, room, members, asker](Transaction& transaction, const Cause& cause) -> Result<Room> {
    auto fresh = room;
    fresh.id = chat_.ids->make<RoomId>();
    fresh.at = cause.at;
    return create_room(transaction, chat_.desk(), asker, fresh, members, cause);
  };
  co_return co_await chat_.once(std::move(context), std::move(request), std::move(make));
}

Async<Outcome<Room>> RoomService::on(Context context, OpenDirect request) {
  const auto asker = asker_of(context);
  if (request.user_id == asker.id) co_return wrong_field("/user_id", "is somebody else: nobody has a direct room with themselves");
  std::vector<UserId> one(1, request.user_id);
  auto people = co_await chat_.people.get(context, std::move(one));
  if (!people) co_return people.error();
  const auto other = people->find(request.user_id);
  if (other == people->end() || other->second.deleted) co_return Error(Errc::not_found, "there is no such person");
  auto blocked = co_await chat_.people.blocked(context, asker.id);
  if (!blocked) co_return blocked.error();
  if (std::find(blocked->begin(), blocked->end(), request.user_id) != blocked->end())
    co_return Error(Errc::forbidden, "there is a block between the two of you: no direct room");
  const Target target{request.user_id, other->second.username};
  Peer peer;
  peer.id = request.user_id;
  name_peer(peer, *people);
  auto make = [this, target, peer, asker](Transaction& transaction, const Cause& cause) -> Result<Outcome<Room>> {
    auto made = open_direct(transaction, chat_.desk(), asker, target, cause);
    if (made) made->value.peer = peer;
    return made;
  };
  co_return co_await chat_.once(std::move(context), request, std::move(make));
}

Async<RoomList> RoomService::on(Context context, ListRooms request) {
  const auto asker = asker_of(context);
  const bool open = request.scope.value_or("mine") == "public";
  const auto limit = page_limit(request.limit);
  std::int64_t before = std::numeric_limits<std::int64_t>::max();
  std::optional<RoomId> below;
  if (request.cursor && open) {
    const auto id = id_in<RoomId>(*request.cursor);
    if (!id) co_return id.error();
    below = *id;
  } else if (request.cursor) {
    const auto number = number_in(*request.cursor);
    if (!number) co_return number.error();
    before = *number;
  }
  if (request.query && !storable(*request.query)) co_return not_storable("/query");
  const auto part = folded(request.query.value_or(""));
  auto work = [asker, open, limit, before, below, part](Query& query) -> Result<RoomList> {
    auto found = open ? public_rooms(query, asker, part, below, limit + 1) : my_rooms(query, asker.id, part, before, limit + 1);
    RoomList out;
    if (static_cast<std::int64_t>(found.size()) > limit) {
      found.pop_back();
      out.next = open ? cursor_of(found.back().room.id) : cursor_of(found.back().changed);
    }
    for (auto& listed : found) {
      auto& room = listed.room;
      if (!open) {
        const auto unread = count_unread(query, room.id, asker.id, room.read_seq.value_or(0), room.last_seq);
        room.unread = unread.unread;
        room.mentions = unread.mentions;
      }
      out.items.push_back(std::move(room));
    }
    return out;
  };
  auto list = co_await chat_.store->read(context, std::move(work));
  if (!list) co_return list.error();
  auto named = co_await chat_.people.with_peers(std::move(context), std::move(list->items));
  if (!named) co_return named.error();
  list->items = std::move(*named);
  co_return list;
}

Async<Room> RoomService::on(Context context, GetRoom request) {
  const auto asker = asker_of(context);
  auto work = [asker, request](Query& query) -> Result<Room> {
    const auto entry = entry_for(query, request.room, asker, Act::describe);
    if (!entry) return entry.error();
    return describe(query, request.room, asker.id);
  };
  auto room = co_await chat_.store->read(context, std::move(work));
  if (!room) co_return room.error();
  co_return co_await chat_.people.with_peer(std::move(context), std::move(*room));
}

Async<Room> RoomService::on(Context context, UpdateRoom request) {
  const auto asker = asker_of(context);
  auto edit = checked(request);
  if (!edit) co_return edit.error();
  auto make = [this, asker, room = request.room, edit = std::move(*edit)](Transaction& transaction, const Cause& cause) -> Result<Room> {
    return change_room(transaction, chat_.desk(), asker, room, edit, cause);
  };
  co_return co_await chat_.once(std::move(context), std::move(request), std::move(make));
}

Async<Nothing> RoomService::on(Context context, DeleteRoom request) {
  const auto asker = asker_of(context);
  auto make = [this, asker, request](Transaction& transaction, const Cause& cause) -> Result<bool> {
    return delete_room(transaction, chat_.desk(), asker, request.room, cause);
  };
  auto more = co_await chat_.written(context, std::move(make));
  if (!more) co_return more.error();
  // The room is gone; what is left of its texts goes now, or at the next start.
  if (*more) (void)co_await erase_rest(&chat_, std::move(context), request.room);
  co_return Nothing();
}

Async<Nothing> erase_rest(Chat* chat, Context context, RoomId room) {
  for (bool more = true; more;) {
    auto make = [chat, room](Transaction& transaction, const Cause&) -> Result<bool> { return erase_some(transaction, chat->desk(), room); };
    auto done = co_await chat->written(context, std::move(make));
    if (!done) co_return done.error();
    more = *done;
  }
  co_return Nothing();
}

}  // namespace loggia::chat
