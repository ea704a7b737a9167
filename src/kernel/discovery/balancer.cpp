// Which instance a call goes to, what its end says of the instance, and whether the call goes to another one.
#include <algorithm>
#include <atomic>
#include <boost/asio/this_coro.hpp>
#include <mutex>
#include "discovery/peer.hpp"
#include "discovery/race.hpp"
#include "loggia/kernel/log.hpp"

namespace loggia {
namespace discovery {
namespace {

namespace asio = boost::asio;

/// A caller that waited for less says little of the instance when nothing came.
constexpr milliseconds telling_wait{250};
constexpr milliseconds stop_limit{5000};

milliseconds since(Moment began, Moment now) { return std::chrono::floor<milliseconds>(now - began); }

class Balanced final : public Balancer, public std::enable_shared_from_this<Balanced> {
 public:
  Balanced(BalancerParts parts, BalancerOptions options)
      : parts_{std::move(parts)}, options_{std::move(options)}, budget_{options_, parts_.clock->moment()} {
    retried_ = &parts_.metrics->counter("loggia_call_retries_total", "Calls that were sent to another instance too.", {{"module", parts_.module}});
  }

  /// After the constructor: whoever watches is known weakly.
  void watch() {
    watch_ = parts_.discovery->on_change([weak = weak_from_this(), module = parts_.module](const std::string& changed) {
      if (changed != module) return;
      if (const auto self = weak.lock()) self->reload();
    });
    const auto count = [weak = weak_from_this()](bool healthy) {
      double out = 0;
      if (const auto self = weak.lock())
        for (const auto& one : self->state()) out += !healthy || one.healthy ? 1 : 0;
      return out;
    };
    parts_.metrics->observed("loggia_instances", "Instances of a module that are known.", {{"module", parts_.module}},
                             [count] { return count(false); });
    parts_.metrics->observed("loggia_instances_healthy", "Instances of a module that calls go to.", {{"module", parts_.module}},
                             [count] { return count(true); });
    reload();
  }

  Async<Answer> send(Context context, Call call) override {
    const bool reads = call.reads(), repeatable = call.may_repeat(context);
    const auto affinity = options_.affinity ? options_.affinity(call) : std::string();
    {
      const std::lock_guard lock(mutex_);
      budget_.call(parts_.clock->moment());
    }
    auto sent = repeatable ? raced(std::move(context), std::move(call), affinity, !reads) : once(std::move(context), std::move(call), affinity);
    co_return co_await std::move(sent);
  }

  std::vector<State> state() const override {
    const auto now = parts_.clock->moment();
    std::vector<State> out;
    const std::lock_guard lock(mutex_);
    for (const auto& peer : peers_) {
      State one;
      one.address = peer->address;
      one.healthy = usable(*peer, now, checks());
      one.in_flight = peer->in_flight;
      out.push_back(std::move(one));
    }
    return out;
  }

  void suspect(const std::string& address) override {
    if (!checks() || stopping_) return;
    PeerPtr found;
    {
      const std::lock_guard lock(mutex_);
      for (const auto& peer : peers_)
        if (peer->address == address) found = peer;
    }
    if (found) check_now(found);
  }

  void start() override {
    if (checks()) tasks_.spawn(parts_.shards->executor(0), "rpc.checks", check_all());
  }
  void stop() override {
    stopping_ = true;
    watch_.reset();
    tasks_.cancel();
    if (!tasks_.wait(stop_limit)) log::warn("rpc.task_left", Field("module", parts_.module));
  }

 private:
  /// Counted at the instance until its end, however that comes; a call that never ran tells its race so.
  class Flight {
   public:
    Flight(Balanced& of, PeerPtr peer) : of_{of}, peer_{std::move(peer)} {}
    Flight(const Flight&) = delete;
    ~Flight() {
      {
        const std::lock_guard lock(of_.mutex_);
        --peer_->in_flight;
      }
      if (race && !leg->result) race->finish(*leg, Error(Errc::outcome_unknown, "this process is stopping: it may or may not have happened"));
    }
    const PeerPtr& peer() const { return peer_; }
    std::shared_ptr<Race> race;
    std::shared_ptr<Race::Leg> leg;

