#include "mail_store.hpp"

namespace loggia::notification::store {
namespace {

/// What waits and when it is due are two tables: of two processes, one that adds and one that finds nothing more, the later sees what the other did.
void lock_person(Transaction& transaction, const Uuid& person) { transaction.lock(0, "SELECT 1 FROM mail_people WHERE person = ?1", person); }

/// When nothing of its mail is worth sending any more; what is older than the rest falls out of it before.
Time expires(Query& query, const Uuid& person, Time now, milliseconds waits_at_most) {
  auto rows = query.select(
      "SELECT max(i.at) FROM mail_items i JOIN mail_people p ON p.person = i.person WHERE p.person = ?1 AND i.state = 'waiting' AND (p.mail IS NULL "
      "OR i.mail = p.mail)",
      person);
  return (rows->next() ? rows->maybe_time(0).value_or(now) : now) + waits_at_most;
}

}  // namespace

void add_mail_item(Transaction& transaction, const UserId& person, const MailItem& item, Time now, milliseconds after, DueRule rule) {
  const auto added = transaction.execute(
      "INSERT INTO mail_items (notification, person, room, seq, at, state) VALUES (?1, ?2, ?3, ?4, ?5, 'waiting') ON CONFLICT DO NOTHING",
      item.notification, person, item.room, item.seq, item.at);
  if (added == 0) return;
  // A row that is not there cannot be locked.
  transaction.execute("INSERT INTO mail_people (person, since) VALUES (?1, ?2) ON CONFLICT DO NOTHING", person, now);
  lock_person(transaction, Uuid(person));
  std::optional<Time> due, mailed_at;
  {
    auto rows = transaction.select("SELECT due, mailed_at FROM mail_people WHERE person = ?1", person);
    if (rows->next()) {
      due = rows->maybe_time(0);
      mailed_at = rows->maybe_time(1);
    }
  }
  if (due) return;
  transaction.execute("UPDATE mail_people SET due = ?2, since = ?3, taken = 0, tries = 0 WHERE person = ?1", person, rule(mailed_at, now, after),
                      now);
}

std::optional<QueuedMail> take_person(Transaction& transaction, Time now, Time until, milliseconds waits_at_most) {
  std::vector<std::pair<QueuedMail, Time>> due;
  {
    auto rows = transaction.select("SELECT person, tries, due FROM mail_people WHERE due <= ?1 ORDER BY due, person LIMIT 8", now);
    while (rows->next()) {
      auto& [mail, at] = due.emplace_back();
      mail.key = rows->id<Uuid>(0);
      mail.tries = static_cast<int>(rows->integer(1));
      mail.until = until;
      at = rows->time(2);
    }
  }
  for (auto& [mail, at] : due) {  // another process may have been quicker
    lock_person(transaction, mail.key);
    if (transaction.execute("UPDATE mail_people SET due = ?2, taken = 1 WHERE person = ?1 AND due = ?3", mail.key, until, at) == 0) continue;
    mail.expires = expires(transaction, mail.key, now, waits_at_most);
    return mail;
  }
  return std::nullopt;
}

bool still_taken(Transaction& transaction, const QueuedMail& mail) {
  lock_person(transaction, mail.key);
  return transaction.select("SELECT 1 FROM mail_people WHERE person = ?1 AND taken = 1 AND due = ?2", mail.key, mail.until)->next();
}

std::optional<MailPerson> mail_person(Query& query, const UserId& person) {
  auto rows = query.select("SELECT mail, begun_at, mailed_at FROM mail_people WHERE person = ?1", person);
  if (!rows->next()) return std::nullopt;
  MailPerson out;
  out.person = person;
  out.mail = rows->maybe_id<NotificationId>(0);
  out.begun_at = rows->maybe_time(1);
  out.mailed_at = rows->maybe_time(2);
  return out;
}

std::vector<MailItem> mail_items(Query& query, const MailPerson& person, std::int64_t limit) {
  std::vector<MailItem> out;
  const auto read = [&](std::unique_ptr<Rows> rows) {
    while (rows->next()) {
      auto& one = out.emplace_back();
      one.notification = rows->id<NotificationId>(0);
      one.room = rows->id<RoomId>(1);
      one.seq = rows->integer(2);
      one.at = rows->time(3);
      one.seen = rows->null(4) || rows->flag(4);
    }
  };
  if (person.mail)
    read(
        query.select("SELECT i.notification, i.room, i.seq, i.at, n.read FROM mail_items i LEFT JOIN notifications n ON n.user = i.person AND n.id = "
                     "i.notification WHERE i.person = ?1 AND i.state = 'waiting' AND i.mail = ?2 ORDER BY i.notification LIMIT ?3",
                     person.person, *person.mail, limit));
  else
    read(
        query.select("SELECT i.notification, i.room, i.seq, i.at, n.read FROM mail_items i LEFT JOIN notifications n ON n.user = i.person AND n.id = "
                     "i.notification WHERE i.person = ?1 AND i.state = 'waiting' AND i.mail IS NULL ORDER BY i.notification LIMIT ?2",
                     person.person, limit));
  return out;
}

void settle_mail_item(Transaction& transaction, const NotificationId& notification, const std::string& state,
                      const std::optional<std::string>& detail, Time now) {
  transaction.execute("UPDATE mail_items SET state = ?2, detail = ?3, settled_at = ?4 WHERE notification = ?1", notification, state, detail, now);
}

void begin_mail(Transaction& transaction, const UserId& person, const NotificationId& mail, const std::vector<MailItem>& items, Time now) {
  for (const auto& item : items) transaction.execute("UPDATE mail_items SET mail = ?2 WHERE notification = ?1", item.notification, mail);
  transaction.execute("UPDATE mail_people SET mail = ?2, begun_at = ?3 WHERE person = ?1", person, mail, now);
}

void end_mail(Transaction& transaction, const UserId& person, Time now, bool mailed, milliseconds after, DueRule rule) {
  transaction.execute(
      "UPDATE mail_people SET mail = NULL, begun_at = NULL, tries = 0, taken = 0, mailed_at = CASE WHEN ?2 = 1 THEN ?3 ELSE mailed_at END "
      "WHERE person = ?1",
      person, mailed, now);
  std::optional<Time> oldest, mailed_at, due;
  {
    auto rows = transaction.select("SELECT min(at) FROM mail_items WHERE person = ?1 AND state = 'waiting'", person);
    if (rows->next()) oldest = rows->maybe_time(0);
  }
  if (const auto row = mail_person(transaction, person)) mailed_at = row->mailed_at;
  if (oldest) due = rule(mailed_at, *oldest, after);
  transaction.execute("UPDATE mail_people SET due = ?2, since = ?3 WHERE person = ?1", person, due, oldest.value_or(now));
}

void postpone_person(Transaction& transaction, const UserId& person, Time due, bool tried) {
  transaction.execute("UPDATE mail_people SET due = ?2, taken = 0, tries = tries + ?3 WHERE person = ?1", person, due, tried ? 1 : 0);
}

Waiting waiting_people(Query& query) {
  auto rows = query.select("SELECT count(due), min(due) FROM mail_people");
  Waiting out;
  if (!rows->next()) return out;
  out.count = rows->integer(0);
  out.due = rows->maybe_time(1);
  return out;
}

void release_people(Transaction& transaction, Time now) { transaction.execute("UPDATE mail_people SET due = ?1, taken = 0 WHERE taken = 1", now); }

std::optional<MailState> mail_state(Query& query, const RoomId& room, std::int64_t seq, const UserId& person) {
  auto rows = query.select(
      "SELECT i.state, i.detail, i.settled_at, p.due FROM mail_items i LEFT JOIN mail_people p ON p.person = i.person WHERE i.room = ?1 AND i.seq = "
      "?2 AND "
      "i.person = ?3",
      room, seq, person);
  if (!rows->next()) return std::nullopt;
  MailState out;
  out.state = rows->string(0);
  out.detail = rows->maybe_string(1);
  out.settled_at = rows->maybe_time(2);
  out.due = rows->maybe_time(3);
  return out;
}

void forget_mail_of_message(Transaction& transaction, const RoomId& room, std::int64_t seq) {
  transaction.execute("DELETE FROM mail_items WHERE room = ?1 AND seq = ?2", room, seq);
}
void forget_mail_of_member(Transaction& transaction, const RoomId& room, const UserId& person) {
  transaction.execute("DELETE FROM mail_items WHERE room = ?1 AND person = ?2", room, person);
}
void forget_mail_of_room(Transaction& transaction, const RoomId& room) { transaction.execute("DELETE FROM mail_items WHERE room = ?1", room); }
void forget_mail_of_user(Transaction& transaction, const UserId& person) {
  transaction.execute("DELETE FROM mail_items WHERE person = ?1", person);
  transaction.execute("DELETE FROM mail_people WHERE person = ?1", person);
}
void forget_old_mail(Transaction& transaction, Time before) {
  transaction.execute("DELETE FROM mail_items WHERE at < ?1 AND state <> 'waiting'", before);
}

}  // namespace loggia::notification::store
