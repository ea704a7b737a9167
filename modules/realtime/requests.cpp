#include "requests.hpp"
#include "answers.hpp"
#include "loggia/kernel/json.hpp"
#include "loggia/kernel/log.hpp"
#include "node.hpp"

namespace loggia::realtime {
namespace {

using SessionPtr = std::shared_ptr<Session>;

/// Of chat's reply to what an op asks: it is the answer as it is described.
template <class Op> Result<std::string> text_of(const Result<typename Op::Ok>& reply) {
  if (!reply) return reply.error();
  return encode(*reply);
}

Async<std::string> run(SessionPtr, HelloOp) { co_return Error(Errc::invalid_request, "hello was said already"); }

Async<std::string> run(SessionPtr session, AuthOp op) {
  auto verified = session->node().hub().verifier->verify(op.token);
  if (!verified) co_return verified.error();
  if (verified->caller.session != session->caller().session || verified->caller.subject != session->caller().subject)
    co_return Error(Errc::forbidden, "the token is of another session: open a connection of its own for it");
  session->prolong(verified->caller, verified->expires);
  ExpiresOk ok;
  ok.expires_at = verified->expires;
  co_return encode(ok);
}

Async<std::string> run(SessionPtr session, SendOp op) {
  chat::SendNow request;
  request.room = op.room;
  request.text = std::move(op.text);
  request.client_id = std::move(op.client_id);
  request.reply_to = op.reply_to;
  request.attachments = std::move(op.attachments);
  auto reply = co_await session->node().hub().live->on(session->context(), std::move(request));
  if (auto* room = reply ? session->node().index().find(op.room) : nullptr) room->warm = true;
  co_return text_of<SendOp>(reply);
}

Async<std::string> run(SessionPtr session, EditOp op) {
  chat::EditNow request;
  request.room = op.room;
  request.seq = op.seq;
  request.text = std::move(op.text);
  auto reply = co_await session->node().hub().live->on(session->context(), std::move(request));
  co_return text_of<EditOp>(reply);
}

Async<std::string> run(SessionPtr session, DeleteOp op) {
  chat::DeleteNow request;
  request.room = op.room;
  request.seq = op.seq;
  auto reply = co_await session->node().hub().live->on(session->context(), request);
  co_return text_of<DeleteOp>(reply);
}

Async<std::string> react(SessionPtr session, RoomId room, std::int64_t seq, std::string emoji, bool on) {
  chat::ReactNow request;
  request.room = room;
  request.seq = seq;
  request.emoji = std::move(emoji);
  request.on = on;
  auto reply = co_await session->node().hub().live->on(session->context(), std::move(request));
  co_return text_of<ReactOp>(reply);
}
Async<std::string> run(SessionPtr session, ReactOp op) { return react(std::move(session), op.room, op.seq, std::move(op.emoji), true); }
Async<std::string> run(SessionPtr session, UnreactOp op) { return react(std::move(session), op.room, op.seq, std::move(op.emoji), false); }

Async<std::string> run(SessionPtr session, ReadOp op) {
  chat::MarkRead request;
  request.room = op.room;
  request.seq = op.seq;
  auto reply = co_await session->node().hub().reading->on(session->context(), request);
  co_return text_of<ReadOp>(reply);
}

Async<std::string> run(SessionPtr session, TypingOp op) {
  auto& node = session->node();
  const auto* room = node.index().find(op.room);
  if (!room || !node.index().reader(*session, *room)) co_return Error(Errc::not_found, "there is no such room");
  node.hub().home(op.room).mail([id = op.room, user = session->Seat::user](Node& home) { home.home_rooms().typing_asked(id, user); });
  co_return "{}";
}

Async<std::string> run(SessionPtr session, PresenceOp op) {
  const bool away = op.state == "away";
  const auto user = session->Seat::user;
  session->node().hub().home(user).mail([user, number = session->number(), away](Node& home) { home.home_users().set_away(user, number, away); });
  co_return "{}";
}

Async<std::string> run(SessionPtr session, SyncOp op) {
  chat::GetEvents request;
  request.room = op.room;
  request.after = op.after;
  request.limit = op.limit;
  auto reply = co_await session->node().hub().reading->on(session->context(), request);
  if (!reply) co_return reply.error();
  SyncOk ok;
  ok.events = std::move(reply->items);
  ok.more = reply->more;
  co_return encode(ok);
}

Async<std::string> run(SessionPtr session, PingOp) {
  session->node().want_cursor();
  PingOk ok;
  ok.at = session->node().hub().clock->now();
  ok.cursor = session->cursor();
  co_return encode(ok);
}

Async<std::string> start(const SessionPtr& session, Operation operation) {
  return std::visit([&](auto& op) { return run(session, std::move(op)); }, operation);
}

/// Why nothing of what is asked is done now.
std::optional<Error> not_now(const Session& session, Hub& hub) {
  if (session.state() != Session::State::live) return Error(Errc::unavailable, "hello was not answered: say it again first");
  if (!hub.verifier->in_contact()) return Error(Errc::unavailable, "the server cannot check sessions at the moment");
  return std::nullopt;
}

Error wrong_here() { return Error(Errc::internal, "something went wrong here; it is in the server's log"); }

/// What is asked while it may be; whatever is thrown is an answer too.
template <class T, class Work> Async<T> guarded(SessionPtr session, Work work) {
  if (auto reason = not_now(*session, session->node().hub())) co_return std::move(*reason);
  try {
    auto running = work();
    co_return co_await std::move(running);
  } catch (const std::exception& problem) {
    log_thrown("realtime.request_failed", problem);
  }
  co_return wrong_here();
}

/// What a request that is no `hello` is answered with.
Async<std::string> answered(const SessionPtr& session, Operation operation) {
  return guarded<std::string>(session, [session, operation = std::move(operation)]() mutable { return start(session, std::move(operation)); });
}

Async<chat::SentInOrder> send_together(const SessionPtr& session, chat::SendInOrder request) {
  return guarded<chat::SentInOrder>(
      session, [session, request = std::move(request)]() mutable { return session->node().hub().live->on(session->context(), std::move(request)); });
}

Result<std::string> text_of(const chat::SendAnswer& answer) {
  if (answer.sent) return encode(*answer.sent);
  return answer.refused ? error_of(*answer.refused) : wrong_here();
}

/// Each by itself, after all together got no answer (`why`): one may go to another instance, and an instance of an earlier release knows it.
boost::asio::awaitable<void> send_each(SessionPtr session, std::vector<Request> requests, Error why) {
  const bool may_have_happened = why.code == Errc::outcome_unknown || why.code == Errc::timeout;
  std::optional<Error> nobody;  // answers: so none of the others is asked
  for (auto& request : requests) {
    Result<std::string> ok = nobody.value_or(why);
    if (!nobody) ok = co_await answered(session, std::move(request.operation));
    if (!ok) {
      const auto code = ok.error().code;
      if (code == Errc::unavailable || code == Errc::timeout || code == Errc::outcome_unknown) nobody = ok.error();
      if (may_have_happened) ok = why;  // who is refused now may have been heard before
    }
    session->answer(request.id, ok);
  }
}

}  // namespace

boost::asio::awaitable<void> serve_sends(SessionPtr session, std::vector<Request> requests) {
  chat::SendInOrder sends;
  for (const auto& request : requests) {
    const auto& op = std::get<SendOp>(request.operation);
    sends.room = op.room;
    auto& item = sends.items.emplace_back();
    item.text = op.text;
    item.client_id = op.client_id;
    item.reply_to = op.reply_to;
  }
  const auto count = requests.size();
  auto reply = co_await send_together(session, std::move(sends));
  if (reply && reply->answers.size() != count) reply = wrong_here();
  if (!reply) co_await send_each(session, std::move(requests), reply.error());
  else
    for (std::size_t at = 0; at < count; ++at) session->answer(requests[at].id, text_of(reply->answers[at]));
  session->finish(count);
}

boost::asio::awaitable<void> serve(SessionPtr session, Request request) {
  if (auto* hello = std::get_if<HelloOp>(&request.operation)) {
    co_await say_hello(session, request.id, std::move(*hello));
  } else {
    const auto ok = co_await answered(session, std::move(request.operation));
    session->answer(request.id, ok);
  }
  session->finish();
}

boost::asio::awaitable<void> say_hello(SessionPtr session, std::int64_t id, HelloOp hello) {
  auto& node = session->node();
  auto& hub = node.hub();
  // Verified and entered in one go: a revocation comes before, and is known, or after, and finds the connection.
  const auto verified = hub.verifier->verify(hello.token);
  if (!verified) {
    // A bad token is answered by the close code alone: who holds none learns nothing more.
    if (verified.error().code != Errc::unavailable) {
      session->close(code::bad_token, "the token is not good");
      co_return;
    }
    session->answer(id, verified.error());
    session->greet_failed();
    co_return;
  }
  session->greet(verified->caller, verified->expires, hello.client.value_or(""));
  Result<chat::Hello> state = Error(Errc::unavailable, "the server is not ready: say hello again");
  try {
    auto person = co_await node.person(session->Seat::user);
    if (person) node.settings(person->id, person->show_presence, person->show_receipts);
    chat::GetHello request;
    request.user = session->Seat::user;
    if (hello.resume && hello.resume->cursor) {
      request.epoch = hello.resume->epoch;
      request.cursor = hello.resume->cursor;
    }
    state = co_await hub.live->on(session->context(), std::move(request));
  } catch (const std::exception& problem) {
    log_thrown("realtime.hello_failed", problem);
  }
  if (session->state() != Session::State::greeting) co_return;
  if (state) session->begin(id, hello, *state);
  else {
    session->answer(id, state.error());
    session->greet_failed();
  }
}

boost::asio::awaitable<void> tell_absences(SessionPtr session, std::vector<RoomId> rooms) {
  auto& hub = session->node().hub();
  for (const auto& room : rooms) {
    chat::GetAbsence request;
    request.room = room;
    request.user = session->Seat::user;
    const auto absence = co_await asked(hub.live, hub.context(), request);
    if (session->state() != Session::State::live) co_return;
    const auto* entered = session->node().index().find(room);
    if (entered && session->node().index().reader(*session, *entered)) continue;  // back since
    RemovedData data;
    data.why = absence ? absence->why : "unknown";
    session->push(framed(push_frame(RemovedData::ev, room, hub.clock->now(), encode(data))), nullptr);
  }
  session->replayed();
}

boost::asio::awaitable<void> read_page(SessionPtr session, RoomId room, std::int64_t after, std::int64_t limit) {
  auto& hub = session->node().hub();
  chat::ReadTimeline request;
  request.room = room;
  request.after = after;
  request.limit = limit;
  Result<chat::Events> events = Error(Errc::unavailable, "the time line could not be read");
  try {
    events = co_await asked(hub.live, hub.context(), request);
  } catch (const std::exception& problem) {
    log_thrown("realtime.feed_failed", problem);
  }
  session->page(room, after, events);
}

}  // namespace loggia::realtime
