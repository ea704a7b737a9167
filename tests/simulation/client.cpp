#include "client.hpp"
#include <fmt/format.h>
#include "world.hpp"

namespace loggia::simulation {
namespace {

constexpr Instant answer_within = 12 * second;

}  // namespace

Client::Client(World& world, int number, UserId user) : world_{world}, number_{number}, user_{user}, session_{world.ids->make<SessionId>()} {}

void Client::begin() {
  connect();
  tick();
}

void Client::fail(const std::string& what) const { world_.fail(fmt::format("client {} (user {}): {}", number_, brief(user_), what)); }

// ---- the connection ----

void Client::connect() {
  if (socket_ || std::exchange(connecting_, true)) return;
  world_.loop.after(world_.network.between(20, 1500) * ms, Work([this] {
                      connecting_ = false;
                      if (socket_) return;
                      socket_ = world_.dial(*this);
                      if (!socket_) return connect();
                      hello();
                    }));
}

void Client::hello() {
  state_ = State::greeting;
  connected_ = world_.loop.now();
  resuming_ = false;
  awaited_.clear();
  in_order_.clear();
  for (auto& op : ops_) op.request = 0;
  last_request_ = 0;
  json frame = {{"id", ++last_request_}, {"op", "hello"}, {"token", user_.text() + "/" + session_.text()}};
  if (holds_ && !world_.workload.chance(50)) {
    resuming_ = true;
    json resume = {{"epoch", epoch_}, {"rooms", json::object()}};
    for (const auto& [room, held] : rooms_) resume["rooms"][room.text()] = held.position;
    if (world_.workload.chance(600)) resume["cursor"] = cursor_;
    frame["resume"] = std::move(resume);
  } else {
    holds_ = false;
    rooms_.clear();
  }
  speak(frame.dump());
}

void Client::speak(std::string text) {
  if (world_.traced()) world_.note(fmt::format("c{}#{} > {}", number_, socket_->number(), text));
  socket_->say(std::move(text));
}

void Client::cut(bool server_learns) {
  if (!socket_) return;
  if (world_.traced())
    world_.note(fmt::format("c{}#{} hangs up{}", number_, socket_->number(), server_learns ? "" : ", and the server does not hear it"));
  socket_->cut(server_learns);
  socket_.reset();
  state_ = State::offline;
  connect();
}

void Client::stall(Instant until) {
  if (socket_) socket_->stall(until);
}

void Client::revoke() {
  if (!socket_ || !world_.tell_revoked || state_ != State::online) return;
  if (world_.traced()) world_.note(fmt::format("c{}: its session is revoked", number_));
  world_.revoked.insert(session_);
  world_.tell_revoked(user_, session_);
  socket_->revoked(world_.loop.now());
  session_ = world_.ids->make<SessionId>();
}

void Client::lost(Socket& socket, int code) {
  if (&socket != socket_.get()) return;
  if (world_.traced()) world_.note(fmt::format("c{}#{} is closed with {}", number_, socket.number(), code));
  if (code == 4000 || code == 1009 || code == 4029) fail(fmt::format("closed with {}", code));
  socket_.reset();
  state_ = State::offline;
  connect();
}

void Client::tick() {
  world_.loop.after(second, Work([this] { tick(); }));
  const auto now = world_.loop.now();
  if (!socket_) return connect();
  if (state_ == State::greeting && now - connected_ > answer_within) return cut(true);
  for (const auto& op : ops_)
    if (op.request != 0 && now - op.asked > answer_within) return cut(true);
  if (state_ == State::online && ops_.empty() && world_.workload.chance(150)) {
    Op ping;
    ping.name = "ping";
    add(std::move(ping));
  }
  pump();
}

// ---- requests ----

void Client::add(Op op) {
  if (!op.fields.is_null()) {
    op.said = op.fields.dump();
    op.said = op.said.substr(1, op.said.size() - 2);
  }
  ops_.push_back(std::move(op));
  pump();
}

void Client::pump() {
  if (state_ != State::online) return;
  const auto now = world_.loop.now();
  for (auto& op : ops_) {
    if (op.request != 0 || op.not_before > now) continue;
    op.request = ++last_request_;
    op.asked = now;
    ++op.tries;
    speak(fmt::format(R"({{"id":{},"op":"{}"{}{}}})", op.request, op.name, op.said.empty() ? "" : ",", op.said));
  }
}

void Client::answered(const json& frame) {
  const auto id = frame.at("re").get<std::int64_t>();
  if (id == 1) {
    if (state_ != State::greeting) return fail("hello was answered twice");
    if (frame.contains("ok")) return greeted(frame["ok"]);
    if (!frame["error"].at("retry").get<bool>()) return fail("hello was refused: " + frame.dump());
    return cut(true);
  }
  const auto found = std::find_if(ops_.begin(), ops_.end(), [&](const Op& op) { return op.request == id; });
  if (found == ops_.end()) return fail("an answer to what was not asked, or was answered: " + frame.dump());
  if (frame.contains("ok")) {
    done(*found, frame["ok"]);
    ops_.erase(found);
    return;
  }
  const auto& error = frame["error"];
  if (error.at("retry").get<bool>()) {
    found->request = 0;
    found->not_before = world_.loop.now() + world_.workload.between(200, 2000) * ms;
    return;
  }
  refused(*found, error);
  ops_.erase(found);
}

void Client::done(Op& op, const json& ok) {
  const auto seq = ok.contains("seq") ? ok["seq"].get<std::int64_t>() : 0;
  if (op.name == "send") {
    const auto* event = world_.truth.knows(op.room) ? world_.truth.room(op.room).at(seq) : nullptr;
    if (!event || event->ev != "message.created" || event->by != user_ || event->client_id != op.client_id)
      return fail(fmt::format("{} was acknowledged as {} of room {}, and that is {}", op.client_id, seq, brief(op.room),
                              event ? event->ev + " " + event->client_id : std::string("not in the log")));
    sent_.push_back({op.room, seq});
    acked_[op.room] = std::max(acked_[op.room], seq);
    if (op.tries == 1 && !world_.plan.split) {
      // Requests of one connection take effect in the order in which they were sent.
      auto& order = in_order_[op.room];
      const auto [at, fresh] = order.emplace(op.request, seq);
      if ((at != order.begin() && std::prev(at)->second > seq) || (std::next(at) != order.end() && std::next(at)->second < seq))
        fail(fmt::format("sends of one connection changed their order: {} of room {}", seq, brief(op.room)));
    }
  } else if (op.name == "edit" || op.name == "delete") {
    const auto* event = seq > 0 ? world_.truth.room(op.room).at(seq) : nullptr;
    const auto wanted = op.name == "edit" ? "message.edited" : "message.deleted";
    if (seq > 0 && (!event || event->ev != wanted || event->about != op.fields.at("seq").get<std::int64_t>()))
      fail(fmt::format("{} of {} took {}, and that is something else", op.name, op.fields.at("seq").dump(), seq));
    if (seq == 0 && op.tries == 1 && op.name == "edit" && !world_.plan.split) fail("a first edit changed nothing");
  } else if (op.name == "ping") {
    cursor_ = ok.at("cursor").get<std::string>();
  } else if (op.name == "sync") {
    auto expected = op.fields.at("after").get<std::int64_t>();
    for (const auto& item : ok.at("events")) {
      const auto* event = world_.truth.room(op.room).at(++expected);
      if (!event || item.at("seq").get<std::int64_t>() != expected || item.at("ev").get<std::string>() != event->ev)
        return fail(fmt::format("sync has {} where {} is due", item.dump(), expected));
    }
    // One's own writes are read.
    if (!ok.at("more").get<bool>() && expected < op.after)
      fail(fmt::format("sync ends at {} of room {}, and {} was confirmed before", expected, brief(op.room), op.after));
  }
}

void Client::refused(const Op& op, const json& error) {
  const auto code = error.at("code").get<std::string>();
  const bool fine = code == "not_found" || code == "forbidden" || (code == "conflict" && op.name != "send");
  if (!fine) return fail(fmt::format("{} was refused: {}", op.name, error.dump()));
  // Who was in all the time is not told otherwise.
  const auto& membership = world_.truth.room(op.room).membership;
  const auto mine = membership.find(user_);
  if (op.name == "send" && mine != membership.end() && mine->second.size() == 1)
    fail(fmt::format("a send of a member was refused: {}", error.dump()));
}

// ---- what comes ----

void Client::receive(Socket& socket, std::string_view text) {
  if (&socket != socket_.get()) return;
  if (world_.traced()) world_.note(fmt::format("c{}#{} < {}", number_, socket.number(), text));
  world_.loop.mix(std::hash<std::string_view>()(text) ^ static_cast<std::uint64_t>(number_));
  if (text.starts_with(R"({"ev":"presence")") || text.starts_with(R"({"ev":"receipt")") || text.starts_with(R"({"ev":"typing")")) return;
  if (known(text)) return;
  const auto frame = json::parse(text);
  if (frame.contains("re")) answered(frame);
  else if (frame.contains("seq")) event(frame);
  else pushed(frame.at("ev").get<std::string>(), frame);
}

void Client::greeted(const json& ok) {
  state_ = State::online;
  holds_ = true;
  const auto epoch = ok.at("epoch").get<std::string>();
  if (!epoch_.empty() && epoch != epoch_) fail("the epoch changed");
  epoch_ = epoch;
  cursor_ = ok.at("cursor").get<std::string>();
  for (const auto& entry : ok.at("rooms")) {
    const auto room = RoomId::parse(entry.at("id").get<std::string>()).value();
    const auto last = entry.at("last_seq").get<std::int64_t>();
    if (!world_.truth.knows(room) || last > world_.truth.room(room).last()) fail("hello names an event that is not there");
    if (rooms_.contains(room)) awaited_[room] = last;
    else rooms_[room].position = last;
  }
  pump();
}

/// An event that is the committed one to the byte need not be parsed again: most are.
bool Client::known(std::string_view text) {
  constexpr std::string_view mark = R"(","room":")", number_mark = R"(","seq":)";
  const auto at = text.find(mark);
  if (at == text.npos || text.size() < at + mark.size() + 36 + number_mark.size()) return false;
  const auto room = RoomId::parse(text.substr(at + mark.size(), 36));
  const auto rest = text.substr(at + mark.size() + 36);
  if (!room || !rest.starts_with(number_mark) || !world_.truth.knows(*room)) return false;
  const auto seq = std::strtoll(rest.data() + number_mark.size(), nullptr, 10);
  const auto* happened = world_.truth.room(*room).at(seq);
  if (!happened || happened->frame != text) return false;
  event(*room, seq, *happened);
  return true;
}