   private:
    Balanced& of_;
    const PeerPtr peer_;
  };
  using FlightPtr = std::shared_ptr<Flight>;
  using Tried = std::set<const Peer*>;

  bool checks() const { return options_.check != nullptr; }
  bool time_left(const Context& context) const { return context.deadline() > parts_.clock->moment(); }
  static Error nobody() { return Error(Errc::unavailable, "no instance of the module is known"); }

  FlightPtr take(const Tried& tried, const std::string& affinity) {
    const std::lock_guard lock(mutex_);
    auto peer = choose(peers_, tried, affinity, parts_.clock->moment(), checks(), *parts_.random);
    if (!peer) return nullptr;
    ++peer->in_flight;
    return std::make_shared<Flight>(*this, std::move(peer));
  }

  /// Another instance, as far as there is one and the budget lasts. `spent`: how many were asked before; who was not even reached, or is only
  /// starting or already stopping, did no work and is passed by without counting while another may be well. So a list that names the dead of several
  /// restarts costs no call.
  FlightPtr take_again(const Tried& tried, const std::string& affinity, int spent, bool reached) {
    {
      const auto now = parts_.clock->moment();
      const std::lock_guard lock(mutex_);
      const auto left = [&](const auto& peer) { return !tried.contains(peer.get()); };
      const auto well = [&](const auto& peer) { return left(peer) && usable(*peer, now, checks()); };
      const bool free = !reached && std::any_of(peers_.begin(), peers_.end(), well);
      if (!free && (spent > options_.retries_max || std::none_of(peers_.begin(), peers_.end(), left) || !budget_.take(now))) return nullptr;
    }
    retried_->add();
    return take(tried, affinity);
  }

  Async<Answer> attempt(FlightPtr flight, Context context, Call call, Reach* reach) {
    const auto began = parts_.clock->moment();
    const bool waits = call.route.starts_with("POST /bus/");  // for news of a log
    auto sent = flight->peer()->transport->attempt(std::move(context), std::move(call), reach);
    auto result = co_await std::move(sent);
    settle(flight->peer(), result, *reach, began, waits);
    co_return result;
  }

  /// What may not be sent twice: to another instance only where nothing was begun.
  Async<Answer> once(Context context, Call call, std::string affinity) {
    Tried tried;
    auto flight = take(tried, affinity);
    if (!flight) co_return nobody();
    for (;;) {
      tried.insert(flight->peer().get());
      auto reach = Reach::untried;
      auto sent = attempt(flight, context, call, &reach);
      auto result = co_await std::move(sent);
      if (result || !not_begun(reach) || result.error().code != Errc::unavailable || !time_left(context)) co_return result;
      flight = take_again(tried, affinity, static_cast<int>(tried.size()), false);
      if (!flight) co_return result;
    }
  }

  Async<Answer> raced(Context context, Call call, std::string affinity, bool changes) {
    auto executor = co_await asio::this_coro::executor;
    auto race = std::make_shared<Race>(executor);
    Tried tried;
    auto flight = take(tried, affinity);
    if (!flight) co_return nobody();
    if (!changes && options_.hedge_after.count() > 0) tasks_.spawn(executor, "rpc.hedge", hedge(race));
    for (;;) {
      if (flight) {
        tried.insert(flight->peer().get());
        flight->race = race;
        flight->leg = race->add(flight->peer());
        enter(flight->peer(), race);
        tasks_.spawn(executor, "rpc.attempt", leg(std::move(flight), context, call));
        flight = nullptr;
      }
      co_await race->news();
      if (auto answer = race->answer(changes)) co_return std::move(*answer);
      if (!race->wants_another()) continue;
      if (time_left(context)) flight = take_again(tried, affinity, race->reached(), race->last_reached());
      if (!flight && !race->running()) co_return race->failure(changes);
    }
  }

