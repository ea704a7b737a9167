#include "world.hpp"
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include "doors.hpp"
#include "ears.hpp"
#include "loggia/chat/events.hpp"
#include "loggia/realtime/events.hpp"
#include "node.hpp"
#include "support/fakes.hpp"

namespace loggia::realtime::test {
namespace asio = boost::asio;

// ---- the client ----

void Client::send(SharedBytes framed) {
  queued_ += framed->size();
  waiting_.push_back(std::move(framed));
  if (!stalled) take();
}

void Client::take(std::size_t bytes) {
  while (!waiting_.empty() && waiting_.front()->size() <= bytes) {
    const auto piece = std::move(waiting_.front());
    waiting_.pop_front();
    bytes -= piece->size();
    queued_ -= piece->size();
    pieces.push_back(piece);
    read(*piece);
  }
  if (waiting_.empty() && stalled)
    world_.later([this] {
      if (events_.drained) events_.drained();
    });
}

void Client::read(const std::string& bytes) {
  for (std::size_t at = 0; at < bytes.size();) {
    REQUIRE(static_cast<unsigned char>(bytes[at]) == 0x81);
    std::uint64_t size = static_cast<unsigned char>(bytes[at + 1]);
    int more = size == 126 ? 2 : size == 127 ? 8 : 0;
    at += 2;
    if (more > 0) size = 0;
    for (; more > 0; --more) size = size << 8 | static_cast<unsigned char>(bytes[at++]);
    frames.push_back(json::parse(bytes.substr(at, size)));
    at += size;
  }
}

void Client::close(int with, std::string_view why) {
  if (code != 0) return;
  code = with;
  reason = why;
  world_.later([this] {
    if (events_.closed) events_.closed(code);
  });
}

void Client::say(const std::string& text) {
  events_.message(text);
  world_.run();
}

json Client::ask(const std::string& op, json fields) {
  fields["id"] = ++last_id_;
  fields["op"] = op;
  say(fields.dump());
  return answer(last_id_);
}

json Client::hello(const UserId& user, json resume) {
  json fields = {{"token", user.text()}};
  if (!resume.is_null()) fields["resume"] = std::move(resume);
  return ask("hello", std::move(fields));
}

void Client::cut() {
  if (code == 0) code = 1006;
  events_.closed(1006);
  world_.run();
}

json Client::answer(std::int64_t id) const {
  json found;
  for (const auto& frame : frames)
    if (frame.contains("re") && frame["re"] == id) {
      REQUIRE_MESSAGE(found.is_null(), "a request has one answer");
      found = frame;
    }
  return found;
}

std::vector<json> Client::pushed(const std::string& ev) const {
  std::vector<json> out;
  for (const auto& frame : frames)
    if (frame.contains("ev") && frame["ev"] == ev) out.push_back(frame);
  return out;
}

std::vector<std::int64_t> Client::seqs(const RoomId& room) const {
  std::vector<std::int64_t> out;
  for (const auto& frame : frames)
    if (frame.contains("ev") && frame.contains("seq") && frame["room"] == room.text()) out.push_back(frame["seq"].get<std::int64_t>());
  return out;
}

std::vector<std::string> Client::evs() const {
  std::vector<std::string> out;
  for (const auto& frame : frames)
    if (frame.contains("ev")) out.push_back(frame["ev"].get<std::string>());
  return out;
}

// ---- what realtime asks ----

namespace {

Error nowhere() { return Error(Errc::not_found, "there is no such room"); }

struct Chat : chat::Live, chat::Reading, chat::Rooms {
  explicit Chat(World& world) : world_{world} {}
  World& world_;
  std::vector<std::shared_ptr<asio::steady_timer>> held;

