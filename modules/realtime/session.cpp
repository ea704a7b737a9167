#include "session.hpp"
#include <algorithm>
#include "answers.hpp"
#include "loggia/kernel/json.hpp"
#include "loggia/kernel/json_value.hpp"
#include "loggia/kernel/mutant.hpp"
#include "node.hpp"
#include "requests.hpp"
#include "resume.hpp"

namespace loggia::realtime {
namespace {

constexpr std::size_t message_max_live = 128u << 10, sends_bytes = 256u << 10;

}  // namespace

Session::Session(Node& node, std::shared_ptr<WebSocket> socket, std::uint64_t number, std::string address)
    : node_{node}, socket_{std::move(socket)}, number_{number}, whence_{std::make_shared<const Whence>(Whence{std::move(address), std::string()})} {
  opened_ = progress_at_ = pinged_at_ = node_.hub().clock->moment();
}

void Session::start() {
  const std::weak_ptr<Session> weak = weak_from_this();
  WebSocket::Events events;
  events.message = [weak](std::string_view text) {
    if (auto self = weak.lock()) self->message(text);
  };
  events.alive = [weak] {
    if (auto self = weak.lock()) self->alive_ = true;
  };
  events.drained = [weak] {
    if (auto self = weak.lock()) self->drained();
  };
  events.closed = [weak](int) {
    if (auto self = weak.lock()) self->closed();
  };
  socket_->start(std::move(events));
}

Context Session::context() const {
  auto& hub = node_.hub();
  return Context(new_trace(*hub.random), hub.clock->moment() + std::chrono::seconds(30)).as(caller_).from(whence_);
}

std::string Session::cursor() const { return node_.settled_cursor(opened_).value_or(cursor_); }

// ---- requests ----

bool Session::too_many(std::string_view text) {
  if (!node_.hub().limited || limit_.take(node_.hub().clock->moment())) return false;
  if (limit_.far_beyond()) {
    close(code::too_many, "too many requests: send at most 100 a second");
    return true;
  }
  auto parsed = parse_request(text);
  const auto* request = std::get_if<Request>(&parsed);
  const auto id = request ? std::optional(request->id) : std::get<Refusal>(parsed).id;
  if (!id) {
    close(code::protocol_error, "a frame is one JSON object with a number as id");
    return true;
  }
  Error error(Errc::rate_limited, "send at most 100 requests a second");
  error.retry_after = 1;
  answer_text(answer_error(*id, error));
  return true;
}

void Session::message(std::string_view text) {
  alive_ = true;
  if (state_ == State::closing || too_many(text)) return;
  auto parsed = parse_request(text);
  if (const auto* refusal = std::get_if<Refusal>(&parsed)) {
    if (!refusal->id) return close(code::protocol_error, "a frame is one JSON object with a number as id");
    if (state_ == State::waiting && !refusal->hello) return close(code::protocol_error, "hello comes first");
    return answer_text(answer_error(*refusal->id, refusal->error));
  }
  auto& request = std::get<Request>(parsed);
  const bool hello = std::holds_alternative<HelloOp>(request.operation);
  if (state_ == State::waiting && !hello) return close(code::protocol_error, "hello comes first");
  if (state_ != State::waiting && hello) return answer_text(answer_error(request.id, Error(Errc::invalid_request, "hello was said already")));
  if (hello) state_ = State::greeting;
  requests_.push(std::move(request));
  pump();
}

// Chat's one writer takes sends as they come, where nothing is to be asked between (chat::mentions_at_once).
bool Session::plain_send(const Operation& operation) const {
  const auto* send = std::get_if<SendOp>(&operation);
  if (!send || send->attachments || std::count(send->text.begin(), send->text.end(), '@') > chat::mentions_at_once) return false;
  const auto* room = node_.index().find(send->room);
  return room && room->warm && !room->direct;
}

// What gathered while an earlier call was on its way to chat elsewhere.
std::size_t Session::sends_together() const {
  std::size_t count = 0, bytes = 0;
  const RoomId* room = nullptr;
  for (; count < std::min(requests_.size(), chat::sends_at_once) && plain_send(requests_.at(count).operation); ++count) {
    const auto& send = std::get<SendOp>(requests_.at(count).operation);
    bytes += send.text.size();
    if ((room && send.room != *room) || bytes > sends_bytes) break;
    room = &send.room;
  }
  return count;
}

// In order: plain sends follow each other without waiting; anything else waits for what is before it and is waited for. Two calls to chat
// elsewhere may overtake each other on two connections: there is one under way, and plain sends go in the next together.
void Session::pump() {
  const bool chat_here = node_.hub().options.chat_here;
  while (state_ != State::closing && !requests_.empty() && !exclusive_ && outbox_.bytes() <= node_.hub().options.queue_bytes) {
    if (const auto sends = chat_here ? 0 : sends_together(); sends > 1) {
      std::vector<Request> together;
      while (together.size() < sends) together.push_back(requests_.take());
      exclusive_ = true;
      running_ = static_cast<std::uint16_t>(sends);
      node_.spawn("realtime.sends", serve_sends(shared_from_this(), std::move(together)));
      continue;
    }
    const bool plain = chat_here && plain_send(requests_.front().operation);
    if (!plain && running_ > 0) break;
    exclusive_ = !plain;
    ++running_;
    auto task = serve(shared_from_this(), requests_.take());
    node_.spawn("realtime.request", std::move(task));
  }
  const bool full = requests_.size() + running_ >= in_flight_max;
  if (state_ != State::closing && full != paused_) socket_->pause_reading(paused_ = full);
}

void Session::finish(std::size_t count) {
  running_ = static_cast<std::uint16_t>(running_ - count);
  exclusive_ = false;
  pump();
}

void Session::answer(std::int64_t id, const Result<std::string>& ok) { answer_text(ok ? answer_ok(id, *ok) : answer_error(id, ok.error())); }

void Session::answer_text(const std::string& text) {
  if (state_ != State::closing) send(framed(text), nullptr, Outbox::plain);
}

// ---- hello ----

void Session::greet(Caller caller, Time expires, std::string client) {
  Seat::user = UserId(caller.subject);
  caller_ = std::make_shared<const Caller>(std::move(caller));
  expires_ = expires;
  whence_ = std::make_shared<const Whence>(Whence{whence_->address, std::move(client)});
  node_.index().sit(*this);
}

void Session::greet_failed() {
  if (state_ != State::greeting) return;
  if (caller_) node_.index().stand(*this);
  caller_.reset();
  pending_.clear();
  state_ = State::waiting;
}

void Session::prolong(Caller caller, Time expires) {
  caller_ = std::make_shared<const Caller>(std::move(caller));
  expires_ = expires;
  warned_ = false;
}

void Session::begin(std::int64_t id, const HelloOp& hello, const chat::Hello& state) {
  auto& hub = node_.hub();
  ResumeLimits limits;
  limits.room = hub.options.resume_limit;
  limits.total = hub.options.resume_total;
  ResumePlan plan;
  if (hello.resume) plan = plan_resume(*hello.resume, state, limits);

  HelloOk ok;
  ok.session = caller_->session.text();
  ok.user.id = Seat::user;
  ok.user.username = caller_->username;
  ok.epoch = state.epoch;
  ok.cursor = cursor_ = state.cursor;
  ok.rooms = state.rooms;
  if (state.more) ok.more = true;
  if (!state.gone.empty()) ok.gone = state.gone;
  ok.heartbeat = heartbeat.count();
  ok.server = hub.options.server;
  state_ = State::live;
  settled_ = hello.resume && hello.resume->rooms;  // it has positions of its own
  opened_ = pinged_at_ = progress_at_ = hub.clock->moment();
  WebSocket::Limits larger;
  larger.message_max = message_max_live;
  socket_->set_limits(larger);
  answer(id, encode(ok));

  const auto now = hub.clock->now();
  for (const auto& reset : plan.resets) {
    ResetData data;
    data.last_seq = reset.last_seq;
    data.why = reset.why;
    send(framed(push_frame(ResetData::ev, reset.room, now, encode(data))), nullptr, Outbox::plain);
  }
  hub.numbers.resets.add(plan.resets.size());
  std::unordered_map<RoomId, std::int64_t> replays;
  for (const auto& replay : plan.replays) replays.emplace(replay.room, replay.after);
  if (hello.resume) {
    hub.numbers.resumes.add();
    ++replaying_;  // the rooms that are not theirs
  }
  places.reserve(state.all.size());
  for (const auto& position : state.all) {
    const auto replay = replays.find(position.room);
    const bool missed = replay != replays.end();
    node_.enter(*this, position, missed ? replay->second : position.last_seq, missed && !LOGGIA_MUTANT_IS(replay_done_early) ? position.last_seq : 0);
  }
  for (const auto& room : state.rooms)
    if (auto* entered = node_.index().find(room.id)) entered->direct = room.kind == "direct";
  Connection connection;
  connection.number = number_;
  connection.shard = static_cast<std::uint16_t>(node_.shard());
  hub.home(Seat::user).mail([user = Seat::user, connection](Node& home) { home.home_users().open(user, connection); });

  // What changed since the read that `state` is of, and before it too: `since` tells.
  auto changes = std::move(pending_);
  pending_ = std::vector<Pending>();
  for (const auto& change : changes) {
    auto* room = node_.index().find(change.room);
    auto* reader = room ? node_.index().reader(*this, *room) : nullptr;
    if (change.joined && !reader) node_.join(*this, change.room);
    else if (!change.joined && reader && reader->since < change.seq) node_.remove_from(*this, *room, change.why);
  }
  if (hello.resume) {
    std::erase_if(plan.absent, [&](const RoomId& room) {
      const auto* entered = node_.index().find(room);
      return entered && node_.index().reader(*this, *entered);
    });
    if (plan.absent.empty() || LOGGIA_MUTANT_IS(absence_not_told)) replayed();
    else node_.spawn("realtime.absences", tell_absences(shared_from_this(), std::move(plan.absent)));
  }
}

void Session::replayed() {
  if (state_ != State::live || replaying_ == 0) return;
  --replaying_;
  if (replaying_ > 0) return;
  CursorData data;
  data.cursor = cursor_;
  send(framed(push_frame(CursorData::ev, RoomId(), node_.hub().clock->now(), encode(data))), nullptr, Outbox::replay_done);
}

// ---- time and the end ----

void Session::tick(Moment now, Time wall) {
  if (state_ == State::closing) return;
  if (state_ == State::waiting) {
    if (now - opened_ >= hello_timeout) close(code::no_hello, "no hello within 10 s");
    return;
  }
  if (caller_ && wall >= expires_) return close(code::bad_token, "the token has expired: connect with a fresh one, or send auth in time");
  if (state_ == State::live && !warned_ && expires_ - wall <= expiry_warning) {
    warned_ = true;
    ExpiringData data;
    data.expires_at = expires_;
    push(framed(push_frame(ExpiringData::ev, RoomId(), wall, encode(data))), nullptr);
  }
  const auto taken = outbox_.handed() - socket_->queued();
  if (taken != taken_ || !backlogged() || !node_.contact()) progress_at_ = now;
  taken_ = taken;
  if (now - progress_at_ >= stall_timeout) return close(code::too_slow, "nothing was read for 15 s: resume");
  if (std::exchange(alive_, false)) unanswered_ = 0;
  if (now - pinged_at_ >= heartbeat) {
    if (unanswered_ >= 2) return close(code::going_away, "no sign of life");
    ++unanswered_;
    pinged_at_ = now;
    socket_->ping();
  }
  flow();
  feed();
}

void Session::drain() {
  if (state_ == State::closing) return;
  DrainingData data;
  data.reconnect_within = 5;
  push(framed(push_frame(DrainingData::ev, RoomId(), node_.hub().clock->now(), encode(data))), nullptr);
}

// The index is left from outside of what is going on: it may be walking through a room's readers just now.
void Session::close(int code, std::string_view reason) {
  if (state_ == State::closing) return;
  state_ = State::closing;
  node_.hub().numbers.closed.at(code)->add();
  requests_.clear();
  socket_->close(code, reason);
  node_.mail([self = shared_from_this()](Node& node) { node.detach(*self); });
}

void Session::closed() {
  state_ = State::closing;
  requests_.clear();
  node_.remove(*this);
}

}  // namespace loggia::realtime
