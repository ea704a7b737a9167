#pragma once
// A module with a few instances that do what a test says, a balancer over them, and time that the test moves.
#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include "discovery/directory.hpp"
#include "support/fakes.hpp"
#include "tasks/virtual_time.hpp"

namespace loggia::test {

namespace asio = boost::asio;
using Reach = InstanceTransport::Reach;

/// sleep_for() of coroutines on the shards, by the test's clock.
inline Async<bool> sleep_by(InlineShards* shards, milliseconds duration) {
  auto executor = co_await asio::this_coro::executor;
  auto timer = std::make_shared<asio::steady_timer>(executor, asio::steady_timer::time_point::max());
  auto over = std::make_shared<bool>(false);
  const auto handle = shards->after(0, duration, [timer, over] {
    *over = true;
    timer->cancel();
  });
  boost::system::error_code ended;
  co_await timer->async_wait(asio::redirect_error(asio::use_awaitable, ended));
  if (!*over) co_return Error(Errc::unavailable, "cancelled");
  co_return true;
}

struct FakeInstance final : InstanceTransport {
  enum class Does { answers, refuses, turns_away, loses, hangs };
  Does does = Does::answers;
  Result<Answer> answer = Answer();
  std::function<milliseconds()> takes = [] { return milliseconds(0); };
  std::shared_ptr<Clock> clock;
  int calls = 0, checks = 0, under_way = 0, most_under_way = 0;
  std::vector<Context> seen;

  Async<Answer> attempt(Context context, Call call, Reach* reach) override {
    const bool check = call.route == "GET /bus/health", changes = !call.route.starts_with("GET ");
    ++(check ? checks : calls);
    if (!check) seen.push_back(context);
    most_under_way = std::max(most_under_way, ++under_way);
    struct Leave {
      explicit Leave(int* of) : count{of} {}
      ~Leave() { --*count; }
      int* count;
    };
    const Leave leave(&under_way);
    if (does == Does::refuses) {
      *reach = Reach::unsent;
      co_return Error(Errc::unavailable, "the module cannot be reached");
    }
    if (does == Does::turns_away) {
      *reach = check ? Reach::answered : Reach::turned_away;
      co_return Error(Errc::unavailable, "the module is starting or stopping");
    }
    const auto deadline = std::min(context.deadline(), clock->moment() + milliseconds(30000));
    auto time = does == Does::hangs ? milliseconds(86400000) : check ? milliseconds(0) : takes();
    const auto left = std::chrono::ceil<milliseconds>(deadline - clock->moment());
    const bool late = time >= left;
    if (late) time = left;
    if (time.count() > 0) {
      auto slept = co_await sleep_for(time);
      if (!slept) does = Does::loses;  // as a connection that this process closes
    }
    *reach = does == Does::loses ? Reach::lost : late ? Reach::late : Reach::answered;
    if (does == Does::loses && changes) co_return Error(Errc::outcome_unknown, "the module gave no answer: it may or may not have happened");
    if (does == Does::loses) co_return Error(Errc::unavailable, "the module gave no answer");
    if (late) co_return Error(Errc::timeout, "the module did not answer in time");
    co_return check ? Result<Answer>(Answer()) : answer;
  }
};

class FakeDiscovery final : public Discovery {
 public:
  discovery::Directory directory;
  Result<bool> start(std::vector<Instance>) override { return true; }
  void stop() override {}
  std::vector<std::string> instances(const std::string& module) const override { return directory.instances(module); }
  Watch on_change(std::function<void(const std::string& module)> handler) override { return directory.watch(std::move(handler)); }
  std::string trouble() const override { return std::string(); }
};

struct Balance {
  std::shared_ptr<FakeClock> clock = std::make_shared<FakeClock>();
  std::shared_ptr<InlineShards> shards = std::make_shared<InlineShards>(clock);
  std::shared_ptr<FakeRandom> random = std::make_shared<FakeRandom>(7);
  std::shared_ptr<Metrics> metrics = std::make_shared<Metrics>();
  std::shared_ptr<FakeDiscovery> discovery = std::make_shared<FakeDiscovery>();
  std::map<std::string, std::shared_ptr<FakeInstance>> instances;
  BalancerOptions options;
  std::shared_ptr<Balancer> balancer;

  explicit Balance(const std::vector<std::string>& names) {
    auto sleep = [shards = shards.get()](milliseconds duration) { return sleep_by(shards, duration); };
    asio::make_service<VirtualTime>(asio::query(shards->executor(0), asio::execution::context), std::move(sleep));
    for (const auto& name : names) add(name);
    discovery->directory.replace("chat", names);
  }
  ~Balance() {
    if (balancer) blocking(*shards, [&] { balancer->stop(); });
  }
  void add(const std::string& name) {
    instances[name] = std::make_shared<FakeInstance>();
    instances[name]->clock = clock;
  }
  FakeInstance& operator[](const std::string& name) { return *instances.at(name); }
  void with_checks() { options.check = health_check(clock, milliseconds(1000)); }
  Balancer& made() {
    if (balancer) return *balancer;
    BalancerParts parts;
    parts.module = "chat";
    parts.discovery = discovery;
    parts.connect = [this](const std::string& address) -> Result<std::shared_ptr<InstanceTransport>> {
      std::shared_ptr<InstanceTransport> out = instances.at(address);
      return out;
    };
    parts.shards = shards;
    parts.clock = clock;
    parts.random = random;
    parts.metrics = metrics;
    balancer = balanced_transport(std::move(parts), options);
    balancer->start();
    return *balancer;
  }

  struct Sent {
    std::optional<Result<Answer>> result;
    Moment began, ended;
    bool ok() const { return result && result->has_value(); }
    Errc code() const { return result->error().code; }
    milliseconds took() const { return std::chrono::floor<milliseconds>(ended - began); }
  };
  using SentPtr = std::shared_ptr<Sent>;
  /// Begins; its end comes as the test moves the clock.
  SentPtr begin(Call call, const Context& context) {
    auto sent = std::make_shared<Sent>();
    sent->began = clock->moment();
    asio::co_spawn(shards->executor(0), made().send(context, std::move(call)), [sent, this](const std::exception_ptr&, Result<Answer> result) {
      sent->result.emplace(std::move(result));
      sent->ended = clock->moment();
    });
    shards->run();
    return sent;
  }
  SentPtr get(milliseconds within = milliseconds(10000)) {
    Call call;
    call.route = "GET /rooms/{room}";
    return begin(std::move(call), Context().until(clock->moment() + within));
  }
  SentPtr post(bool keyed, milliseconds within = milliseconds(10000)) {
    Call call;
    call.route = "POST /rooms";
    call.keyed = keyed;
    auto context = Context().until(clock->moment() + within);
    return begin(std::move(call), keyed ? context.keyed("k") : context);
  }
  SentPtr named() {
    Call call;
    call.route = "POST /rooms/{room}/messages";
    call.repeatable = true;
    return begin(std::move(call), Context().until(clock->moment() + milliseconds(10000)));
  }
  bool healthy(const std::string& name) {
    for (const auto& one : made().state())
      if (one.address == name) return one.healthy;
    return false;
  }
  void pass(int ms) { shards->advance(milliseconds(ms)); }
};

}  // namespace loggia::test