  FakeRoom* of(const RoomId& id, const Uuid& user) {
    const auto found = world_.rooms.find(id);
    return found == world_.rooms.end() || found->second.deleted || !found->second.members.contains(UserId(user)) ? nullptr : &found->second;
  }
  chat::Standing standing(const FakeRoom& room, const UserId& user) const {
    chat::Standing out;
    out.id = room.id;
    out.kind = room.kind;
    out.my_role = room.members.at(user);
    out.last_seq = static_cast<std::int64_t>(room.events.size());
    const auto read = room.read.find(user);
    out.read_seq = read == room.read.end() ? 0 : read->second;
    out.unread = out.last_seq - out.read_seq;
    return out;
  }
  asio::awaitable<void> turns() {
    const auto executor = co_await asio::this_coro::executor;
    for (int turn = 0; turn < 5; ++turn) co_await asio::post(executor, asio::use_awaitable);
  }

  Async<chat::Sent> on(Context context, chat::SendNow request) override {
    world_.asked.push_back("send " + request.text);
    if (world_.down) co_return Error(Errc::unavailable, "chat is away");
    if (!of(request.room, context.caller().subject)) co_return nowhere();
    if (request.text.empty()) co_return wrong_field("/text", "has 1 to 8000 characters");
    chat::Sent sent;
    sent.seq = world_.post(request.room, UserId(context.caller().subject), request.text);
    if (world_.hold) {
      auto timer = std::make_shared<asio::steady_timer>(co_await asio::this_coro::executor, Moment::max());
      held.push_back(timer);
      co_await timer->async_wait(asio::as_tuple(asio::use_awaitable));
    }
    co_return sent;
  }
  Async<chat::Changed> on(Context, chat::EditNow) override {
    world_.asked.push_back("edit");
    chat::Changed changed;
    changed.seq = 7;
    co_return changed;
  }
  Async<chat::Changed> on(Context, chat::DeleteNow) override { co_return chat::Changed(); }
  Async<chat::Changed> on(Context, chat::ReactNow request) override {
    world_.asked.push_back((request.on ? "react " : "unreact ") + request.emoji);
    co_return chat::Changed();
  }
  Async<chat::Hello> on(Context, chat::GetHello request) override {
    if (world_.down) co_return Error(Errc::unavailable, "chat is away");
    chat::Hello hello;
    hello.epoch = "e1";
    hello.cursor = "c1";
    for (const auto& [id, room] : world_.rooms) {
      if (room.deleted || !room.members.contains(request.user)) continue;
      chat::RoomPosition position;
      position.room = id;
      position.last_seq = static_cast<std::int64_t>(room.events.size());
      position.members = static_cast<std::int64_t>(room.members.size());
      hello.all.push_back(position);
      hello.rooms.push_back(standing(room, request.user));
    }
    if (world_.after_hello_read) {
      world_.after_hello_read();
      world_.after_hello_read = nullptr;
      co_await turns();
    }
    co_return hello;
  }
  Async<chat::Cursor> on(Context, chat::GetCursor) override {
    chat::Cursor cursor;
    cursor.epoch = "e1";
    cursor.cursor = "c2";
    co_return cursor;
  }
  Async<chat::Standing> on(Context, chat::GetStanding request) override {
    if (world_.before_standing) std::exchange(world_.before_standing, nullptr)();
    co_await turns();
    const auto* room = of(request.room, Uuid(request.user));
    if (!room) co_return nowhere();
    const auto out = standing(*room, request.user);
    co_await turns();
    co_return out;
  }
  Async<chat::Events> on(Context, chat::ReadTimeline request) override {
    ++world_.reads;
    const auto& room = world_.rooms.at(request.room);
    if (room.deleted) co_return nowhere();
    if (world_.timeline_down) co_return Error(Errc::unavailable, "chat is away");
    chat::Events out;
    auto at = static_cast<std::size_t>(request.after);
    for (; at < room.events.size() && out.items.size() < static_cast<std::size_t>(request.limit); ++at) out.items.push_back(RawJson(room.events[at]));
    out.more = at < room.events.size();
    co_await turns();
    co_return out;
  }
  Async<chat::Absence> on(Context, chat::GetAbsence request) override {
    chat::Absence absence;
    absence.why = "unknown";
    const auto found = world_.rooms.find(request.room);
    if (found != world_.rooms.end()) {
      const auto gone = found->second.gone.find(request.user);
      if (gone != found->second.gone.end()) absence.why = gone->second;
      if (found->second.deleted) absence.why = "deleted";
    }
    co_return absence;
  }
  Async<chat::Audience> on(Context, chat::GetAudience request) override {
    std::set<UserId> ids;
    for (const auto& [id, room] : world_.rooms)
      if (room.members.contains(request.user) && room.members.size() <= 100)
        for (const auto& [user, role] : room.members) ids.insert(user);
    chat::Audience audience;
    audience.ids.assign(ids.begin(), ids.end());
    co_return audience;
  }
  Async<Nothing> on(Context context, chat::MarkRead request) override {
    auto* room = of(request.room, context.caller().subject);
    if (!room) co_return nowhere();
    world_.moved(request.room, UserId(context.caller().subject), request.seq);
    co_return Nothing();
  }
  Async<chat::Events> on(Context context, chat::GetEvents request) override {
    const auto* room = of(request.room, context.caller().subject);
    if (!room) co_return nowhere();
    chat::Events out;
    auto at = static_cast<std::size_t>(request.after.value_or(0));
    for (; at < room->events.size() && out.items.size() < static_cast<std::size_t>(request.limit.value_or(100)); ++at)
      out.items.push_back(RawJson(room->events[at]));
    out.more = at < room->events.size();
    co_return out;
  }
  Async<chat::Room> on(Context, chat::GetRoom request) override {
    chat::Room out;
    const auto& room = world_.rooms.at(request.room);
    out.member_count = static_cast<std::int64_t>(room.members.size());
    out.last_seq = static_cast<std::int64_t>(room.events.size());
    co_return out;
  }

