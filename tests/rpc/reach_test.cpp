// How far a call came, which a balancer is told beside the result.
#include <doctest/doctest.h>
#include <atomic>
#include "kernel/fixtures.hpp"
#include "loggia/kernel/rpc.hpp"
#include "rpc/peer.hpp"

using namespace loggia;
using namespace loggia::rpc::testing;
using Reach = InstanceTransport::Reach;

namespace {

Reach reach_of(const std::string& address, std::string body = std::string(), milliseconds limit = milliseconds(10000)) {
  const auto shards = thread_shards(1);
  const std::shared_ptr<Clock> clock = system_clock();
  RpcTransportOptions options;
  options.address = address;
  options.request_max = 1000;
  auto reach = Reach::untried;
  {
    const auto transport = rpc_transport(std::move(options), shards, clock).value();
    Call call;
    call.route = "POST /books";
    call.body = std::move(body);
    static_cast<void>(loggia::testing::run_on(*shards, transport->attempt(Context().until(clock->moment() + limit), std::move(call), &reach)));
  }
  stop_shards(*shards);
  return reach;
}

}  // namespace

TEST_CASE("a call that no connection could be made for was not sent") {
  std::uint16_t port = 0;
  const int bound = loopback_socket(port);
  CHECK(reach_of(address_of(port)) == Reach::unsent);
  ::close(bound);
}

TEST_CASE("a call whose connection ended is lost, one without an answer in time is late, an error is an answer") {
  Peer hangs_up([](Line& line) { line.request(); });
  CHECK(reach_of(hangs_up.address()) == Reach::lost);
  Peer breaks([](Line& line) {
    line.request();
    line.send("HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n{");
  });
  CHECK(reach_of(breaks.address()) == Reach::lost);
  Peer silent([](Line& line) { line.until_closed(); });
  CHECK(reach_of(silent.address(), std::string(), milliseconds(100)) == Reach::late);
  Peer refuses([](Line& line) {
    line.request();
    line.send("HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n");
    line.until_closed();
  });
  CHECK(reach_of(refuses.address()) == Reach::answered);
}

TEST_CASE("a process that does not serve yet turns calls away, unbegun, and answers what is always answered") {
  const auto shards = thread_shards(1);
  const std::shared_ptr<Clock> clock = system_clock();
  std::atomic<bool> serving{false};
  RpcListenerOptions options;
  options.serving = [&serving] { return serving.load(); };
  const auto listener = rpc_listener(std::move(options), shards, clock, std::make_shared<Metrics>());
  std::atomic<int> begun{0};
  const auto busy = [&begun](const Context&, const Call&) -> Async<Answer> {
    ++begun;
    co_return Error(Errc::unavailable, "the module's own");
  };
  RouteInfo books, health;
  books.route = "POST /books";
  health.route = "GET /bus/health";
  listener->on(books, busy);
  listener->always().on(health, busy);
  REQUIRE(listener->start());
  RpcTransportOptions to;
  to.address = listener->address();
  auto transport = rpc_transport(std::move(to), shards, clock).value();
  const auto reach_on = [&](std::string_view route) {
    Call call;
    call.route = route;
    auto reach = Reach::untried;
    CHECK(loggia::testing::run_on(*shards, transport->attempt(Context(), std::move(call), &reach)).error().code == Errc::unavailable);
    return reach;
  };
  CHECK(reach_on("POST /books") == Reach::turned_away);
  CHECK(begun == 0);
  CHECK(reach_on("GET /bus/health") == Reach::answered);
  serving = true;
  CHECK(reach_on("POST /books") == Reach::answered);
  CHECK(begun == 2);
  transport = nullptr;
  listener->stop();
  stop_shards(*shards);
}

TEST_CASE("a call that was never begun says nothing of the instance") {
  CHECK(reach_of("127.0.0.1:1", std::string(), milliseconds(0)) == Reach::untried);
  CHECK(reach_of("127.0.0.1:1", std::string(2000, 'x')) == Reach::untried);
}
