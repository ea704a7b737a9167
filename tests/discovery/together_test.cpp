// The balancer over real connections, called from all shards at once.
#include <doctest/doctest.h>
#include <atomic>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_future.hpp>
#include <future>
#include "discovery/directory.hpp"
#include "discovery/waiting.hpp"
#include "support/print.hpp"

using namespace loggia;
using test::in_time;

namespace {

namespace asio = boost::asio;

Async<Answer> nothing_but_this(std::atomic<int>* count, std::string body) {
  ++*count;
  Answer out;
  out.body = std::move(body);
  co_return out;
}

/// A process that serves the module.
struct Server {
  std::shared_ptr<Clock> clock = system_clock();
  std::shared_ptr<Shards> shards = thread_shards(1);
  std::atomic<int> calls{0};
  std::shared_ptr<RpcListener> listener;

  explicit Server(const std::string& listen = "127.0.0.1:0") {
    RpcListenerOptions options;
    options.listen = listen;
    listener = rpc_listener(std::move(options), shards, clock, std::make_shared<Metrics>());
    for (const char* route : {"GET /rooms/{room}", "POST /rooms", "GET /bus/health"}) {
      RouteInfo info;
      info.route = route;
      info.access = Access::internal;
      info.idempotent = true;
      const bool counts = std::string_view(route) != "GET /bus/health";
      listener->on(std::move(info), [this, counts](Context, Call) { return nothing_but_this(counts ? &calls : &unseen, "{}"); });
    }
    REQUIRE(listener->start());
    address = listener->address();
  }
  ~Server() { kill(); }
  void kill() {
    if (!listener) return;
    listener->stop();
    stop_shards(*shards);
    listener.reset();
  }
  std::string address;
  std::atomic<int> unseen{0};
};

struct Client {
  std::shared_ptr<Clock> clock = system_clock();
  std::shared_ptr<Shards> shards = thread_shards(4);
  std::shared_ptr<Balancer> balancer;

  explicit Client(const std::vector<std::string>& addresses) {
    BalancerParts parts;
    parts.module = "chat";
    parts.discovery = static_discovery({{"chat", addresses}});
    parts.connect = [this](const std::string& address) {
      RpcTransportOptions options;
      options.address = address;
      return rpc_transport(std::move(options), shards, clock);
    };
    parts.shards = shards;
    parts.clock = clock;
    parts.random = system_random();
    parts.metrics = std::make_shared<Metrics>();
    BalancerOptions options;
    options.check = health_check(clock, milliseconds(1000));
    options.check_every = milliseconds(50);
    balancer = balanced_transport(std::move(parts), std::move(options));
    balancer->start();
  }
  ~Client() {
    balancer->stop();
    stop_shards(*shards);
  }
  asio::awaitable<int> call_on(const std::atomic<bool>* ended, std::atomic<int>* sent) {
    int failed = 0;
    for (int number = 0; !*ended; ++number) {
      Call call;
      call.route = number % 2 == 0 ? "GET /rooms/{room}" : "POST /rooms";
      call.keyed = true;
      if (number % 2 == 0) call.path.emplace_back("room", "r");
      const auto context = Context().until(clock->moment() + milliseconds(20000)).keyed("k");
      auto asked = balancer->send(context, std::move(call));
      auto answer = co_await std::move(asked);
      if (!answer) ++failed;
      ++*sent;
    }
    co_return failed;
  }
  bool healthy(const std::string& address) const {
    for (const auto& one : balancer->state())
      if (one.address == address) return one.healthy;
    return false;
  }
};

}  // namespace

TEST_CASE("an instance that is killed under load costs no call that may be sent again, gets nothing more, and is used again when it is back") {
  Server a, b, c;
  Client client({a.address, b.address, c.address});
  std::atomic<bool> ended{false};
  std::atomic<int> sent{0};
  std::vector<std::future<int>> all;
  for (std::size_t shard = 0; shard < 4; ++shard)
    for (int loop = 0; loop < 4; ++loop)
      all.push_back(asio::co_spawn(client.shards->executor(shard), client.call_on(&ended, &sent), asio::use_future));
  CHECK(in_time([&] { return a.calls > 50 && b.calls > 50 && c.calls > 50; }));
  b.kill();
  CHECK(in_time([&] { return !client.healthy(b.address); }));
  const int from = sent;
  CHECK(in_time([&] { return sent > from + 500; }));
  Server again(b.address);
  CHECK(in_time([&] { return again.calls > 50; }));
  ended = true;
  for (auto& one : all) CHECK(one.get() == 0);
  CHECK(client.healthy(b.address));
}
