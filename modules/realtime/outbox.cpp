#include "outbox.hpp"
#include <algorithm>

namespace loggia::realtime {

void Outbox::hand(WebSocket& socket, SharedBytes bytes) {
  handed_ += bytes->size();
  socket.send(std::move(bytes));
}

void Outbox::push(WebSocket& socket, SharedBytes bytes, const Room* room, std::int64_t first, bool held) {
  if (!held && line_.empty() && socket.queued() < handed_max) return hand(socket, std::move(bytes));
  bytes_ += bytes->size();
  Slot slot;
  slot.bytes = std::move(bytes);
  slot.room = room;
  slot.first = first;
  line_.push(std::move(slot));
}

void Outbox::flow(WebSocket& socket) {
  while (!line_.empty() && socket.queued() < handed_max) {
    auto slot = line_.take();
    bytes_ -= slot.bytes->size();
    hand(socket, std::move(slot.bytes));
  }
}

void Outbox::drop_room(const Room* room) {
  line_.remove_if([&](const Slot& slot) {
    if (slot.room != room) return false;
    bytes_ -= slot.bytes->size();
    return true;
  });
}

std::vector<Outbox::Dropped> Outbox::drop_timeline(bool& done) {
  std::vector<Dropped> out;
  done = false;
  line_.remove_if([&](const Slot& slot) {
    if (slot.first == plain) return false;
    bytes_ -= slot.bytes->size();
    if (slot.first == replay_done) return done = true;
    const auto known = std::find_if(out.begin(), out.end(), [&](const Dropped& one) { return one.room == slot.room; });
    if (known == out.end()) out.push_back({slot.room, slot.first});
    else known->first = std::min(known->first, slot.first);
    return true;
  });
  return out;
}

void Outbox::clear() {
  line_.clear();
  bytes_ = 0;
}

}  // namespace loggia::realtime
