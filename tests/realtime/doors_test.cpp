// Both ends of realtime's tunnel: what the gateway offers where realtime is elsewhere leads to where realtime takes sockets.
#include <doctest/doctest.h>
#include "http/raw_client.hpp"
#include "loggia/kernel/rpc.hpp"
#include "loggia/realtime/contract.hpp"
#include "loggia/realtime/module.hpp"
#include "support/fakes.hpp"

namespace loggia::realtime::of_doors {
namespace {

struct Reached final : Doors {
  boost::asio::awaitable<std::optional<HttpResponse>> enter(std::shared_ptr<Upgrade> upgrade, std::string address, Trace trace) override {
    HttpResponse response;
    response.status = 418;
    response.body = std::string(upgrade->request().header("sec-websocket-protocol")) + " from " + address + " in " + trace.id;
    co_return response;
  }
};

struct Here final : TunnelPeers {
  std::vector<std::string> addresses() const override { return {address}; }
  void failed(const std::string&) override {}
  std::string address;
};

TEST_CASE("where realtime is elsewhere its door is a tunnel to where it takes sockets") {
  const auto descriptor = module();
  loggia::test::FakeKernel there, here;
  there.kernel.ports.offer<Doors>(std::make_shared<Reached>());
  const auto shards = thread_shards(1);
  const auto listener = rpc_listener(RpcListenerOptions(), shards, system_clock(), there.kernel.metrics);
  listener->on_upgrade(descriptor.sockets.path, descriptor.sockets.take(there.kernel));
  REQUIRE(listener->start());

  const auto peers = std::make_shared<Here>();
  peers->address = listener->address();
  TunnelOptions options;
  options.module = descriptor.name;
  options.path = descriptor.sockets.path;
  options.peers = peers;
  descriptor.sockets.connect(tunnels(std::move(options), shards, system_clock(), here.random, *here.kernel.metrics), here.kernel.ports);
  const auto doors = here.kernel.ports.get<Doors>();
  HttpHandlers handlers;
  handlers.upgrade = [doors](std::shared_ptr<Upgrade> upgrade) {
    Trace trace;
    trace.id = "0af7651916cd43dd8448eb211c80319c";
    trace.span = "b7ad6b7169203331";
    return doors->enter(std::move(upgrade), "2001:db8::7", std::move(trace));
  };
  const auto gateway = http_server(HttpServerOptions(), shards, system_clock(), *here.kernel.metrics, std::move(handlers));
  REQUIRE(gateway->start());
  http::RawClient client(gateway->address());
  client.send(
      "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: loggia.v1\r\n"
      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n");
  const auto answer = client.response();
  CHECK(answer.status == 418);
  CHECK(answer.body == "loggia.v1 from 2001:db8::7 in 0af7651916cd43dd8448eb211c80319c");
  gateway->stop();
  listener->stop();
  stop_shards(*shards);
}

}  // namespace
}  // namespace loggia::realtime::of_doors
