#include "mailing.hpp"
#include <algorithm>
#include "digest.hpp"
#include "elsewhere.hpp"
#include "loggia/auth/contract.hpp"
#include "loggia/kernel/announce.hpp"
#include "loggia/notification/events.hpp"

namespace loggia::notification {
namespace {

/// NotificationDelivered or NotificationFailed, of mail.
template <class T> T outcome(const NotificationId& id, const UserId& user, std::optional<std::string> detail) {
  T out;
  out.id = id;
  out.user_id = user;
  out.channel = "email";
  out.detail = std::move(detail);
  return out;
}

/// Everything that is asked about one item, decided.
struct Verdict {
  enum class How { keep, drop, hold, late } how = How::drop;
  std::string why;
  DigestLine line;
  UserId author;
};

Verdict dropped(std::string why) {
  Verdict out;
  out.why = std::move(why);
  return out;
}

/// The rules of the notification itself, with what is so now: it may have been read, edited, blocked or muted since.
Async<Verdict> judged_now(std::shared_ptr<Parts> parts, Context context, UserId person, MailItem item) {
  const auto now = parts->clock->now();
  if (item.seen) co_return dropped("you had seen the notification");
  if (now - item.at >= mail_waits_at_most) {
    Verdict out;
    out.how = Verdict::How::late;
    co_return out;
  }
  const auto audiences = parts->ports.get<chat::Audiences>();
  auto attention = co_await audiences->ask<chat::GetAttention>(context, item.room, item.seq, person);
  if (!attention && attention.error().code == Errc::not_found) co_return dropped(attention.error().detail);
  if (!attention && attention.error().code == Errc::forbidden) co_return dropped("you are not in the room any more");
  if (!attention) co_return attention.error();
  chat::Recipients recipients;
  recipients.kind = attention->kind;
  recipients.author = attention->author;
  auto& one = recipients.items.emplace_back();
  one.user_id = person;
  one.read_seq = attention->read_seq;
  one.mentioned = attention->mentioned;
  Message message;
  message.room = item.room;
  message.seq = item.seq;
  message.at = now;
  auto judged = co_await judge(parts, context, message, std::move(recipients), true);
  if (!judged) co_return judged.error();
  if (judged->empty()) co_return dropped("you are not in the room any more");
  const auto& decision = judged->front().decision;
  Verdict out;
  out.author = attention->author;
  out.line.room = item.room;
  out.line.room_name = attention->name.value_or("");
  if (decision.kind) {
    out.how = Verdict::How::keep;
    out.line.kind = *decision.kind;
  } else if (!decision.rules.empty()) {
    const auto& last = decision.rules.back();
    if (last.rule == "quiet_hours") out.how = Verdict::How::hold;
    out.why = last.rule == "quiet_hours" ? "it waits for the end of your quiet hours" : last.result;
  }
  co_return out;
}

}  // namespace

struct Digests::Sorted {
  std::vector<MailItem> kept;
  std::vector<DigestLine> lines;  // of those
  std::vector<UserId> authors;    // of those
  std::vector<std::pair<NotificationId, std::string>> dropped;
  std::vector<NotificationId> late;
  std::string address;
  bool hold = false;
};
struct Digests::Found {
  std::optional<MailPerson> person;
  std::vector<MailItem> items;
};

Time mail_due(std::optional<Time> mailed_at, Time since, milliseconds after) {
  const auto due = since + after;
  return mailed_at ? std::max(due, *mailed_at + after * pause_of_mails) : due;
}

void queue_mail(const Parts& parts, Transaction& transaction, const UserId& person, const MailItem& item, Time now) {
  const auto chosen = parts.choices.of(person);
  // What is read again from an old event is no news.
  if (!parts.mail || !chosen || !chosen->email || now - item.at >= mail_waits_at_most) return;
  store::add_mail_item(transaction, person, item, now, parts.mail_after, &mail_due);
  transaction.on_commit([wake = parts.wake_mail] {
    if (wake) wake();
  });
}

Async<std::optional<QueuedMail>> Digests::take(Context context, Time now, Time until) {
  if (now < parts_->mails_from) co_return std::optional<QueuedMail>();
  auto work = [now, until](Transaction& transaction) -> Result<std::optional<QueuedMail>> {
    return store::take_person(transaction, now, until, mail_waits_at_most);
  };
  auto taken = co_await parts_->database->write(context, std::move(work));
  co_return taken;
}

/// Who gets one at all, and which of the messages are still worth it.
Async<bool> Digests::sort(Context context, UserId person, std::vector<MailItem> items, Sorted& sorted) {
  const auto none = [&](const std::string& why) {
    for (const auto& item : items) sorted.dropped.emplace_back(item.notification, why);
  };
  if (parts_->database->shared()) {
    auto read = co_await read_again(parts_, context, person);
    if (!read) co_return read.error();
  }
  const auto chosen = parts_->choices.of(person);
  if (!chosen || !chosen->email) {
    none("your settings want no mail");
    co_return true;
  }
  const auto mailboxes = parts_->ports.get<auth::Mailboxes>();
  auto mailbox = co_await mailboxes->ask<auth::GetMailbox>(context, person);
  if (!mailbox && mailbox.error().code != Errc::not_found) co_return mailbox.error();
  if (!mailbox || !mailbox->address) {
    none(!mailbox ? "the account is gone" : mailbox->disabled ? "the account is disabled" : "your account has no address that was confirmed");
    co_return true;
  }
  sorted.address = *mailbox->address;
  if (parts_->presence.here(person, parts_->clock->now())) sorted.hold = true;
  for (const auto& item : items) {
    auto verdict = co_await judged_now(parts_, context, person, item);
    if (!verdict) co_return verdict.error();
    if (verdict->how == Verdict::How::drop) {
      sorted.dropped.emplace_back(item.notification, verdict->why);
      continue;
    }
    if (verdict->how == Verdict::How::late) {
      sorted.late.push_back(item.notification);
      continue;
    }
    if (verdict->how == Verdict::How::hold) sorted.hold = true;
    sorted.kept.push_back(item);
    sorted.lines.push_back(std::move(verdict->line));
    sorted.authors.push_back(verdict->author);
  }
  co_return true;
}

/// Before anything is sent: what the mail will hold, so that each try holds the same. False: it took so long that another process is at it.
Async<bool> Digests::write_down(Context context, QueuedMail mail, MailPerson person, Sorted sorted) {
  const auto now = parts_->clock->now();
  auto work = [parts = parts_, mail, person, sorted = std::move(sorted), now, trace = context.trace()](Transaction& transaction) -> Result<bool> {
    if (!store::still_taken(transaction, mail)) return false;
    for (const auto& notification : sorted.late) {
      const std::string why = person.mail ? "was not to be delivered in time" : "it had become old";  // what was begun was tried
      store::settle_mail_item(transaction, notification, person.mail ? "failed" : "dropped", why, now);
      if (person.mail) announce(*parts->log, transaction, outcome<NotificationFailed>(notification, person.person, why), person.person.text(), trace);
    }
    for (const auto& [notification, why] : sorted.dropped) store::settle_mail_item(transaction, notification, "dropped", why, now);
    if (sorted.kept.empty()) store::end_mail(transaction, person.person, now, false, parts->mail_after, &mail_due);
    else if (sorted.hold) store::postpone_person(transaction, person.person, now + parts->mail_after, false);
    else if (!person.mail) store::begin_mail(transaction, person.person, sorted.kept.front().notification, sorted.kept, now);
    return true;
  };
  auto done = co_await parts_->database->write(context, std::move(work));
  co_return done;
}

Async<Mail> Digests::written(Context context, MailPerson person, Sorted sorted) {
  auto ids = sorted.authors;
  std::sort(ids.begin(), ids.end());
  ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
  const auto directory = parts_->ports.get<user::Directory>();
  auto people = co_await directory->ask<user::GetPeople>(context, std::move(ids));
  if (!people) co_return people.error();
  for (std::size_t at = 0; at < sorted.lines.size(); ++at) {
    const auto who = std::find_if(people->items.begin(), people->items.end(), [&](const user::Person& one) { return one.id == sorted.authors[at]; });
    const bool known = who != people->items.end() && !who->deleted;
    sorted.lines[at].author = !known ? "Somebody" : who->display_name.empty() ? who->username : who->display_name;
  }
  auto mail = digest(sorted.lines, parts_->link_base());
  mail.to = sorted.address;
  mail.id = person.mail.value_or(sorted.kept.front().notification).text();
  mail.written = person.begun_at.value_or(parts_->clock->now());
  co_return mail;
}

Async<std::optional<Mail>> Digests::compose(Context context, QueuedMail mail) {
  const UserId who(mail.key);
  auto look = [who](Query& query) -> Result<Found> {
    Found out;
    out.person = store::mail_person(query, who);
    if (out.person) out.items = store::mail_items(query, *out.person, items_of_a_mail);
    return out;
  };
  auto found = co_await parts_->database->read(context, std::move(look));
  if (!found) co_return found.error();
  if (!found->person) co_return std::optional<Mail>();
  Sorted sorted;
  auto done = co_await sort(context, who, std::move(found->items), sorted);
  if (!done) co_return done.error();
  auto stored = co_await write_down(context, mail, *found->person, sorted);
  if (!stored) co_return stored.error();
  if (!*stored || sorted.kept.empty() || sorted.hold) co_return std::optional<Mail>();
  auto out = co_await written(context, *found->person, std::move(sorted));
  if (!out) co_return out.error();
  co_return std::optional<Mail>(std::move(*out));
}

Async<bool> Digests::settle(Context context, QueuedMail mail, Settled settled) {
  const auto now = parts_->clock->now();
  auto work = [parts = parts_, mail, who = UserId(mail.key), settled, now, trace = context.trace()](Transaction& transaction) -> Result<bool> {
    // Else another process tries it too, under the same id, and writes down what came of it; or the account went meanwhile.
    if (!store::still_taken(transaction, mail)) return true;
    const auto person = store::mail_person(transaction, who);
    if (!person) return true;
    if (settled.how == Settled::How::again) {
      store::postpone_person(transaction, who, settled.again, true);
      return true;
    }
    const bool sent = settled.how == Settled::How::sent;
    const auto detail = sent ? std::nullopt : std::optional(settled.why);
    for (const auto& item : store::mail_items(transaction, *person, items_of_a_mail)) {
      store::settle_mail_item(transaction, item.notification, sent ? "sent" : "failed", detail, now);
      if (sent) announce(*parts->log, transaction, outcome<NotificationDelivered>(item.notification, who, detail), who.text(), trace);
      else announce(*parts->log, transaction, outcome<NotificationFailed>(item.notification, who, detail), who.text(), trace);
    }
    store::end_mail(transaction, who, now, sent, parts->mail_after, &mail_due);
    return true;
  };
  auto done = co_await parts_->database->write(context, std::move(work));
  co_return done;
}

Async<Waiting> Digests::waiting(Context context) {
  auto work = [](Query& query) -> Result<Waiting> { return store::waiting_people(query); };
  auto found = co_await parts_->database->read(context, std::move(work));
  if (found && found->due) found->due = std::max(*found->due, parts_->mails_from);
  co_return found;
}

Async<bool> Digests::release(Context context) {
  auto work = [now = parts_->clock->now()](Transaction& transaction) -> Result<bool> {
    store::release_people(transaction, now);
    return true;
  };
  auto done = co_await parts_->database->write(context, std::move(work));
  co_return done;
}

std::string mail_words(const Parts& parts, const UserId& person, const std::optional<store::MailState>& state) {
  if (state) {
    const auto at = [](const std::optional<Time>& time) { return time ? to_rfc3339(*time) : std::string("some time"); };
    if (state->state == "sent") return "sent at " + at(state->settled_at);
    if (state->state == "waiting") return "waits until " + at(state->due) + ": it goes out then if you have not read the message and are not here";
    return "not sent: " + state->detail.value_or("it is not known why");
  }
  if (!parts.mail) return "this server sends none";
  const auto chosen = parts.choices.of(person);
  return chosen && chosen->email ? "none was wanted when you were notified" : "off in your settings";
}

}  // namespace loggia::notification
