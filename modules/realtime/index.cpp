#include "index.hpp"
#include <algorithm>

namespace loggia::realtime {

Room* Index::find(const RoomId& id) {
  const auto found = rooms_.find(id);
  return found == rooms_.end() ? nullptr : &found->second;
}

Room& Index::room(const RoomId& id) {
  auto& room = rooms_[id];
  room.id = id;
  return room;
}

UserEntry* Index::user(const UserId& id) {
  const auto found = users_.find(id);
  return found == users_.end() ? nullptr : &found->second;
}

void Index::sit(Seat& seat) { users_[seat.user].seats.push_back(&seat); }

void Index::stand(Seat& seat) {
  const auto found = users_.find(seat.user);
  if (found == users_.end()) return;
  std::erase(found->second.seats, &seat);
  if (found->second.seats.empty()) users_.erase(found);
}

Reader& Index::enter(Seat& seat, Room& room, std::int64_t position, std::int64_t since, Reader::State state) {
  seat.places.push_back({&room, static_cast<std::uint32_t>(room.readers.size())});
  room.readers.push_back({&seat, position, since, static_cast<std::uint32_t>(seat.places.size() - 1), state});
  return room.readers.back();
}

Reader* Index::reader(const Seat& seat, const Room& room) {
  // The shorter of the two lists: a person is in hundreds of rooms at most, a room may have thousands of readers.
  if (room.readers.size() < seat.places.size()) {
    for (auto& reader : room.readers)
      if (reader.seat == &seat) return const_cast<Reader*>(&reader);
    return nullptr;
  }
  for (const auto& place : seat.places)
    if (place.room == &room) return &place.room->readers[place.reader];
  return nullptr;
}

bool Index::leave(Seat& seat, Room& room) {
  auto* gone = reader(seat, room);
  if (!gone) return !room.readers.empty();
  // The last of each list takes the free entry, and its partner is told.
  const auto place = gone->place;
  const auto at = seat.places[place].reader;
  if (place + 1 != seat.places.size()) {
    seat.places[place] = seat.places.back();
    seat.places[place].room->readers[seat.places[place].reader].place = place;
  }
  seat.places.pop_back();
  if (at + 1 != room.readers.size()) {
    room.readers[at] = room.readers.back();
    room.readers[at].seat->places[room.readers[at].place].reader = at;
  }
  room.readers.pop_back();
  return !room.readers.empty();
}

}  // namespace loggia::realtime
