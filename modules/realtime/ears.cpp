#include "ears.hpp"
#include "loggia/chat/events.hpp"
#include "loggia/kernel/json.hpp"
#include "loggia/kernel/log.hpp"
#include "loggia/notification/events.hpp"
#include "loggia/realtime/events.hpp"
#include "loggia/user/events.hpp"
#include "node.hpp"

namespace loggia::realtime {
namespace {

template <class T> std::optional<T> data_of(const EventPtr& event) {
  auto data = decode_text<T>(*event->data, Manner::lenient);
  if (data) return std::move(*data);
  log::warn("realtime.event_unknown", Field("topic", event->topic), Field("type", event->type));
  return std::nullopt;
}

void status_update(const Hub& hub, const EventPtr& event) {
  if (event->type == PresenceChanged::type) {
    const auto lease = data_of<PresenceChanged>(event);
    if (lease) hub.home(lease->user_id).mail([lease = *lease](Node& home) { home.home_users().lease(lease); });
  } else if (event->type == user::StatusChanged::type) {
    const auto status = data_of<user::StatusChanged>(event);
    if (!status) return;
    for (const auto& node : hub.nodes) node->mail([user = status->user_id](Node& there) { there.forget_person(user); });
    hub.home(status->user_id).mail([user = status->user_id](Node& home) { home.home_users().changed(user); });
  }
}

void user_event(const Hub& hub, const EventPtr& event) {
  if (event->type != user::UserChanged::type) return;
  const auto changed = data_of<user::UserChanged>(event);
  if (!changed) return;
  for (const auto& node : hub.nodes)
    node->mail([user = changed->user_id, presence = changed->show_presence, receipts = changed->show_receipts](Node& there) {
      there.forget_person(user);
      there.settings(user, presence, receipts);
    });
  if (changed->show_presence) hub.home(changed->user_id).mail([user = changed->user_id](Node& home) { home.home_users().changed(user); });
}

}  // namespace

void listen(const std::shared_ptr<Hub>& hub, Bus& bus) {
  const auto follow = [&](std::string_view topic, void (*handle)(const Hub&, const EventPtr&)) {
    bus.follow(std::string(topic), [weak = std::weak_ptr<Hub>(hub), handle](const EventPtr& event) {
      if (const auto there = weak.lock(); there && there->running) handle(*there, event);
    });
  };
  follow(chat::TimelineFrame::topic, [](const Hub& there, const EventPtr& event) {
    const auto room = RoomId::parse(event->key);
    if (room) there.home(*room).mail([room = *room, event](Node& home) { home.home_rooms().event(room, event); });
  });
  follow(chat::ReceiptMoved::topic, [](const Hub& there, const EventPtr& event) {
    if (event->type != chat::ReceiptMoved::type) return;
    const auto moved = data_of<chat::ReceiptMoved>(event);
    if (moved) there.home(moved->room).mail([moved = *moved](Node& home) { home.home_rooms().receipt(moved); });
  });
  follow(TypingStarted::topic, [](const Hub& there, const EventPtr& event) {
    if (event->type != TypingStarted::type) return;
    if (const auto typing = data_of<TypingStarted>(event))
      there.home(typing->room).mail([typing = *typing](Node& home) { home.home_rooms().typing(typing.room, typing.user_id); });
  });
  follow(PresenceChanged::topic, status_update);
  follow(user::UserChanged::topic, user_event);
  follow(notification::NotificationCreated::topic, [](const Hub& there, const EventPtr& event) {
    if (event->type != notification::NotificationCreated::type) return;
    const auto user = UserId::parse(event->key);
    if (user) there.home(*user).mail([user = *user, event](Node& home) { home.home_users().notification(user, event); });
  });
}

auth::Verifier::Watch watch_revocations(const std::shared_ptr<Hub>& hub) {
  return hub->verifier->on_revoked([weak = std::weak_ptr<Hub>(hub)](UserId user, SessionId session) {
    const auto there = weak.lock();
    if (!there) return;
    for (const auto& node : there->nodes) node->mail([user, session](Node& here) { here.revoke(user, session); });
  });
}

}  // namespace loggia::realtime
