// What a WebSocket costs, in memory: a frame that is shared none, an idle one what stands in docs/performance.md.
#include <malloc.h>
#include <algorithm>
#include "fixture.hpp"
#include "http/websocket.hpp"
#include "support/allocations.hpp"

namespace loggia::http::of_cost {
namespace {

static_assert(sizeof(WebSocketConnection) <= 584);
static_assert(sizeof(Stream) <= 96 && sizeof(FrameReader) <= 128);

#ifdef LOGGIA_COUNTS_ALLOCATIONS
/// Allocations of a turn of the loop in which so many sockets of one shard are sent a frame.
std::uint64_t of_a_turn(std::size_t count) {
  Listening here;
  std::vector<std::unique_ptr<RawClient>> clients;
  std::vector<std::shared_ptr<WebSocket>> sockets;
  std::vector<RawClient*> theirs;
  while (sockets.size() < count) {
    auto& client = *clients.emplace_back(std::make_unique<RawClient>(here.server->address()));
    client.send(here.connect_text());
    client.take_until("\r\n\r\n");
    const auto socket = here.sockets->all().back();
    if (socket->shard() != 0) continue;
    sockets.push_back(socket);
    theirs.push_back(&client);
  }
  const auto frame = std::make_shared<const std::string>(frame_text("hello"));
  // Counted from before it is queued until it was written, which the clients have seen.
  const auto turn = [&] {
    std::uint64_t before = 0, after = 0;
    here.on_shards([&] {
      before = loggia::test::allocations();
      for (const auto& socket : sockets) socket->send(frame);
    });
    for (auto* client : theirs) CHECK(client->frame().second == "hello");
    here.on_shards([&] { after = loggia::test::allocations(); });
    return after - before;
  };
  auto least = turn();  // a timer of the shard may come between
  for (int n = 0; n < 10; ++n) least = std::min(least, turn());
  return least;
}

TEST_CASE("a shared frame is queued and written without an allocation: for eight sockets as many as for one") { CHECK(of_a_turn(8) == of_a_turn(1)); }
#endif

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
TEST_CASE("a connection that was said much keeps no memory of it") {
  Listening here;
  constexpr std::size_t count = 40, much = 50000;
  std::vector<std::unique_ptr<RawClient>> clients;
  const auto used = [&] {
    here.on_shards([] {});
    std::size_t theirs = 0;
    for (const auto& client : clients) theirs += client->memory();
    return static_cast<std::int64_t>(::mallinfo2().uordblks) - static_cast<std::int64_t>(theirs);
  };
  const auto request = [&](RawClient& client) {
    client.send("POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: " + std::to_string(much) + "\r\n\r\n");
    client.send(std::string(much, 'x'));
    CHECK(client.response().body.size() == much);
  };
  // A message of fragments that come one by one, and a control frame in pieces.
  const auto message = [&](RawClient& client) {
    client.send(here.connect_text());
    client.take_until("\r\n\r\n");
    ClientFrame first, last;
    first.fin = false;
    last.opcode = 0;
    client.send(client_frame(std::string(900, 'x'), first));
    ClientFrame ping;
    ping.opcode = 9;
    const auto control = client_frame(std::string(100, 'p'), ping);
    client.send(control.substr(0, 80));
    here.on_shards([] {});
    client.send(control.substr(80));
    CHECK(client.frame().second.size() == 100);
    client.send(client_frame(std::string(90, 'x'), last));
    CHECK(client.frame().second.size() == 990);
  };
  const auto cost = [&](auto say) {
    for (std::size_t n = 0; n < 4; ++n) say(*clients.emplace_back(std::make_unique<RawClient>(here.server->address())));  // what is made once
    const auto before = used();
    for (std::size_t n = 0; n < count; ++n) say(*clients.emplace_back(std::make_unique<RawClient>(here.server->address())));
    const auto after = used();
    return (after - before) / static_cast<std::int64_t>(count);
  };
  const auto of_request = cost(request), of_message = cost(message);
  MESSAGE("bytes each: " << of_request << " of HTTP, " << of_message << " of a WebSocket");
  CHECK(of_request < 2048);
  CHECK(of_message < 2048);
}
#endif

}  // namespace
}  // namespace loggia::http::of_cost
