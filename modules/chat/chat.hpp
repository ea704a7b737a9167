#pragma once
// What the services of this module share. Made once, outlives every call; safe from every shard.
#include <atomic>
#include <mutex>
#include <unordered_map>
#include "loggia/kernel/idempotent.hpp"
#include "message_commands.hpp"
#include "people.hpp"

namespace loggia::chat {

/// Which rooms are direct, and whose: that never changes, so it is remembered and not read for every message.
class DirectRooms {
 public:
  /// None: not known yet. Otherwise the pair, none for other rooms.
  std::optional<std::optional<Pair>> find(const RoomId& room) const;
  void learn(const RoomId& room, const std::optional<Pair>& pair);

 private:
  mutable std::mutex mutex_;
  std::unordered_map<RoomId, std::optional<Pair>> known_;
};

struct Chat {
  std::shared_ptr<Database> store;
  std::shared_ptr<Clock> clock;
  std::shared_ptr<Ids> ids;
  Timeline timeline;
  People people;
  DirectRooms directs;
  std::atomic<bool> names_known{false};  // of every member

  Chat(std::shared_ptr<Database> database, std::shared_ptr<Log> log, std::shared_ptr<Clock> time, std::shared_ptr<Ids> makes_ids)
      : store{std::move(database)}, clock{std::move(time)}, ids{std::move(makes_ids)}, timeline{std::move(log)} {}

  Desk desk() { return Desk{timeline, *ids}; }
  /// The caller's act, now: on the writer's thread, so that times in a room ascend with its numbers.
  Cause cause(const Context& context) const;
  /// A room that is known not to be direct: who may write in it is for the command alone to say.
  bool open_to_members(const RoomId& room) const {
    const auto known = directs.find(room);
    return known && !*known;
  }
  /// Forbidden where the room is direct and there is a block between its two people.
  Async<bool> may_write_to(Context context, RoomId room);

  /// `make(Transaction&, const Cause&) -> Result<T>` on the writer.
  template <class F> auto written(Context context, F make) -> boost::asio::awaitable<std::invoke_result_t<F, Transaction&, const Cause&>> {
    using R = std::invoke_result_t<F, Transaction&, const Cause&>;
    auto work = [this, by = cause(context), make = std::move(make)](Transaction& transaction) mutable -> R {
      by.at = clock->now();
      return make(transaction, by);
    };
    co_return co_await store->write(context, std::move(work));
  }
  /// The same with what `make` will look at, sent for before: `ahead(Transaction&)`.
  template <class F, class G> auto written(Context context, F make, G ahead)
      -> boost::asio::awaitable<std::invoke_result_t<F, Transaction&, const Cause&>> {
    using R = std::invoke_result_t<F, Transaction&, const Cause&>;
    auto work = [this, by = cause(context), make = std::move(make)](Transaction& transaction) mutable -> R {
      by.at = clock->now();
      return make(transaction, by);
    };
    co_return co_await store->write(context, std::move(work), std::move(ahead));
  }
  /// The same for a request that takes an Idempotency-Key.
  template <class R, class F> Async<typename R::Reply> once(Context context, R request, F make) {
    using Reply = typename R::Reply;
    auto work = [this, context, request = std::move(request), make = std::move(make)](Transaction& transaction) -> Result<Reply> {
      const auto now = cause(context);
      auto inner = [&make, &now](Transaction& t) -> Result<Reply> { return make(t, now); };
      return loggia::once(transaction, context, request, now.at, inner);
    };
    co_return co_await store->write(context, std::move(work));
  }
};

}  // namespace loggia::chat