  asio::awaitable<void> leg(FlightPtr flight, Context context, Call call) {
    const auto at = flight->leg;
    auto sent = attempt(flight, std::move(context), std::move(call), &at->reach);
    auto result = co_await std::move(sent);
    flight->race->finish(*at, std::move(result));
  }

  asio::awaitable<void> hedge(std::shared_ptr<Race> race) {
    auto waited = co_await sleep_for(options_.hedge_after);
    if (waited) race->hasten();
  }

  void enter(const PeerPtr& peer, const std::shared_ptr<Race>& race) {
    const std::lock_guard lock(mutex_);
    std::erase_if(peer->races, [](const auto& one) { return one.expired(); });
    peer->races.push_back(race);
  }

  /// `waits`: the call waited there for something to happen, so that its time says nothing.
  void settle(const PeerPtr& peer, const Result<Answer>& result, Reach reach, Moment began, bool waits) {
    if (stopping_) return;  // a call that was ended by us says nothing of the instance
    const auto now = parts_.clock->moment();
    auto news = News::nothing;
    {
      const std::lock_guard lock(mutex_);
      count(*peer, result);
      const bool bad = !result && (result.error().code == Errc::internal || result.error().code == Errc::unavailable);
      if (reach == Reach::untried || (reach == Reach::late && since(began, now) < telling_wait)) return;
      if (reach == Reach::answered && !bad) news = answered(*peer, now, waits ? std::nullopt : std::optional(since(began, now)));
      else news = failed(*peer, reach, now, others_usable(*peer, now), options_);
    }
    tell(peer, news);
    if (reach == Reach::lost && checks()) check_now(peer);  // one connection that broke need not be the end of all
  }

  bool others_usable(const Peer& than, Moment now) const {
    return std::any_of(peers_.begin(), peers_.end(), [&](const auto& peer) { return peer.get() != &than && usable(*peer, now, checks()); });
  }

  void count(Peer& peer, const Result<Answer>& result) {
    const std::string_view word = result ? "ok" : fault(result.error().code).code;
    auto*& counter = peer.results[word];
    if (!counter)
      counter = &parts_.metrics->counter("loggia_calls_total", "Calls to instances of a module, retries too, by what came of them.",
                                         {{"module", parts_.module}, {"instance", peer.address}, {"result", std::string(word)}});
    counter->add();
  }

  void tell(const PeerPtr& peer, News news) {
    if (news == News::back) log::info("rpc.instance_back", Field("module", parts_.module), Field("instance", peer->address));
    if (news != News::out) return;
    bool awaited = false, gone = false;
    {
      const std::lock_guard lock(mutex_);
      awaited = peer->heard == Moment();  // processes of a set start in any order
      gone = peer->gone;
    }
    if (awaited) log::info("rpc.instance_awaited", Field("module", parts_.module), Field("instance", peer->address));
    else log::warn("rpc.instance_out", Field("module", parts_.module), Field("instance", peer->address), Field("reached", !gone));
    lose(peer);
  }

  /// Who waits for an answer of that instance may try another.
  void lose(const PeerPtr& peer) {
    std::vector<std::weak_ptr<Race>> races;
    {
      const std::lock_guard lock(mutex_);
      races.swap(peer->races);
    }
    for (const auto& one : races)
      if (const auto race = one.lock()) race->lose(peer);
  }

  asio::awaitable<void> check_all() {
    for (;;) {
      auto waited = co_await sleep_for(options_.check_every);
      if (!waited) co_return;
      PeerList due;
      {
        const auto now = parts_.clock->moment();
        const std::lock_guard lock(mutex_);
        for (const auto& peer : peers_)
          if (peer->out || now - peer->heard >= options_.check_every) due.push_back(peer);
      }
      for (const auto& peer : due) check_now(peer);
    }
  }