  Async<chat::Receipts> on(Context, chat::GetReceipts) override { co_return nowhere(); }
  Async<chat::Room> on(Context, chat::CreateRoom) override { co_return nowhere(); }
  Async<Outcome<chat::Room>> on(Context, chat::OpenDirect) override { co_return nowhere(); }
  Async<chat::RoomList> on(Context, chat::ListRooms) override { co_return nowhere(); }
  Async<chat::Room> on(Context, chat::UpdateRoom) override { co_return nowhere(); }
  Async<Nothing> on(Context, chat::DeleteRoom) override { co_return nowhere(); }
  Async<chat::MemberList> on(Context, chat::ListMembers) override { co_return nowhere(); }
  Async<Nothing> on(Context, chat::PutMember) override { co_return nowhere(); }
  Async<Nothing> on(Context, chat::RemoveMember) override { co_return nowhere(); }
  Async<chat::Room> on(Context, chat::JoinRoom) override { co_return nowhere(); }
  Async<chat::Bans> on(Context, chat::ListBans) override { co_return nowhere(); }
  Async<Nothing> on(Context, chat::BanMember) override { co_return nowhere(); }
  Async<Nothing> on(Context, chat::Unban) override { co_return nowhere(); }
};

struct Directory : user::Directory {
  explicit Directory(World& world) : world_{world} {}
  World& world_;
  Async<user::People> on(Context, user::GetPeople request) override {
    user::People people;
    for (const auto& id : request.ids) {
      user::Person person;
      person.id = id;
      person.show_presence = !world_.hides_presence.contains(id);
      person.show_receipts = !world_.hides_receipts.contains(id);
      people.items.push_back(person);
    }
    co_return people;
  }
  Async<user::BlockedWith> on(Context, user::GetBlocked request) override {
    user::BlockedWith blocked;
    for (const auto& [one, other] : world_.blocks) {
      if (one == request.user) blocked.ids.push_back(other);
      if (other == request.user) blocked.ids.push_back(one);
    }
    co_return blocked;
  }
  Async<Nothing> on(Context, user::CreateProfile) override { co_return nowhere(); }
  Async<user::People> on(Context, user::FindPeople) override { co_return nowhere(); }
};

/// A token is the user's id, with `/2` for a second session.
struct Verifier : auth::Verifier {
  explicit Verifier(World& world) : world_{world} {}
  World& world_;
  std::function<void(UserId, SessionId)> handler;
  Result<auth::Verified> verify(std::string_view token) const override {
    if (!world_.contact) return Error(Errc::unavailable, "auth is away");
    const auto session = world_.sessions.find(std::string(token));
    const auto user = UserId::parse(token.substr(0, 36));
    if (!user || session == world_.sessions.end()) return Error(Errc::unauthenticated, "the token is not good");
    auth::Verified out;
    out.caller.subject = Uuid(*user);
    out.caller.session = Uuid(session->second);
    out.caller.username = "somebody";
    out.expires = world_.now() + world_.token_lifetime;
    return out;
  }
  std::string jwks() const override { return "{}"; }
  Watch on_revoked(std::function<void(UserId, SessionId)> call) override {
    handler = std::move(call);
    return std::make_shared<int>(0);
  }
  bool in_contact() const override { return world_.contact; }
};

struct FakeUpgrade : Upgrade {
  HttpRequest asked;
  std::shared_ptr<Client> client;
  const HttpRequest& request() const override { return asked; }
  std::size_t shard() const override { return client->shard(); }
  std::shared_ptr<WebSocket> accept(std::string_view, WebSocket::Limits limits) override {
    client->message_max = limits.message_max;
    return client;
  }
};

/// What is signalled comes back to the followers, as it does from the embedded bus.
struct EchoBus : Bus {
  std::vector<std::string>* heard = nullptr;
  std::map<std::string, std::vector<std::function<void(const EventPtr&)>>> followers;
  void deliver(const EventPtr& event) {
    for (const auto& handler : followers[event->topic]) handler(event);
  }
  void follow(std::string topic, std::function<void(const EventPtr&)> handler) override { followers[topic].push_back(std::move(handler)); }
  void signal(std::string_view topic, std::string_view type, std::string key, std::string data, std::string) override {
    heard->push_back(std::string(type) + " " + data);
    deliver(loggia::test::FakeBus::event(std::string(topic), std::string(type), std::move(key), std::move(data), 0));
  }
  int partitions() const override { return 4; }
  std::shared_ptr<Log> open_log(std::string, std::shared_ptr<Database>, std::vector<Topic>) override { return nullptr; }
  void subscribe(Subscription) override {}
  Result<bool> start() override { return true; }
  void stop() override {}
  std::vector<TopicState> topics() override { return {}; }
  std::vector<TopicLag> lag() override { return {}; }
  std::vector<EventPtr> page(const std::string&, const std::string&, int, std::int64_t, std::size_t) override { return {}; }
  Result<std::int64_t> replay(const std::string&, const std::string&, std::int64_t, int) override { return 0; }
  Result<std::int64_t> replay_dead_letters(const std::string&, const std::string&) override { return 0; }
};

}  // namespace

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
  inside_->bus.deliver(loggia::test::FakeBus::event(topic, type, key, data));
}

std::shared_ptr<Client> World::connect(std::size_t shard) {
  auto upgrade = std::make_shared<FakeUpgrade>();
  upgrade->asked.headers.emplace_back("sec-websocket-protocol", "other, loggia.v1");
  upgrade->client = std::make_shared<Client>(*this, shard);
  inside_->clients.push_back(upgrade->client);
  REQUIRE(!SocketDoors(hub).enter(upgrade, "192.0.2.1", Trace()));
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
  auto response = SocketDoors(hub).enter(upgrade, "192.0.2.1", trace);
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
