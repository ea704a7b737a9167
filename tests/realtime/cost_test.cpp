// What a reader costs, in memory: a delivery none, an idle connection what stands in docs/performance.md.
#include "session.hpp"
#include "support/allocations.hpp"
#include "world.hpp"

namespace loggia::realtime::test {
namespace {

// Thousands of connections idle: who adds a field sees what it costs.
static_assert(sizeof(Session) <= 384);
static_assert(sizeof(Reader) <= 32 && sizeof(Place) <= 16);

#ifdef LOGGIA_COUNTS_ALLOCATIONS
/// Allocations of one message to a room with so many readers, from the bus to the sockets.
std::uint64_t of_a_message(int readers) {
  World world;
  std::vector<UserId> users;
  for (int n = 0; n < readers; ++n) users.push_back(world.user(""));
  const auto room = world.room(users);
  std::vector<std::shared_ptr<Client>> clients;
  for (const auto& user : users) clients.push_back(world.online(user));
  for (const auto& client : clients) client->deaf = true;
  world.mute = true;
  const auto post = [&] {
    const auto seq = world.post(room, users[0], std::string(200, 'x'));
    const auto before = loggia::test::allocations();
    world.deliver(room, seq);
    world.advance(milliseconds(10));
    return loggia::test::allocations() - before;
  };
  for (int n = 0; n < 5; ++n) post();
  const auto counted = post();
  for (const auto& client : clients) CHECK(client->heard > 6 * 200);
  return counted;
}

TEST_CASE("a delivery allocates nothing: a message to sixty readers takes as much memory as one to two") {
  const auto few = of_a_message(2);
  CHECK(few > 0);
  CHECK(of_a_message(60) == few);
}
#endif

}  // namespace
}  // namespace loggia::realtime::test