void Client::event(const json& frame) {
  Truth::Happened event_told;
  const auto& data = frame.at("data");
  event_told.ev = frame.at("ev").get<std::string>();
  event_told.about = data.value("seq", std::int64_t{0});
  event_told.text = data.value("text", std::string());
  event_told.deleted = data.value("deleted", false);
  event(RoomId::parse(frame.at("room").get<std::string>()).value(), frame.at("seq").get<std::int64_t>(), event_told);
}

void Client::event(const RoomId& room, std::int64_t seq, const Truth::Happened& told) {
  const auto held = rooms_.find(room);
  if (held == rooms_.end()) return fail(fmt::format("event {} of room {}, which it is not in", seq, brief(room)));
  if (seq != held->second.position + 1) return fail(fmt::format("event {} of room {} follows {}", seq, brief(room), held->second.position));
  const auto* happened = world_.truth.room(room).at(seq);
  if (!happened) return fail(fmt::format("event {} of room {} is not in the log", seq, brief(room)));
  if (happened->ev != told.ev || happened->about != told.about)
    fail(fmt::format("event {} of room {} is told as {} of {}, and is {} of {}", seq, brief(room), told.ev, told.about, happened->ev,
                     happened->about));
  if (!world_.truth.entitled(room, user_, seq)) fail(fmt::format("event {} of room {} came after its removal", seq, brief(room)));
  held->second.position = seq;
  auto& texts = held->second.texts;
  if (told.ev == "message.created") {
    if (told.about != seq) return fail(fmt::format("message {} of room {} has two numbers", seq, brief(room)));
    texts[seq] = told.deleted ? std::string() : told.text;
  } else if (told.ev == "message.edited" || told.ev == "message.deleted") {
    if (const auto old = texts.find(told.about); old != texts.end())
      old->second = told.ev == "message.deleted" || told.deleted ? std::string() : told.text;
  }
}

