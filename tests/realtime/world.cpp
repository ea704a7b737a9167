#include "world.hpp"
#include "doors.hpp"
#include "ears.hpp"
#include "loggia/chat/events.hpp"
#include "loggia/realtime/events.hpp"
#include "node.hpp"
#include "peers.hpp"
#include "support/fakes.hpp"

namespace loggia::realtime::test {

struct World::Inside {
  explicit Inside(World& world)
      : chat{std::make_shared<Chat>(world)}, verifier{std::make_shared<Verifier>(world)}, directory{std::make_shared<Directory>(world)} {}
  std::shared_ptr<loggia::test::FakeClock> clock = std::make_shared<loggia::test::FakeClock>();
  std::shared_ptr<loggia::test::FakeRandom> random = std::make_shared<loggia::test::FakeRandom>();
  std::shared_ptr<loggia::test::InlineShards> shards = std::make_shared<loggia::test::InlineShards>(clock, 2);
  Ids ids{*clock, *random};
  Metrics metrics;
  EchoBus bus;
  std::shared_ptr<Chat> chat;
  std::shared_ptr<Verifier> verifier;
  std::shared_ptr<Directory> directory;
  auth::Verifier::Watch watch;
  std::vector<std::shared_ptr<Client>> clients;
};

World::World(Options options) : inside_{std::make_unique<Inside>(*this)} {
  hub = std::make_shared<Hub>(inside_->metrics);
  hub->clock = inside_->clock;
  hub->random = inside_->random;
  hub->shards = inside_->shards;
  hub->bus = &inside_->bus;
  hub->live = inside_->chat;
  hub->reading = inside_->chat;
  hub->rooms = inside_->chat;
  hub->directory = inside_->directory;
  hub->verifier = inside_->verifier;
  hub->options = std::move(options);
  hub->options.settle = milliseconds(0);
  hub->instance = "here";
  hub->make_nodes();
  inside_->bus.heard = &signals;
  listen(hub, inside_->bus);
  inside_->watch = watch_revocations(hub);
  hub->running = true;
  for (const auto& node : hub->nodes) node->mail([](Node& here) { here.begin(); });
  run();
}

World::~World() {
  release();
  hub->tasks.cancel();
  run();
  hub->running = false;
  for (const auto& node : hub->nodes) node->mail([](Node& here) { here.end(); });
  run();
}

UserId World::user(const std::string&) {
  const auto id = inside_->ids.make<UserId>();
  sessions[id.text()] = inside_->ids.make<SessionId>();
  sessions[id.text() + "/2"] = inside_->ids.make<SessionId>();
  sessions[id.text() + "/fresh"] = sessions[id.text()];
  return id;
}

RoomId World::room(const std::vector<UserId>& members, const std::string& kind) {
  const auto id = inside_->ids.make<RoomId>();
  rooms[id].id = id;
  rooms[id].kind = kind;
  for (const auto& user : members) join(id, user);
  return id;
}

std::int64_t World::append(const RoomId& room, const std::string& ev, const UserId& by, const std::string& data) {
  auto& events = rooms.at(room).events;
  chat::TimelineFrame frame;
  frame.ev = ev;
  frame.room = room;
  frame.seq = static_cast<std::int64_t>(events.size()) + 1;
  frame.by = by;
  frame.at = now();
  frame.data = RawJson(data);
  events.push_back(encode(frame));
  if (!mute) deliver(room, frame.seq);
  return frame.seq;
}

void World::deliver(const RoomId& room, std::int64_t seq) {
  const auto& text = rooms.at(room).events.at(static_cast<std::size_t>(seq - 1));
  bus("new-messages", json::parse(text)["ev"].get<std::string>(), room.text(), text);
}

std::int64_t World::post(const RoomId& room, const UserId& by, const std::string& text) {
  return append(room, "message.created", by, json({{"text", text}}).dump());
}

std::int64_t World::join(const RoomId& room, const UserId& user) {
  rooms.at(room).members[user] = "member";
  return append(room, "member.joined", user, json({{"user_id", user.text()}, {"role", "member"}}).dump());
}

std::int64_t World::remove(const RoomId& room, const UserId& user, const std::string& why) {
  rooms.at(room).members.erase(user);
  rooms.at(room).gone[user] = why;
  return append(room, "member.left", user, json({{"user_id", user.text()}, {"why", why}}).dump());
}

std::int64_t World::erase(const RoomId& room, const UserId& by) {
  rooms.at(room).deleted = true;
  return append(room, "room.deleted", by, "{}");
}

void World::moved(const RoomId& room, const UserId& user, std::int64_t seq) {
  rooms.at(room).read[user] = seq;
  chat::ReceiptMoved event;
  event.room = room;
  event.user_id = user;
  event.seq = seq;
  event.at = now();
  bus("read-receipts", "receipt.moved", room.text(), encode(event));
}

void World::bus(const std::string& topic, const std::string& type, const std::string& key, const std::string& data) {
  inside_->bus.deliver(EchoBus::event(topic, type, key, data));
}

std::shared_ptr<Client> World::connect(std::size_t shard) {
  auto upgrade = std::make_shared<FakeUpgrade>();
  upgrade->asked.headers.emplace_back("sec-websocket-protocol", "other, loggia.v1");
  upgrade->client = std::make_shared<Client>(*this, shard);
  inside_->clients.push_back(upgrade->client);
  REQUIRE(!SocketDoors(hub).admit(*upgrade, "192.0.2.1", Trace()));
  run();
  return upgrade->client;
}

std::shared_ptr<Client> World::online(const UserId& user, std::size_t shard) {
  auto client = connect(shard);
  const auto answer = client->hello(user);
  REQUIRE_MESSAGE(answer.contains("ok"), answer.dump());
  return client;
}

std::optional<HttpResponse> World::knock(const std::string& protocols) {
  auto upgrade = std::make_shared<FakeUpgrade>();
  if (!protocols.empty()) upgrade->asked.headers.emplace_back("sec-websocket-protocol", protocols);
  upgrade->client = std::make_shared<Client>(*this, 0);
  inside_->clients.push_back(upgrade->client);
  Trace trace;
  trace.id = "0123456789abcdef0123456789abcdef";
  auto response = SocketDoors(hub).admit(*upgrade, "192.0.2.1", trace);
  run();
  return response;
}

void World::revoke(const UserId& user, const SessionId& session) {
  inside_->verifier->handler(user, session);
  run();
}

void World::drain() {
  hub->draining = true;
  for (const auto& node : hub->nodes) node->mail([](Node& here) { here.drain(); });
  run();
}

void World::run() { inside_->shards->run(); }
void World::advance(milliseconds by) { inside_->shards->advance(by); }
Time World::now() const { return inside_->clock->now(); }
void World::later(std::function<void()> work) { inside_->shards->post(0, std::move(work)); }
void World::release() {
  for (const auto& timer : std::exchange(inside_->chat->held, std::vector<std::shared_ptr<asio::steady_timer>>())) timer->cancel();
  run();
}

}  // namespace loggia::realtime::test
