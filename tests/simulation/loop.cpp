#include "loop.hpp"
#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/use_awaitable.hpp>
#include "tasks/virtual_time.hpp"

namespace loggia::simulation {

bool Crew::idle() const {
  for (const auto& queue : ready_)
    if (!queue.empty()) return false;
  return true;
}

void Crew::run(std::size_t thread) {
  auto work = std::move(ready_[thread].front());
  ready_[thread].pop_front();
  const auto before = std::exchange(running_, thread);
  work();
  running_ = before;
}

bool Crew::run_down() {
  for (std::size_t thread = 0; thread < ready_.size(); ++thread)
    if (!ready_[thread].empty()) {
      run(thread);
      return true;
    }
  if (timers_.empty()) return false;
  // All at once: one that sets itself again must not keep the others from their turn.
  auto all = std::exchange(timers_, decltype(timers_)());
  for (auto& [when, later] : all) post(later.thread, std::move(later.work));
  return true;
}

void Crew::drop() {
  // What is destroyed may post while it goes.
  while (!idle() || !timers_.empty()) {
    const auto timers = std::move(timers_);
    timers_.clear();
    for (auto& queue : ready_) const auto gone = std::exchange(queue, std::deque<Work>());
  }
}

bool Loop::step() {
  for (;;) {
    std::int64_t ready = 0;
    for (const auto* crew : crews_) {
      if (crew->stopped_until_ > now_) continue;
      for (const auto& queue : crew->ready_) ready += queue.empty() ? 0 : 1;
    }
    if (ready > 0) {
      auto chosen = ready == 1 ? 0 : dice_.below(ready);
      for (auto* crew : crews_) {
        if (crew->stopped_until_ > now_) continue;
        for (std::size_t thread = 0; thread < crew->ready_.size(); ++thread) {
          if (crew->ready_[thread].empty() || chosen-- > 0) continue;
          ++steps_;
          mix(static_cast<std::uint64_t>(now_) * 16 + thread + (crew == &outside ? 8 : 0));
          crew->run(thread);
          return true;
        }
      }
    }
    Instant next = INT64_MAX;
    for (const auto* crew : crews_) {
      if (crew->timers_.empty() && crew->idle()) continue;
      const auto due = crew->idle() ? crew->timers_.begin()->first.first : 0;
      next = std::min(next, std::max(due, crew->stopped_until_));
    }
    if (next == INT64_MAX) return false;
    now_ = std::max(now_, next);
    for (auto* crew : crews_) {
      if (crew->stopped_until_ > now_) continue;
      while (!crew->timers_.empty() && crew->timers_.begin()->first.first <= now_) {
        auto due = crew->timers_.extract(crew->timers_.begin());
        crew->post(due.mapped().thread, std::move(due.mapped().work));
      }
    }
  }
}

Machine::Machine(Loop& in, std::size_t shards) : loop{in}, crew{shards + roles}, shards_{shards} {
  asio::make_service<VirtualTime>(*this, [this](milliseconds duration) { return sleep(duration); });
  loop.add(crew);
}

Machine::~Machine() {
  loop.remove(crew);
  crew.drop();
  shutdown();
  destroy();
}

Shards::Timer Machine::after(std::size_t shard, milliseconds delay, std::function<void()> work) {
  auto handle = std::make_shared<int>(0);
  later(delay.count() * ms, shard, Work([alive = std::weak_ptr<int>(handle), work = std::move(work)] {
          if (!alive.expired()) work();
        }));
  return handle;
}

namespace {

struct Sleeping {
  bool ended = false, cancelled = false;
};
template <class Handler> auto end_of(std::shared_ptr<Sleeping> state, std::shared_ptr<Handler> handler) {
  return [state = std::move(state), handler = std::move(handler)] {
    if (std::exchange(state->ended, true)) return;
    asio::get_associated_cancellation_slot(*handler).clear();
    std::move (*handler)();
  };
}

}  // namespace

// The timer owns the coroutine, and the slot only knows it: the slot is owned by what the coroutine holds.
Async<bool> Machine::sleep(milliseconds duration) {
  auto state = std::make_shared<Sleeping>();
  const auto shard = current();
  const auto initiate = [&](auto handler) {
    auto shared = std::make_shared<decltype(handler)>(std::move(handler));
    auto slot = asio::get_associated_cancellation_slot(*shared);
    if (slot.is_connected())
      slot.assign([this, state, shard, weak = std::weak_ptr(shared)](asio::cancellation_type) {
        state->cancelled = true;
        if (auto handler_there = weak.lock()) crew.post(shard, Work(end_of(state, std::move(handler_there))));
      });
    later(duration.count() * ms, shard, Work(end_of(state, std::move(shared))));
  };
  auto pending = asio::async_initiate<const asio::use_awaitable_t<>, void()>(initiate, asio::use_awaitable);
  co_await std::move(pending);
  if (state->cancelled) co_return Error(Errc::unavailable, "cancelled");
  co_return true;
}

}  // namespace loggia::simulation