  void check_now(const PeerPtr& peer) {
    {
      const std::lock_guard lock(mutex_);
      if (std::exchange(peer->checking, true)) return;
    }
    tasks_.spawn(parts_.shards->executor(0), "rpc.check", check(peer));
  }

  asio::awaitable<void> check(PeerPtr peer) {
    auto asked = options_.check(peer->transport);
    auto well = co_await std::move(asked);
    auto news = News::nothing;
    {
      const std::lock_guard lock(mutex_);
      peer->checking = false;
      news = checked(*peer, well && *well, parts_.clock->moment(), options_);
    }
    tell(peer, news);
  }

  void reload() {
    const auto addresses = parts_.discovery->instances(parts_.module);
    PeerList left;
    {
      const std::lock_guard lock(mutex_);
      PeerList now;
      for (const auto& address : addresses) {
        const auto known = std::find_if(peers_.begin(), peers_.end(), [&](const auto& peer) { return peer->address == address; });
        auto peer = known == peers_.end() ? made(address) : *known;
        if (peer) now.push_back(std::move(peer));
      }
      for (const auto& peer : peers_)
        if (std::find(now.begin(), now.end(), peer) == now.end()) left.push_back(peer);
      peers_ = std::move(now);
    }
    for (const auto& peer : left) lose(peer);
  }

  PeerPtr made(const std::string& address) {
    auto transport = parts_.connect(address);
    if (!transport) {
      log::warn("rpc.no_address", Field("module", parts_.module), Field("instance", address), Field("why", transport.error().detail));
      return nullptr;
    }
    auto peer = std::make_shared<Peer>();
    peer->address = address;
    peer->transport = std::move(*transport);
    peer->ejected = &parts_.metrics->counter("loggia_instance_ejections_total", "Times that an instance was left out.",
                                             {{"module", parts_.module}, {"instance", address}});
    return peer;
  }

  const BalancerParts parts_;
  const BalancerOptions options_;
  Counter* retried_ = nullptr;
  std::atomic<bool> stopping_{false};
  mutable std::mutex mutex_;
  PeerList peers_;
  RetryBudget budget_;
  Discovery::Watch watch_;
  Tasks tasks_;
};

Async<bool> healthy(std::shared_ptr<Clock> clock, milliseconds limit, std::shared_ptr<InstanceTransport> transport) {
  const auto context = Context().until(clock->moment() + limit);
  Call call;
  call.route = "GET /bus/health";
  auto reach = Reach::untried;
  auto asked = transport->attempt(context, std::move(call), &reach);
  auto answer = co_await std::move(asked);
  co_return reach == Reach::answered && (answer || answer.error().code != Errc::unavailable);
}

}  // namespace
}  // namespace discovery

std::function<Async<bool>(std::shared_ptr<InstanceTransport>)> health_check(std::shared_ptr<Clock> clock, milliseconds limit) {
  return [clock = std::move(clock), limit](std::shared_ptr<InstanceTransport> transport) {
    return discovery::healthy(clock, limit, std::move(transport));
  };
}

std::function<std::string(const Call&)> affinity_after(std::vector<std::string> beginnings) {
  return [beginnings = std::move(beginnings)](const Call& call) {
    const auto path = std::string_view(call.route).substr(std::min(call.route.find(' ') + 1, call.route.size()));
    for (const auto& beginning : beginnings) {
      if (!path.starts_with(beginning + '{')) continue;
      const auto name = path.substr(beginning.size() + 1, path.find('}') - beginning.size() - 1);
      for (const auto& [parameter, value] : call.path)
        if (parameter == name) return value;
    }
    return std::string();
  };
}

std::shared_ptr<Balancer> balanced_transport(BalancerParts parts, BalancerOptions options) {
  auto out = std::make_shared<discovery::Balanced>(std::move(parts), std::move(options));
  out->watch();
  return out;
}

}  // namespace loggia
