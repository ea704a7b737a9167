#include "listener.hpp"
#include "loggia/auth/events.hpp"
#include "loggia/chat/events.hpp"
#include "loggia/kernel/announce.hpp"
#include "loggia/kernel/json.hpp"
#include "loggia/kernel/json_value.hpp"
#include "loggia/notification/events.hpp"
#include "mailing.hpp"
#include "store.hpp"

namespace loggia::notification {
namespace {

Apply nothing() { return Apply(); }

template <class T> Result<T> data_of(const std::string& text) {
  auto data = decode_text<T>(text, Manner::lenient);
  // What cannot be read now can never be.
  if (!data) return Error(Errc::invalid_request, "the event's data does not fit its type: " + data.error().detail);
  return data;
}

NotificationCreated event_of(const UserId& user, const Notification& notification) {
  NotificationCreated out;
  out.id = notification.id;
  out.user_id = user;
  out.kind = notification.kind;
  out.room = notification.room;
  out.seq = notification.seq;
  out.from = notification.from;
  out.created_at = notification.created_at;
  return out;
}

/// One person's result, ready to be stored.
struct Told {
  UserId user;
  std::string rules;
  std::optional<Notification> notification;
};

Apply store_all(std::shared_ptr<Parts> parts, Trace trace, Message message, std::vector<Told> outcomes) {
  return [parts = std::move(parts), trace = std::move(trace), message, outcomes = std::move(outcomes)](Transaction& transaction) -> Result<bool> {
    for (const auto& one : outcomes) {
      store::put_decision(transaction, message.room, message.seq, one.user, one.notification.has_value(), one.rules, message.at);
      if (!one.notification || !store::insert(transaction, one.user, *one.notification)) continue;
      announce(*parts->log, transaction, event_of(one.user, *one.notification), one.user.text(), trace);
      MailItem item;
      item.notification = one.notification->id;
      item.room = message.room;
      item.seq = message.seq;
      item.at = message.at;
      queue_mail(*parts, transaction, one.user, item, one.notification->created_at);
    }
    return true;
  };
}

/// Without reading the message: a quote within a person's text is always escaped, so that an unescaped name is the message's own.
bool mentions_nobody(std::string_view frame) {
  return frame.find(R"("mentions":[])") != frame.npos && frame.find(R"("mentions_room":true)") == frame.npos;
}

Async<Apply> created(std::shared_ptr<Parts> parts, Context context, chat::TimelineFrame frame) {
  auto message = data_of<chat::Message>(frame.data.text);
  if (!message) co_return message.error();
  if (message->deleted.value_or(false)) co_return nothing();
  const bool mentions = !message->mentions.empty() || message->mentions_room.value_or(false);
  if (!mentions && !parts->choices.may_interest(frame.room)) co_return nothing();
  const auto audiences = parts->ports.get<chat::Audiences>();
  auto recipients = co_await audiences->ask<chat::GetRecipients>(context, frame.room, message->seq);
  if (!recipients && recipients.error().code == Errc::not_found) co_return nothing();
  if (!recipients) co_return recipients.error();
  parts->choices.learn(frame.room, recipients->kind == "direct");
  Message judged_message;
  judged_message.room = frame.room;
  judged_message.seq = message->seq;
  judged_message.at = frame.at;
  auto judged = co_await judge(parts, context, judged_message, std::move(*recipients), false);
  if (!judged) co_return judged.error();
  std::vector<Told> outcomes;
  for (auto& one : *judged) {
    auto& outcome = outcomes.emplace_back();
    outcome.user = one.user;
    outcome.rules = encode(one.decision.rules);
    if (!one.decision.kind) continue;
    auto& notification = outcome.notification.emplace();
    notification.id = parts->ids->make<NotificationId>();
    notification.kind = *one.decision.kind;
    notification.room = frame.room;
    notification.seq = message->seq;
    notification.from = message->author;
    notification.created_at = parts->clock->now();
  }
  if (outcomes.empty()) co_return nothing();
  co_return store_all(parts, context.trace(), judged_message, std::move(outcomes));
}

Result<Apply> deleted(const chat::TimelineFrame& frame) {
  const auto gone = data_of<chat::MessageGone>(frame.data.text);
  if (!gone) return gone.error();
  return Apply([room = frame.room, seq = gone->seq](Transaction& transaction) -> Result<bool> {
    store::forget_message(transaction, room, seq);
    return true;
  });
}

Result<Apply> left(const chat::TimelineFrame& frame) {
  const auto gone = data_of<chat::MemberGone>(frame.data.text);
  if (!gone) return gone.error();
  return Apply([room = frame.room, user = gone->user_id](Transaction& transaction) -> Result<bool> {
    store::forget_member(transaction, room, user);
    return true;
  });
}

Apply room_gone(const std::shared_ptr<Parts>& parts, const RoomId& room) {
  return [parts, room](Transaction& transaction) -> Result<bool> {
    store::forget_room(transaction, room);
    transaction.on_commit([parts, room] { parts->choices.forget_room(room); });
    return true;
  };
}

}  // namespace

Async<Apply> on_timeline(std::shared_ptr<Parts> parts, Context context, EventPtr event) {
  if (!event->data || event->data->empty()) co_return nothing();  // erased by its producer meanwhile
  // Most messages: they are for nobody here, and cost a search.
  if (event->type == "message.created" && mentions_nobody(*event->data)) {
    const auto room = RoomId::parse(event->key);
    if (room && !parts->choices.may_interest(*room)) co_return nothing();
  }
  auto frame = data_of<chat::TimelineFrame>(*event->data);
  if (!frame) co_return frame.error();
  if (event->type == "message.created") co_return co_await created(std::move(parts), std::move(context), std::move(*frame));
  if (event->type == "message.deleted") co_return deleted(*frame);
  if (event->type == "member.left") co_return left(*frame);
  if (event->type == "room.deleted") co_return room_gone(parts, frame->room);
  co_return nothing();
}

Async<Apply> on_user(std::shared_ptr<Parts> parts, Context, EventPtr event) {
  if (event->type != auth::UserDeleted::type || !event->data) co_return nothing();
  const auto gone = data_of<auth::UserDeleted>(*event->data);
  if (!gone) co_return gone.error();
  Apply apply = [parts, user = gone->user_id](Transaction& transaction) -> Result<bool> {
    store::forget_user(transaction, user);
    transaction.on_commit([parts, user] {
      parts->choices.put(user, nullptr);
      if (parts->tell_others) parts->tell_others(user);
    });
    return true;
  };
  co_return apply;
}

}  // namespace loggia::notification
