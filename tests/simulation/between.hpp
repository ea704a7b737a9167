#pragma once
// What stands between the parts of the process: calls that are lost, doubled and delayed, a log whose reader sees events again, late or
// not at all. While `faulty` says so; otherwise all of it is passed on as it is.
#include <boost/asio/this_coro.hpp>
#include "loggia/chat/contract.hpp"
#include "loggia/kernel/bus.hpp"
#include "plan.hpp"

namespace loggia::simulation {

struct Chance {
  const Plan& plan;
  Dice& dice;
  const bool& faulty;
  bool of(int per_thousand) const { return faulty && per_thousand > 0 && dice.chance(per_thousand); }
};

/// As a transport would: what is known of a call without an answer is in its error (src/kernel/rpc/transport.cpp).
template <class R, class P> Async<typename R::Reply> flaky_call(const Chance* chance, std::shared_ptr<P> port, Context context, R request) {
  const auto& plan = chance->plan;
  const bool changes = !std::string_view(R::route).starts_with("GET ");
  if (chance->of(plan.call_delayed)) {
    const auto waited = co_await sleep_for(milliseconds(chance->dice.between(1, 300)));
    if (!waited) co_return waited.error();
  }
  if (chance->of(plan.call_lost)) co_return Error(Errc::unavailable, "the module cannot be reached");
  auto& slot = static_cast<Slot<R>&>(*port);
  if (chance->of(plan.call_doubled)) {
    auto copy = request;
    auto first = slot.on(context, std::move(copy));
    const auto nobody_hears = co_await std::move(first);
  }
  auto call = slot.on(std::move(context), std::move(request));
  auto reply = co_await std::move(call);
  if (chance->of(plan.answer_lost)) {
    if (changes) co_return Error(Errc::outcome_unknown, "the module gave no answer: it may or may not have happened");
    co_return Error(Errc::unavailable, "the module gave no answer");
  }
  co_return reply;
}

template <class P, class... Rs> struct FlakyPart : P {
  FlakyPart(const Chance& chance, std::shared_ptr<P> port) : chance_{&chance}, port_{std::move(port)} {}
  const Chance* chance_;
  std::shared_ptr<P> port_;
};
template <class P, class R, class... Rest> struct FlakyPart<P, R, Rest...> : FlakyPart<P, Rest...> {
  using FlakyPart<P, Rest...>::FlakyPart;
  using FlakyPart<P, Rest...>::on;
  Async<typename R::Reply> on(Context context, R request) override {
    return flaky_call<R>(this->chance_, this->port_, std::move(context), std::move(request));
  }
};
template <class... Rs> std::shared_ptr<Port<Rs...>> flaky(const Chance& chance, std::shared_ptr<Port<Rs...>> port) {
  return std::make_shared<FlakyPart<Port<Rs...>, Rs...>>(chance, std::move(port));
}

/// The real bus, with a follower's way to it in between.
class Relay final : public Bus {
 public:
  Relay(std::shared_ptr<Bus> bus, std::shared_ptr<Machine> machine, const Chance& chance)
      : bus_{std::move(bus)}, machine_{std::move(machine)}, chance_{chance} {}
  /// The log's reader goes away for a while, and comes back to where it was.
  void away(Instant until) { away_until_ = until; }
  bool empty() const;

  int partitions() const override { return bus_->partitions(); }
  std::shared_ptr<Log> open_log(std::string module, std::shared_ptr<Database> store, std::vector<Topic> topics) override {
    return bus_->open_log(std::move(module), std::move(store), std::move(topics));
  }
  void subscribe(Subscription subscription) override { bus_->subscribe(std::move(subscription)); }
  void follow(std::string topic, std::function<void(const EventPtr&)> handler) override;
  void signal(std::string_view module, std::string_view topic, std::string_view type, std::string key, std::string data,
              std::string traceparent) override {
    bus_->signal(module, topic, type, std::move(key), std::move(data), std::move(traceparent));
  }
  void connect(Elsewhere module) override { bus_->connect(std::move(module)); }
  void follow_log(std::string module, std::string topic, std::function<void(const EventPtr&)> handler) override {
    bus_->follow_log(std::move(module), std::move(topic), std::move(handler));
  }
  milliseconds silent_for(const std::string& module) const override { return bus_->silent_for(module); }
  void mount(Router& router, BusRights rights) override { bus_->mount(router, std::move(rights)); }
  Result<bool> start() override { return bus_->start(); }
  void drain() override { bus_->drain(); }
  void stop() override { bus_->stop(); }
  std::vector<TopicState> topics() override { return bus_->topics(); }
  std::vector<TopicLag> lag() override { return bus_->lag(); }
  std::vector<EventPtr> page(const std::string& topic, const std::string& producer, int partition, std::int64_t after, std::size_t limit) override {
    return bus_->page(topic, producer, partition, after, limit);
  }
  Result<std::int64_t> replay(const std::string& topic, const std::string& group, std::int64_t from, int partition) override {
    return bus_->replay(topic, group, from, partition);
  }
  Result<std::int64_t> replay_dead_letters(const std::string& topic, const std::string& group) override {
    return bus_->replay_dead_letters(topic, group);
  }

 private:
  /// Of one follower.
  struct Way {
    std::function<void(const EventPtr&)> handler;
    std::deque<EventPtr> waiting;
    std::map<int, std::deque<EventPtr>> passed;  // by partition, the last few
    bool scheduled = false;
  };
  void arrived(Way& way, const EventPtr& event);
  void flow(Way& way);
  void schedule(Way& way, Instant delay);
  void pass(Way& way, const EventPtr& event);

  std::shared_ptr<Bus> bus_;
  std::shared_ptr<Machine> machine_;
  const Chance& chance_;
  Instant away_until_ = 0;
  std::deque<Way> ways_;
};

}  // namespace loggia::simulation
