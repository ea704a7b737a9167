#include "service.hpp"
#include <algorithm>
#include "loggia/kernel/json.hpp"
#include "loggia/kernel/json_value.hpp"
#include "mailing.hpp"
#include "store.hpp"

namespace loggia::notification {
namespace {

constexpr std::int64_t page_standard = 50;

Settings view(const Chosen& chosen) {
  Settings out;
  out.default_ = word_of(chosen.level);
  for (const auto& [room, level] : chosen.rooms) out.rooms.emplace(room.text(), word_of(level));
  if (chosen.quiet) {
    auto& hours = out.quiet_hours.emplace();
    hours.from = clock_text(chosen.quiet->from);
    hours.to = clock_text(chosen.quiet->to);
  }
  out.email = chosen.email;
  out.web_push = chosen.web_push;
  return out;
}

Result<Chosen> chosen_of(const PutSettings& request) {
  Chosen out;
  std::vector<FieldError> wrong;
  out.level = level_of(request.default_);
  for (const auto& [room, level] : request.rooms) {
    const auto id = RoomId::parse(room);
    if (id) out.rooms.emplace(*id, level_of(level));
    else wrong.push_back({pointer_to("/rooms", room), "is the id of a room"});
  }
  if (request.quiet_hours) {
    const auto from = parse_clock(request.quiet_hours->from), to = parse_clock(request.quiet_hours->to);
    if (!from) wrong.push_back({"/quiet_hours/from", "is a time of day such as 22:00"});
    if (!to) wrong.push_back({"/quiet_hours/to", "is a time of day such as 07:30"});
    if (from && to && *from == *to)
      wrong.push_back({"/quiet_hours/to", "differs from `from`; leave quiet_hours out for none, or set the default to none"});
    auto& quiet = out.quiet.emplace();
    quiet.from = from.value_or(0);
    quiet.to = to.value_or(0);
  }
  out.email = request.email;
  out.web_push = request.web_push;
  if (wrong.empty()) return out;
  const std::string text = wrong[0].pointer + " " + wrong[0].detail;
  return Error(Errc::invalid_request, text, std::move(wrong));
}

NotificationId newest() {
  Bytes16 all;
  all.fill(0xFF);
  return NotificationId(all);
}

struct Stored {
  std::optional<store::StoredDecision> decision;
  std::optional<store::MailState> mail;
  bool notified = false;
};

void add_mail(Explanation& out, const Parts& parts, const UserId& me, const std::optional<store::MailState>& mail) {
  if (!out.notified) return;  // a mail tells of nothing else
  auto& rule = out.rules.emplace_back();
  rule.rule = "mail";
  rule.result = mail_words(parts, me, mail);
}

}  // namespace

Async<Settings> NotificationsHere::on(Context context, GetSettings) {
  const UserId me(context.caller().subject);
  if (parts_->database->shared()) {  // somebody may have chosen at another process a moment ago
    auto work = [me](Query& query) -> Result<Settings> {
      const auto found = store::settings_between(query, me, me);
      return view(found.empty() ? Chosen() : *found.front().second);
    };
    auto stored = co_await parts_->database->read(context, std::move(work));
    co_return stored;
  }
  const auto chosen = parts_->choices.of(me);
  co_return view(chosen ? *chosen : Chosen());
}

Async<Settings> NotificationsHere::on(Context context, PutSettings request) {
  auto wanted = chosen_of(request);
  if (!wanted) co_return wanted.error();
  auto chosen = std::make_shared<const Chosen>(std::move(*wanted));
  auto work = [parts = parts_, chosen, me = UserId(context.caller().subject)](Transaction& transaction) -> Result<Settings> {
    store::put_settings(transaction, me, *chosen);
    transaction.on_commit([parts, chosen, me] {
      parts->choices.put(me, chosen);
      if (parts->tell_others) parts->tell_others(me);
    });
    return view(*chosen);
  };
  auto stored = co_await parts_->database->write(context, std::move(work));
  co_return stored;
}

Async<NotificationList> NotificationsHere::on(Context context, ListNotifications request) {
  const auto limit = request.limit.value_or(page_standard);
  const auto before = request.cursor ? NotificationId::parse(*request.cursor) : Result<NotificationId>(newest());
  if (!before) co_return wrong_field("/cursor", "is not a cursor of this list");
  auto work = [me = UserId(context.caller().subject), before = *before, limit](Query& query) -> Result<NotificationList> {
    NotificationList out;
    out.items = store::page(query, me, before, limit + 1);
    if (out.items.size() > static_cast<std::size_t>(limit)) {
      out.items.pop_back();
      out.next = out.items.back().id.text();
    }
    return out;
  };
  auto page = co_await parts_->database->read(context, std::move(work));
  co_return page;
}

Async<Nothing> NotificationsHere::on(Context context, MarkNotificationsRead request) {
  const bool all = request.all.value_or(false);
  if (all == request.ids.has_value()) co_return Error(Errc::invalid_request, "name the notifications in `ids`, or send `all`: true; one of the two");
  auto work = [me = UserId(context.caller().subject), all,
               ids = request.ids.value_or(std::vector<NotificationId>())](Transaction& transaction) -> Result<Nothing> {
    if (all) store::mark_all_read(transaction, me);
    else store::mark_read(transaction, me, ids);
    return Nothing();
  };
  auto done = co_await parts_->database->write(context, std::move(work));
  co_return done;
}

/// As it was decided then; what was not written down is decided again, and says so.
Async<Explanation> NotificationsHere::on(Context context, Explain request) {
  const UserId me(context.caller().subject);
  const auto audiences = parts_->ports.get<chat::Audiences>();
  auto message = co_await audiences->ask<chat::GetAttention>(context, request.room, request.seq, me);  // who is not in the room learns nothing
  if (!message) co_return message.error();
  auto work = [me, request](Query& query) -> Result<Stored> {
    Stored out;
    out.decision = store::decision(query, request.room, request.seq, me);
    out.notified = store::notified(query, request.room, request.seq, me);
    out.mail = store::mail_state(query, request.room, request.seq, me);
    return out;
  };
  auto stored = co_await parts_->database->read(context, std::move(work));
  if (!stored) co_return stored.error();
  Explanation out;
  if (stored->decision) {
    out.notified = stored->decision->notified;
    auto rules = decode_text<std::vector<RuleResult>>(stored->decision->rules, Manner::lenient);
    if (!rules) co_return rules.error();
    out.rules = std::move(*rules);
    add_mail(out, *parts_, me, stored->mail);
    co_return out;
  }
  chat::Recipients recipients;
  recipients.author = message->author;
  if (message->author == me) {
    recipients.items.emplace_back().user_id = me;
  } else {
    auto found = co_await audiences->ask<chat::GetRecipients>(context, request.room, request.seq);
    if (!found) co_return found.error();
    recipients = std::move(*found);
    std::erase_if(recipients.items, [&](const chat::Recipient& one) { return one.user_id != me; });
    if (recipients.items.empty()) co_return Error(Errc::not_found, "you are not in this room");
  }
  Message judged_message;
  judged_message.room = request.room;
  judged_message.seq = request.seq;
  judged_message.at = message->created_at;
  auto judged = co_await judge(parts_, context, judged_message, std::move(recipients), true);
  if (!judged) co_return judged.error();
  for (auto& one : *judged) out.rules = std::move(one.decision.rules);
  const bool would = !judged->empty() && judged->front().decision.kind.has_value();
  out.notified = stored->notified;
  if (would != stored->notified) {
    auto& note = out.rules.emplace_back();
    note.rule = "record";
    note.result = stored->notified ? "you were notified then; by today's settings you would not be"
                                   : "nothing was written down then; by today's settings you would be notified";
  }
  add_mail(out, *parts_, me, stored->mail);
  co_return out;
}

}  // namespace loggia::notification
