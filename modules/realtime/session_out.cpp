// What a connection is sent: directly, through its outbox, or from chat's time line when it lacks something.
#include <algorithm>
#include "loggia/kernel/json.hpp"
#include "loggia/kernel/mutant.hpp"
#include "node.hpp"
#include "requests.hpp"
#include "session.hpp"

namespace loggia::realtime {
namespace {

constexpr std::size_t page_target = 128u << 10, chunk_size = 16u << 10, merged_max = 100;

}  // namespace

void Session::send(SharedBytes bytes, const Room* room, std::int64_t first) {
  const bool held = room != nullptr && state_ == State::live && (!node_.contact() || settling());
  outbox_.push(*socket_, std::move(bytes), room, first, held);
}

bool Session::settling() {
  if (settled_) return false;
  // Where something waits, the timer alone ends it: an event that comes when the moment is over, and the timer not yet, queues behind.
  if (settle_timer_) return true;
  const auto left = opened_ + node_.hub().options.settle - node_.hub().clock->moment();
  settled_ = left <= Moment::duration::zero();
  if (!settled_)
    settle_timer_ = node_.hub().shards->after(node_.shard(), std::chrono::ceil<milliseconds>(left), [weak = weak_from_this()] {
      const auto self = weak.lock();
      if (!self) return;
      self->settled_ = true;
      self->drained();
    });
  return !settled_;
}

void Session::deliver(const SharedBytes& bytes, const Room& room, std::int64_t first) {
  if (state_ != State::live) return;
  send(bytes, &room, first);
  overflow();
}

void Session::push(SharedBytes bytes, const Room* room) {
  if (state_ != State::live) return;
  outbox_.push(*socket_, std::move(bytes), room, Outbox::plain, !node_.contact());
  overflow();
}

void Session::typing(const SharedBytes& bytes) {
  if (state_ != State::live || !node_.contact() || !outbox_.empty() || socket_->queued() >= Outbox::handed_max) return;
  outbox_.push(*socket_, bytes, nullptr, Outbox::plain, false);
}

void Session::presence(const UserId& about, const SharedBytes& bytes) {
  if (state_ != State::live) return;
  if (node_.contact() && outbox_.empty() && !merged_) return push(bytes, nullptr);
  if (!merged_) merged_ = std::make_unique<std::vector<std::pair<UserId, SharedBytes>>>();
  const auto known = std::find_if(merged_->begin(), merged_->end(), [&](const auto& one) { return one.first == about; });
  if (known != merged_->end()) known->second = bytes;
  else if (merged_->size() < merged_max) merged_->emplace_back(about, bytes);
}

// Past the bound the queue of events is dropped: each room goes on from the log, from the first event that is lacking.
void Session::overflow() {
  const auto limit = node_.hub().options.queue_bytes;
  if (outbox_.bytes() + socket_->queued() <= limit) return;
  bool done = false;
  const auto dropped = outbox_.drop_timeline(done);
  if (!dropped.empty()) node_.hub().numbers.drops.add();
  for (const auto& one : dropped) {
    auto* room = const_cast<Room*>(one.room);
    auto* reader = node_.index().reader(*this, *room);
    if (!reader) continue;
    // Where replay.done waited behind these events, it is said again once they have been sent.
    const auto again = done ? reader->position : 0;
    reader->position = std::min(reader->position, LOGGIA_MUTANT_IS(falling_behind_loses_first) ? one.first : one.first - 1);
    if (reader->state == Reader::State::live) fall_behind(*reader, again);
    else if (again > 0)
      for (auto& feed : feeds_)
        if (feed.room == room && feed.replay_to == 0) {
          feed.replay_to = again;
          ++replaying_;
        }
  }
  if (done && replaying_ == 0) {
    ++replaying_;
    replayed();
  }
  if (outbox_.bytes() > limit) close(code::too_slow, "too much is waiting to be read: resume");
}

void Session::flow() {
  if (state_ != State::live || !node_.contact() || settling()) return;
  outbox_.flow(*socket_);
  if (!outbox_.empty() || !merged_) return;
  const auto waiting = std::move(merged_);
  for (const auto& [about, bytes] : *waiting) push(bytes, nullptr);
}

void Session::drained() {
  if (state_ == State::closing) return;
  if (state_ == State::live) flow();
  else outbox_.flow(*socket_);
  feed();
  pump();
}

// ---- from the log ----

void Session::fall_behind(Reader& reader, std::int64_t replay_to) {
  reader.state = Reader::State::behind;
  Feed feed;
  feed.room = places[reader.place].room;
  feed.replay_to = replay_to;
  feeds_.push_back(feed);
  if (replay_to > 0) ++replaying_;
  // Not from here: a room's readers may be being walked through.
  node_.mail([weak = weak_from_this()](Node&) {
    if (auto self = weak.lock()) self->feed();
  });
}

bool Session::forget(const Room& room) {
  outbox_.drop_room(&room);
  const auto feed = std::find_if(feeds_.begin(), feeds_.end(), [&](const Feed& one) { return one.room == &room; });
  if (feed == feeds_.end()) return false;
  const bool replay = feed->replay_to > 0;
  feeds_.erase(feed);
  return replay;
}

std::int64_t Session::page_limit() const {
  return std::clamp<std::int64_t>(static_cast<std::int64_t>(page_target / std::max<std::uint32_t>(page_bytes_, 1)), 1, 200);
}

void Session::feed() {
  if (state_ != State::live || feeding_ || feeds_.empty() || !node_.contact()) return;
  const auto room_for_more = std::min(Outbox::handed_max, node_.hub().options.queue_bytes / 2);
  if (!outbox_.empty() || socket_->queued() > room_for_more) return;
  auto* room = feeds_.front().room;
  auto* reader = node_.index().reader(*this, *room);
  if (!reader || !node_.may_feed(*this)) return;
  feeding_ = true;
  auto task = read_page(shared_from_this(), room->id, reader->position, page_limit());
  node_.spawn("realtime.feed", std::move(task));
}

void Session::page(const RoomId& id, std::int64_t after, const Result<chat::Events>& events) {
  feeding_ = false;
  node_.fed();
  if (state_ != State::live) return;
  auto* room = node_.index().find(id);
  auto* reader = room ? node_.index().reader(*this, *room) : nullptr;
  const auto feed_of = std::find_if(feeds_.begin(), feeds_.end(), [&](const Feed& one) { return one.room == room; });
  if (!reader || feed_of == feeds_.end() || reader->position != after) return feed();
  if (!events) {
    if (events.error().code == Errc::not_found) {
      node_.remove_from(*this, *room, "deleted");
      return feed();
    }
    std::rotate(feed_of, feed_of + 1, feeds_.end());  // the others first; the tick tries again
    return;
  }
  if (!queue_page(*reader, *room, events->items)) return feed();
  const bool end = !events->more;
  if (feed_of->replay_to > 0 && (end || reader->position >= feed_of->replay_to)) {
    feed_of->replay_to = 0;
    replayed();
  }
  if (end && reader->position >= room->last) {
    reader->state = Reader::State::live;
    feeds_.erase(feed_of);
  } else if (events->items.empty()) {
    return;  // the log says less than was passed on: the tick tries again
  }
  feed();
}

bool Session::queue_page(Reader& reader, Room& room, const std::vector<RawJson>& items) {
  std::string chunk;
  std::int64_t first = reader.position + 1;
  std::size_t bytes = 0;
  const auto put = [&] {
    if (!chunk.empty()) send(std::make_shared<const std::string>(std::move(chunk)), &room, first);
    chunk = std::string();
    first = reader.position + 1;
  };
  for (const auto& item : items) {
    const auto seq = reader.position + 1;
    // From another process its names come in another order; in a text a quote is escaped, so that no message looks so.
    const bool perhaps = seq > reader.since && item.text.find("\"member.left\"") != item.text.npos;
    if (const auto head = perhaps ? head_of(item.text) : std::nullopt; head && head->ev == "member.left") {
      // The log may be ahead of the bus: what comes after one's own leaving is not for who left.
      const auto change = member_change(item.text);
      if (change && change->user_id == Seat::user) {
        put();
        node_.remove_from(*this, room, change->why.value_or("left"));
        return false;
      }
    }
    append_frame(chunk, item.text);
    bytes += item.text.size();
    reader.position = seq;
    if (chunk.size() >= chunk_size) put();
  }
  put();
  node_.hub().numbers.frames.add(items.size());
  if (!items.empty()) page_bytes_ = static_cast<std::uint32_t>(bytes / items.size());
  return true;
}

}  // namespace loggia::realtime
