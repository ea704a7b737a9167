#include "chat.hpp"
#include <algorithm>

namespace loggia::chat {
namespace {

constexpr std::size_t remembered = 50000;

}  // namespace

std::optional<std::optional<Pair>> DirectRooms::find(const RoomId& room) const {
  const std::lock_guard lock(mutex_);
  const auto found = known_.find(room);
  if (found == known_.end()) return std::nullopt;
  return found->second;
}
void DirectRooms::learn(const RoomId& room, const std::optional<Pair>& pair) {
  const std::lock_guard lock(mutex_);
  if (known_.size() >= remembered) known_.clear();
  known_.insert_or_assign(room, pair);
}

Cause Chat::cause(const Context& context) const {
  Cause out;
  if (context.caller().known()) out.by = UserId(context.caller().subject);
  out.at = clock->now();
  if (!context.trace().id.empty()) out.traceparent = context.trace().parent();
  return out;
}

Async<bool> Chat::may_write_to(Context context, RoomId room) {
  auto known = directs.find(room);
  if (!known) {
    auto work = [room](Query& query) -> Result<std::optional<std::optional<Pair>>> {
      Pair pair;
      const auto kind = kind_of_room(query, room, pair);
      std::optional<std::optional<Pair>> found;
      if (kind) found = *kind == Kind::direct ? std::optional(pair) : std::nullopt;
      return found;
    };
    auto read = co_await store->read(context, std::move(work));
    if (!read) co_return read.error();
    // What is not there is not remembered; the command that follows says so.
    if (!*read) co_return true;
    known = *read;
    directs.learn(room, *known);
  }
  if (!*known) co_return true;
  const auto& pair = **known;
  const UserId me(context.caller().subject);
  if (me != pair.first && me != pair.second) co_return true;
  const auto other = pair.other(me);
  auto blocked = co_await people.blocked(context, me);
  if (!blocked) co_return blocked.error();
  if (std::find(blocked->begin(), blocked->end(), other) != blocked->end())
    co_return Error(Errc::forbidden, "there is a block between the two of you: no messages");
  co_return true;
}

}  // namespace loggia::chat