void Client::pushed(const std::string& ev, const json& frame) {
  if (ev == "replay.done") return replay_done(frame);
  if (ev != "room.added" && ev != "room.removed" && ev != "room.reset") return;
  const auto room = RoomId::parse(frame.at("room").get<std::string>()).value();
  const auto& data = frame.at("data");
  awaited_.erase(room);
  if (ev == "room.removed") {
    rooms_.erase(room);  // perhaps of a room whose room.added was dropped with what waited for it
    return;
  }
  auto& held = rooms_[room];
  const auto last = data.at("last_seq").get<std::int64_t>();
  if (ev == "room.reset" && (data.at("why") != "too_many" || last <= held.position)) fail("a reset without need: " + frame.dump());
  held.position = last;
  held.texts.clear();
}

void Client::replay_done(const json& frame) {
  if (!resuming_) return fail("replay.done without a resume");
  resuming_ = false;
  cursor_ = frame.at("data").at("cursor").get<std::string>();
  for (const auto& [room, last] : awaited_)
    if (rooms_.contains(room) && rooms_[room].position < last)
      fail(fmt::format("replay.done, and room {} is at {} of {}", brief(room), rooms_[room].position, last));
  awaited_.clear();
}

std::optional<std::string> Client::missing() const {
  const auto of = fmt::format("client {} (user {}): ", number_, brief(user_));
  if (state_ != State::online) return of + "is not connected";
  if (resuming_) return of + "waits for replay.done";
  for (const auto& op : ops_)
    if (op.name != "ping") return of + op.name + " is not answered";
  for (const auto& [id, room] : world_.truth.rooms()) {
    const auto held = rooms_.find(id);
    const bool member = world_.truth.member(id, user_);
    if (member != (held != rooms_.end()))
      return of + (member ? "does not know that it is in room " : "does not know that it has lost room ") + brief(id);
    if (member && held->second.position != room.last())
      return of + fmt::format("is at {} of {} in room {}", held->second.position, room.last(), brief(id));
  }
  return std::nullopt;
}

void Client::judge(Query& query) const {
  for (const auto& [room, held] : rooms_)
    for (const auto& [seq, text] : held.texts) {
      auto rows = query.select("SELECT text FROM messages WHERE room = ?1 AND seq = ?2", room, seq);
      if (!rows->next() || rows->text(0) != text) fail(fmt::format("believes that {} of room {} says \"{}\"", seq, brief(room), text.substr(0, 40)));
    }
}

}  // namespace loggia::simulation
