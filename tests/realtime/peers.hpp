#pragma once
// What realtime asks, as far as World knows the answers: fakes of the other modules, of the upgrade and of the bus.
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include "support/fakes.hpp"
#include "world.hpp"

namespace loggia::realtime::test {
namespace asio = boost::asio;

inline Error nowhere() { return Error(Errc::not_found, "there is no such room"); }

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
      co_await asio::post(co_await asio::this_coro::executor, asio::use_awaitable);  // throws where the task was cancelled meanwhile
    }
    co_return sent;
  }
  Async<chat::SentInOrder> on(Context context, chat::SendInOrder request) override {
    world_.asked.push_back("together " + std::to_string(request.items.size()));
    if (world_.together_fails) co_return *world_.together_fails;
    chat::SentInOrder out;
    for (auto& item : request.items) {
      chat::SendNow one;
      one.room = request.room;
      one.text = std::move(item.text);
      one.client_id = std::move(item.client_id);
      auto sent = co_await on(context, std::move(one));
      auto& answer = out.answers.emplace_back();
      if (sent) answer.sent = *sent;
      else answer.refused = refused_of(sent.error());
    }
    co_return out;
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
struct EchoBus : loggia::test::FakeBus {
  std::vector<std::string>* heard = nullptr;
  void signal(std::string_view, std::string_view topic, std::string_view type, std::string key, std::string data, std::string) override {
    heard->push_back(std::string(type) + " " + data);
    deliver(event(std::string(topic), std::string(type), std::move(key), std::move(data), 0));
  }
};

}  // namespace loggia::realtime::test
