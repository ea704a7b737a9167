#include "home_users.hpp"
#include <algorithm>
#include <unordered_set>
#include "frames.hpp"
#include "loggia/kernel/json.hpp"
#include "loggia/kernel/log.hpp"
#include "loggia/notification/events.hpp"
#include "node.hpp"
#include "protocol.hpp"

namespace loggia::realtime {
namespace {

constexpr milliseconds home_retry_pause{1000};

}  // namespace

// ---- connections ----

void HomeUsers::open(const UserId& user, Connection connection) {
  connection.opened = node_.hub().clock->now();
  connections_.open(user, connection);
  close_displaced(user);
  if (others_) connections_.changed(user);
  signal(user);
}

void HomeUsers::close_displaced(const UserId& user) {
  auto& hub = node_.hub();
  for (const auto& one : connections_.displaced(user, hub.instance, leases_.elsewhere(user, hub.instance, hub.clock->now())))
    hub.nodes[one.shard]->mail(
        [number = one.number](Node& there) { there.close_connection(number, code::too_many, "a user has at most 20 connections"); });
}

void HomeUsers::close(const UserId& user, std::uint64_t number) {
  connections_.close(user, number);
  if (others_) connections_.changed(user);
  signal(user);
}

void HomeUsers::set_away(const UserId& user, std::uint64_t number, bool away) {
  connections_.set_away(user, number, away);
  signal(user);
}

bool HomeUsers::connected(const UserId& user) const {
  const auto* all = connections_.of(user);
  return all && !all->empty();
}

void HomeUsers::push(const UserId& user, const SharedBytes& frame) {
  const auto* all = connections_.of(user);
  if (!all) return;
  std::vector<std::uint16_t> shards;
  for (const auto& one : *all)
    if (std::find(shards.begin(), shards.end(), one.shard) == shards.end()) shards.push_back(one.shard);
  for (const auto shard : shards) node_.hub().nodes[shard]->mail([user, frame](Node& there) { there.to_user(user, frame); });
}

void HomeUsers::notification(const UserId& user, const EventPtr& event) {
  if (!connected(user)) return;
  const auto made = decode_text<notification::NotificationCreated>(*event->data, Manner::lenient);
  if (!made) return log::warn("realtime.notification_unknown", Field("sequence", event->sequence));
  NotificationData data;
  data.id = made->id;
  data.kind = made->kind;
  data.room = made->room;
  data.seq = made->seq;
  data.from = made->from;
  data.created_at = made->created_at;
  data.read = made->read;
  push(user, framed(push_frame(NotificationData::ev, RoomId(), made->created_at, encode(data))));
}

void HomeUsers::own_receipt(const chat::ReceiptMoved& moved) {
  if (connected(moved.user_id)) node_.spawn("realtime.own_receipt", send_own_receipt(this, moved));
}

boost::asio::awaitable<void> HomeUsers::send_own_receipt(HomeUsers* homes, chat::ReceiptMoved moved) {
  auto& hub = homes->node_.hub();
  chat::GetStanding request;
  request.room = moved.room;
  request.user = moved.user_id;
  const auto standing = co_await asked(hub.live, hub.context(), request);
  if (!standing) co_return;  // no member any more
  ReceiptData data;
  data.user_id = moved.user_id;
  data.seq = std::max(moved.seq, standing->read_seq);
  data.unread = standing->unread;
  data.mentions = standing->mentions;
  homes->push(moved.user_id, framed(push_frame(ReceiptData::ev, moved.room, moved.at, encode(data))));
}

// ---- leases ----

void HomeUsers::signal(const UserId& user) {
  auto& hub = node_.hub();
  const auto now = hub.clock->now();
  const std::string state(connections_.state(user));
  if (!connections_.signal_due(user, now)) return;
  PresenceChanged changed;
  changed.user_id = user;
  changed.instance = hub.instance;
  changed.state = state;
  changed.until = state == "offline" ? now : now + lease_time;
  if (const auto* all = others_ ? connections_.of(user) : nullptr) {
    auto& opened = changed.opened.emplace();
    for (const auto& one : *all) opened.push_back(one.opened);
  }
  lease(changed);  // here at once, also while the bus is away
  hub.bus->signal("realtime", PresenceChanged::topic, PresenceChanged::type, user.text(), encode(changed), std::string());
}

void HomeUsers::lease(const PresenceChanged& lease) {
  others_ = others_ || lease.instance != node_.hub().instance;
  if (leases_.apply(lease, node_.hub().clock->now())) announce(lease.user_id, false);
  if (lease.opened && lease.instance != node_.hub().instance) close_displaced(lease.user_id);
}

void HomeUsers::changed(const UserId& user) {
  node_.forget_person(user);
  announce(user, true);
}

void HomeUsers::tick() {
  const auto now = node_.hub().clock->now();
  for (const auto& user : connections_.renewals(now)) signal(user);
  for (const auto& user : leases_.expire(now)) announce(user, false);
}

void HomeUsers::end() {
  told_.clear();
  connections_ = Connections();
}

// ---- what others see ----

void HomeUsers::announce(const UserId& user, bool in_any_case) {
  if (!node_.hub().running) return;
  auto& told = told_[user];
  told.in_any_case = told.in_any_case || in_any_case;
  told.again = true;
  if (std::exchange(told.telling, true)) return;
  node_.spawn("realtime.presence", tell(this, user));
}

boost::asio::awaitable<void> HomeUsers::tell(HomeUsers* homes, UserId user) {
  auto& node = homes->node_;
  auto& hub = node.hub();
  while (homes->told_[user].again) {
    homes->told_[user].again = false;
    const bool in_any_case = std::exchange(homes->told_[user].in_any_case, false);
    const auto person = co_await node.person(user);
    PresenceData data;
    data.user_id = user;
    data.state = person && person->show_presence ? homes->leases_.state(user, hub.clock->now()) : "offline";
    const bool changed = data.state != homes->told_[user].state;
    if (!changed && (!in_any_case || data.state == "offline")) continue;
    chat::GetAudience who;
    who.user = user;
    const auto audience = co_await asked(hub.live, hub.context(), who);
    user::GetBlocked block;
    block.user = user;
    const auto blocked = co_await asked(hub.directory, hub.context(), block);
    if (!audience || !blocked) {
      const auto slept = co_await sleep_for(home_retry_pause);
      if (!slept) co_return;
      homes->told_[user].again = true;
      homes->told_[user].in_any_case = in_any_case;
      continue;
    }
    const std::unordered_set<UserId> hidden(blocked->ids.begin(), blocked->ids.end());
    auto shown = std::make_shared<std::vector<UserId>>();
    for (const auto& id : audience->ids)
      if (id != user && !hidden.contains(id)) shown->push_back(id);
    const auto now = hub.clock->now();
    if (data.state == "offline" && person && person->show_presence) data.last_seen = now;
    if (person && person->show_presence && person->status_text && !person->status_text->empty()) data.status_text = person->status_text;
    const auto frame = framed(push_frame(PresenceData::ev, RoomId(), now, encode(data)));
    for (const auto& one : hub.nodes) one->mail([shown, user, frame](Node& there) { there.presence(*shown, user, frame); });
    homes->told_[user].state = data.state;
  }
  homes->told_[user].telling = false;
  if (homes->told_[user].state == "offline") homes->told_.erase(user);
}

}  // namespace loggia::realtime
