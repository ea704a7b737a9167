#include "store.hpp"
#include "mail_store.hpp"

namespace loggia::notification::store {

void put_settings(Transaction& transaction, const UserId& user, const Chosen& chosen) {
  std::optional<int> from, to;
  if (chosen.quiet) {
    from = chosen.quiet->from;
    to = chosen.quiet->to;
  }
  transaction.execute(
      "INSERT INTO settings (user, level, quiet_from, quiet_to, email, web_push) VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT (user) "
      "DO UPDATE "
      "SET level = ?2, quiet_from = ?3, quiet_to = ?4, email = ?5, web_push = ?6",
      user, word_of(chosen.level), from, to, chosen.email, chosen.web_push);
  transaction.execute("DELETE FROM room_settings WHERE user = ?1", user);
  for (const auto& [room, level] : chosen.rooms)
    transaction.execute("INSERT INTO room_settings (user, room, level) VALUES (?1, ?2, ?3)", user, room, word_of(level));
}

SettingsOf all_settings(Query& query) {
  Bytes16 last{};
  last.fill(0xff);
  return settings_between(query, UserId(), UserId(last));
}

SettingsOf settings_between(Query& query, const UserId& first, const UserId& last) {
  SettingsOf out;
  std::unordered_map<UserId, std::shared_ptr<Chosen>> by_user;
  auto rows = query.select("SELECT user, level, quiet_from, quiet_to, email, web_push FROM settings WHERE user BETWEEN ?1 AND ?2", first, last);
  while (rows->next()) {
    auto chosen = std::make_shared<Chosen>();
    chosen->level = level_of(rows->text(1));
    if (!rows->null(2) && !rows->null(3)) {
      auto& quiet = chosen->quiet.emplace();
      quiet.from = static_cast<int>(rows->integer(2));
      quiet.to = static_cast<int>(rows->integer(3));
    }
    chosen->email = rows->flag(4);
    chosen->web_push = rows->flag(5);
    by_user.emplace(rows->id<UserId>(0), chosen);
    out.emplace_back(rows->id<UserId>(0), std::move(chosen));
  }
  auto rooms = query.select("SELECT user, room, level FROM room_settings WHERE user BETWEEN ?1 AND ?2", first, last);
  while (rooms->next())
    if (const auto found = by_user.find(rooms->id<UserId>(0)); found != by_user.end())
      found->second->rooms.emplace(rooms->id<RoomId>(1), level_of(rooms->text(2)));
  return out;
}

bool insert(Transaction& transaction, const UserId& user, const Notification& notification) {
  return transaction.execute(
             "INSERT INTO notifications (user, id, kind, room, seq, sender, created_at, read) VALUES (?1, ?2, ?3, ?4, ?5, "
             "?6, ?7, ?8) ON CONFLICT DO NOTHING",
             user, notification.id, notification.kind, notification.room, notification.seq, notification.from, notification.created_at,
             notification.read) > 0;
}

std::vector<Notification> page(Query& query, const UserId& user, const NotificationId& before, std::int64_t limit) {
  std::vector<Notification> out;
  auto rows = query.select(
      "SELECT id, kind, room, seq, sender, created_at, read FROM notifications WHERE user = ?1 AND id < ?2 ORDER BY id DESC "
      "LIMIT ?3",
      user, before, limit);
  while (rows->next()) {
    auto& one = out.emplace_back();
    one.id = rows->id<NotificationId>(0);
    one.kind = rows->string(1);
    one.room = rows->maybe_id<RoomId>(2);
    one.seq = rows->maybe_integer(3);
    one.from = rows->maybe_id<UserId>(4);
    one.created_at = rows->time(5);
    one.read = rows->flag(6);
  }
  return out;
}

void mark_read(Transaction& transaction, const UserId& user, const std::vector<NotificationId>& ids) {
  for (const auto& id : ids) transaction.execute("UPDATE notifications SET read = 1 WHERE user = ?1 AND id = ?2", user, id);
}

void mark_all_read(Transaction& transaction, const UserId& user) {
  transaction.execute("UPDATE notifications SET read = 1 WHERE user = ?1 AND read = 0", user);
}

bool notified(Query& query, const RoomId& room, std::int64_t seq, const UserId& user) {
  return query.select("SELECT 1 FROM notifications WHERE room = ?1 AND seq = ?2 AND user = ?3", room, seq, user)->next();
}

void put_decision(Transaction& transaction, const RoomId& room, std::int64_t seq, const UserId& user, bool notified, const std::string& rules,
                  Time at) {
  transaction.execute("INSERT INTO decisions (room, seq, user, notified, rules, at) VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT DO NOTHING", room,
                      seq, user, notified, rules, at);
}

std::optional<StoredDecision> decision(Query& query, const RoomId& room, std::int64_t seq, const UserId& user) {
  auto rows = query.select("SELECT notified, rules FROM decisions WHERE room = ?1 AND seq = ?2 AND user = ?3", room, seq, user);
  if (!rows->next()) return std::nullopt;
  StoredDecision out;
  out.notified = rows->flag(0);
  out.rules = rows->string(1);
  return out;
}

void forget_message(Transaction& transaction, const RoomId& room, std::int64_t seq) {
  transaction.execute("DELETE FROM notifications WHERE room = ?1 AND seq = ?2", room, seq);
  transaction.execute("DELETE FROM decisions WHERE room = ?1 AND seq = ?2", room, seq);
  forget_mail_of_message(transaction, room, seq);
}

void forget_member(Transaction& transaction, const RoomId& room, const UserId& user) {
  transaction.execute("DELETE FROM notifications WHERE user = ?2 AND room = ?1", room, user);
  transaction.execute("DELETE FROM decisions WHERE room = ?1 AND user = ?2", room, user);
  forget_mail_of_member(transaction, room, user);
}

void forget_room(Transaction& transaction, const RoomId& room) {
  transaction.execute("DELETE FROM notifications WHERE room = ?1", room);
  transaction.execute("DELETE FROM decisions WHERE room = ?1", room);
  transaction.execute("DELETE FROM room_settings WHERE room = ?1", room);
  forget_mail_of_room(transaction, room);
}

void forget_user(Transaction& transaction, const UserId& user) {
  transaction.execute("DELETE FROM notifications WHERE user = ?1", user);
  transaction.execute("DELETE FROM decisions WHERE user = ?1", user);
  transaction.execute("DELETE FROM settings WHERE user = ?1", user);
  forget_mail_of_user(transaction, user);
  transaction.execute("DELETE FROM room_settings WHERE user = ?1", user);
}

void forget_old(Transaction& transaction, Time notifications_before, Time decisions_before) {
  transaction.execute("DELETE FROM notifications WHERE created_at < ?1", notifications_before);
  transaction.execute("DELETE FROM decisions WHERE at < ?1", decisions_before);
  forget_old_mail(transaction, decisions_before);
}

}  // namespace loggia::notification::store
