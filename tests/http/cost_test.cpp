// What a WebSocket costs, in memory: a frame that is shared none, an idle one what stands in docs/performance.md.
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

}  // namespace
}  // namespace loggia::http::of_cost
