// What a client does by itself.
#include <fmt/format.h>
#include "world.hpp"

namespace loggia::simulation {
namespace {

constexpr std::size_t ops_max = 20;

}  // namespace

const RoomId* Client::some_room() {
  if (rooms_.empty()) return nullptr;
  auto at = rooms_.begin();
  std::advance(at, world_.workload.below(static_cast<std::int64_t>(rooms_.size())));
  return &at->first;
}

std::optional<Client::Sent> Client::some_message(bool own) {
  if (own) {
    if (sent_.empty()) return std::nullopt;
    return sent_[static_cast<std::size_t>(world_.workload.below(static_cast<std::int64_t>(sent_.size())))];
  }
  const auto* room = some_room();
  if (!room || rooms_.at(*room).texts.empty()) return std::nullopt;
  const auto& texts = rooms_.at(*room).texts;
  auto at = texts.begin();
  std::advance(at, world_.workload.below(static_cast<std::int64_t>(texts.size())));
  return Sent{*room, at->first};
}

void Client::send(const RoomId& room) {
  Op op;
  op.name = "send";
  op.room = room;
  op.client_id = fmt::format("c{}.{}", number_, ++texts_);
  std::string text = op.client_id;
  if (world_.plan.bulky) text += std::string(static_cast<std::size_t>(world_.workload.between(4000, 7900)), 'x');
  else if (world_.workload.chance(150)) text += std::string(static_cast<std::size_t>(world_.workload.between(200, 3000)), 'x');
  op.fields = {{"room", room.text()}, {"text", text}, {"client_id", op.client_id}};
  add(std::move(op));
}

void Client::act() {
  if (ops_.size() >= ops_max) return;
  auto& dice = world_.workload;
  const auto what = dice.below(100);
  const auto* room = some_room();
  Op op;
  if (what < 50 && room) {
    for (auto count = dice.chance(200) ? dice.between(2, 6) : 1; count > 0; --count) send(*room);
    return;
  }
  if (what < 66) {
    const auto target = some_message(what < 62);
    if (!target) return;
    op.room = target->room;
    op.name = what < 58 ? "edit" : what < 62 ? "delete" : dice.chance(700) ? "react" : "unreact";
    op.fields = {{"room", target->room.text()}, {"seq", target->seq}};
    if (op.name == "edit") op.fields["text"] = fmt::format("e{}.{}", number_, ++texts_);
    else if (op.name != "delete") op.fields["emoji"] = dice.chance(500) ? "👍" : "🎉";
    return add(std::move(op));
  }
  if (what < 78 && room) {
    op.room = *room;
    op.name = what < 72 ? "read" : what < 75 ? "sync" : "typing";
    op.fields = {{"room", room->text()}};
    const auto position = rooms_.at(*room).position;
    if (op.name == "read") op.fields["seq"] = dice.between(std::max<std::int64_t>(0, position - 6), position);
    if (op.name == "sync") {
      op.after = acked_[*room];
      op.fields["after"] = dice.between(0, position);
      op.fields["limit"] = dice.between(1, 200);
    }
    return add(std::move(op));
  }
  if (what < 90) {
    const auto& target = world_.rooms[static_cast<std::size_t>(dice.below(static_cast<std::int64_t>(world_.rooms.size())))];
    const auto& other = world_.users[static_cast<std::size_t>(dice.below(static_cast<std::int64_t>(world_.users.size())))];
    const auto& owner = world_.users.front();
    // The owner stays: the last one cannot leave.
    if (other == owner) return;
    if (what < 82) return world_.put_member(owner, target, other);
    if (what < 85) return world_.join(other, target);
    return world_.remove_member(what < 88 ? owner : other, target, other);
  }
  if (what < 94) {
    op.name = what < 92 ? "ping" : "presence";
    if (op.name == "presence") op.fields = {{"state", dice.chance(500) ? "away" : "online"}};
    return add(std::move(op));
  }
}

}  // namespace loggia::simulation
