#include "people.hpp"
#include <algorithm>

namespace loggia::chat {
namespace {

constexpr std::size_t ids_at_once = 1000;

}  // namespace

void name_peer(Peer& peer, const PeopleById& people) {
  const auto found = people.find(peer.id);
  if (found == people.end()) return;
  peer.username = found->second.username;
  peer.display_name = found->second.display_name;
}

Async<PeopleById> People::get(Context context, std::vector<UserId> ids) {
  PeopleById out;
  const auto plain = context.keyed(std::string());
  for (std::size_t at = 0; at < ids.size(); at += ids_at_once) {
    const auto begin = ids.begin() + static_cast<std::ptrdiff_t>(at);
    std::vector<UserId> some(begin, begin + static_cast<std::ptrdiff_t>(std::min(ids_at_once, ids.size() - at)));
    auto found = co_await directory_->ask<user::GetPeople>(plain, std::move(some));
    if (!found) co_return found.error();
    for (auto& person : found->items) out.insert_or_assign(person.id, std::move(person));
  }
  co_return out;
}

Async<std::string> People::name_of(Context context, UserId id) {
  std::vector<UserId> one(1, id);
  auto found = co_await get(std::move(context), std::move(one));
  if (!found) co_return found.error();
  const auto person = found->find(id);
  if (person == found->end() || person->second.deleted) co_return std::string();
  co_return person->second.username;
}

Async<std::vector<UserId>> People::blocked(Context context, UserId id) {
  const auto plain = context.keyed(std::string());
  auto found = co_await directory_->ask<user::GetBlocked>(plain, id);
  if (!found) co_return found.error();
  co_return std::move(found->ids);
}

Async<std::vector<Room>> People::with_peers(Context context, std::vector<Room> rooms) {
  std::vector<UserId> ids;
  for (const auto& room : rooms)
    if (room.peer) ids.push_back(room.peer->id);
  if (ids.empty()) co_return rooms;
  auto found = co_await get(std::move(context), std::move(ids));
  if (!found) co_return found.error();
  for (auto& room : rooms)
    if (room.peer) name_peer(*room.peer, *found);
  co_return rooms;
}

Async<Room> People::with_peer(Context context, Room room) {
  std::vector<Room> one;
  one.push_back(std::move(room));
  auto named = co_await with_peers(std::move(context), std::move(one));
  if (!named) co_return named.error();
  co_return std::move(named->front());
}

}  // namespace loggia::chat
