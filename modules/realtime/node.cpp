#include "node.hpp"
#include <algorithm>
#include "loggia/kernel/capacity.hpp"
#include "session.hpp"

namespace loggia::realtime {
namespace {

constexpr std::size_t feeds_max = 8, people_max = 10000;
constexpr milliseconds person_age{60000}, cursor_age{5000}, drain_pause{1000};

}  // namespace

Node::Node(Hub& hub, std::size_t shard) : hub_{hub}, shard_{shard}, home_rooms_{*this}, home_users_{*this} {}
Node::~Node() = default;

void Node::mail(std::function<void(Node&)> work) {
  {
    const std::lock_guard lock(mail_mutex_);
    mail_.push_back(std::move(work));
    if (mail_.size() > 1) return;
  }
  hub_.shards->post(shard_, [hub = hub_.shared_from_this(), shard = shard_] { hub->nodes[shard]->run_mail(); });
}

void Node::run_mail() {
  std::vector<std::function<void(Node&)>> work;
  {
    const std::lock_guard lock(mail_mutex_);
    work.swap(mail_);
  }
  contact_ = hub_.verifier->in_contact();
  for (const auto& one : work) one(*this);
  flush_touched();
}

void Node::flush_touched() {
  const auto now = hub_.clock->moment();
  auto next = Moment::max();
  std::erase_if(touched_, [&](const RoomId& id) {
    auto* room = index_.find(id);
    if (room && room->first > 0 && room->due > now) {
      next = std::min(next, room->due);
      return false;
    }
    if (room) flush(*room);
    return true;
  });
  if (next >= flush_at_) return;
  flush_at_ = next;
  const auto delay = std::chrono::ceil<milliseconds>(next - now);
  flush_timer_ = hub_.shards->after(shard_, delay, [this, hub = hub_.weak_from_this()] {
    const auto alive = hub.lock();
    if (!alive || !alive->running) return;
    flush_at_ = Moment::max();
    flush_touched();
  });
}

void Node::spawn(std::string name, boost::asio::awaitable<void> task) {
  hub_.tasks.spawn(hub_.shards->executor(shard_), std::move(name), std::move(task));
}

// ---- time ----

void Node::begin() { schedule_tick(); }

void Node::schedule_tick() {
  timer_ = hub_.shards->after(shard_, milliseconds(1000), [this, hub = hub_.weak_from_this()] {
    const auto alive = hub.lock();
    if (!alive || !alive->running) return;
    tick();
    schedule_tick();
  });
}

void Node::tick() {
  contact_ = hub_.verifier->in_contact();
  const auto now = hub_.clock->moment();
  const auto wall = hub_.clock->now();
  for (const auto& session : sessions_) session->tick(now, wall);
  home_rooms_.tick(now);
  home_users_.tick();
  if (now < people_swept_ + person_age) return;
  people_swept_ = now;
  std::erase_if(people_, [&](const auto& one) { return one.second.until <= now; });
}

void Node::drain() {
  for (const auto& session : sessions_) session->drain();
  drain_timer_ = hub_.shards->after(shard_, drain_pause, [this] {
    for (const auto& session : sessions_) session->close(code::going_away, "the server is going away: reconnect with resume");
  });
}

void Node::end() {
  timer_.reset();
  drain_timer_.reset();
  flush_timer_.reset();
  home_rooms_.end();
  home_users_.end();
  const auto sessions = std::move(sessions_);
  sessions_ = std::vector<SessionPtr>();
  for (const auto& session : sessions) {
    session->state_ = Session::State::closing;
    detach(*session);
    hub_.connections_open.fetch_sub(1);
    hub_.numbers.connections.add(-1);
  }
}

// ---- connections ----

void Node::add(const SessionPtr& session) {
  session->index_ = static_cast<std::uint32_t>(sessions_.size());
  sessions_.push_back(session);
  hub_.connections_open.fetch_add(1);
  hub_.numbers.connections.add(1);
  session->start();
}

void Node::remove(Session& session) {
  const auto at = session.index_;
  if (at >= sessions_.size() || sessions_[at].get() != &session) return;
  const auto kept = std::move(sessions_[at]);
  if (at + 1 != sessions_.size()) {
    sessions_[at] = std::move(sessions_.back());
    sessions_[at]->index_ = at;
  }
  sessions_.pop_back();
  give_back_capacity(sessions_);
  detach(session);
  hub_.connections_open.fetch_sub(1);
  hub_.numbers.connections.add(-1);
}

void Node::detach(Session& session) {
  if (std::exchange(session.ended_, true)) return;
  session.feeds_.clear();
  session.outbox_.clear();
  session.merged_.reset();
  while (!session.places.empty()) leave(session, *session.places.back().room);
  if (!session.caller_) return;
  index_.stand(session);
  hub_.home(session.user).mail([user = session.user, number = session.number_](Node& home) { home.home_users_.close(user, number); });
}

void Node::close_connection(std::uint64_t number, int code, const std::string& reason) {
  for (const auto& session : sessions_)
    if (session->number_ == number) session->close(code, reason);
}

void Node::revoke(const UserId& user, const SessionId& session) {
  const auto* entry = index_.user(user);
  if (!entry) return;
  for (auto* seat : entry->seats) {
    auto& one = static_cast<Session&>(*seat);
    if (session.nil() || one.caller_->session == Uuid(session)) one.close(code::revoked, "the session has ended");
  }
}

// ---- turns at the log ----

bool Node::may_feed(Session& session) {
  if (feeding_ < feeds_max) {
    ++feeding_;
    return true;
  }
  const auto weak = session.weak_from_this();
  const auto same = [&](const auto& one) { return !one.owner_before(weak) && !weak.owner_before(one); };
  const bool known = std::any_of(waiting_.begin(), waiting_.end(), same);
  if (!known) waiting_.push_back(weak);
  return false;
}

void Node::fed() {
  --feeding_;
  if (waiting_.empty()) return;
  mail([next = waiting_.front()](Node& node) {
    if (auto session = next.lock()) session->feed();
    // It may have nothing to read any more: then it is the next one's turn.
    if (node.feeding_ < feeds_max && !node.waiting_.empty()) {
      ++node.feeding_;
      node.fed();
    }
  });
  waiting_.pop_front();
}

// ---- what is asked of others ----

Async<user::Person> Node::person(UserId id) {
  const auto now = hub_.clock->moment();
  if (const auto known = people_.find(id); known != people_.end() && known->second.until > now) co_return known->second.person;
  const auto changes = people_changes_;
  user::GetPeople request;
  request.ids.push_back(id);
  auto people = co_await asked(hub_.directory, hub_.context(), std::move(request));
  if (!people) co_return people.error();
  if (people->items.empty()) co_return Error(Errc::not_found, "there is no such person");
  auto person = std::move(people->items.front());
  if (changes == people_changes_) {
    if (people_.size() >= people_max) people_.clear();
    Known entry;
    entry.person = person;
    entry.until = now + person_age;
    people_.insert_or_assign(id, std::move(entry));
  }
  co_return person;
}

// A cursor is given out once all that it stands for has surely been pushed: some seconds later. An older one only names a room too many.
std::optional<std::string> Node::settled_cursor(Moment since) const {
  const auto now = hub_.clock->moment();
  if (!cursors_.fresh.empty() && now - cursors_.fresh_at >= cursor_age)
    return cursors_.fresh_at > since ? std::optional(cursors_.fresh) : std::nullopt;
  if (!cursors_.settled.empty() && cursors_.settled_at > since) return cursors_.settled;
  return std::nullopt;
}

void Node::want_cursor() {
  const auto now = hub_.clock->moment();
  if (cursors_.reading) return;
  if (!cursors_.fresh.empty()) {
    if (now - cursors_.fresh_at < cursor_age) return;
    cursors_.settled = std::move(cursors_.fresh);
    cursors_.settled_at = cursors_.fresh_at;
    cursors_.fresh.clear();
  }
  cursors_.reading = true;
  spawn("realtime.cursor", read_cursor(this));
}

boost::asio::awaitable<void> Node::read_cursor(Node* node) {
  chat::GetCursor request;
  const auto reply = co_await asked(node->hub_.live, node->hub_.context(), request);
  node->cursors_.reading = false;
  if (!reply) co_return;
  node->cursors_.fresh = reply->cursor;
  node->cursors_.fresh_at = node->hub_.clock->moment();
}

}  // namespace loggia::realtime
