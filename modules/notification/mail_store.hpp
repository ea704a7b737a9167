#pragma once
// The rows of what waits to be mailed. Plain functions over a query or transaction; on the store's threads.
#include <optional>
#include <string>
#include <vector>
#include "loggia/ids.hpp"
#include "loggia/kernel/mail.hpp"
#include "loggia/kernel/storage.hpp"

namespace loggia::notification {

struct MailItem {
  NotificationId notification;
  RoomId room;
  std::int64_t seq = 0;
  Time at{};
  bool seen = false;  // read in the list of notifications, or no longer in it
};
struct MailPerson {
  UserId person;
  std::optional<NotificationId> mail;
  std::optional<Time> begun_at, mailed_at;
};

namespace store {

/// When somebody is looked at who was mailed at `mailed_at`, if ever, and for whom something waits since `since`.
using DueRule = Time (*)(std::optional<Time> mailed_at, Time since, milliseconds after);

/// `due` is kept where something waits already.
void add_mail_item(Transaction& transaction, const UserId& person, const MailItem& item, Time now, milliseconds after, DueRule rule);
/// The one that is due for the longest time; looked at by nobody else before `until`.
std::optional<QueuedMail> take_person(Transaction& transaction, Time now, Time until, milliseconds waits_at_most);
/// Whether it is still what take_person() handed out, and nobody has taken it since. The person is locked: what waits is what is committed.
bool still_taken(Transaction& transaction, const QueuedMail& mail);
std::optional<MailPerson> mail_person(Query& query, const UserId& person);
/// Of the mail that was begun; without one, those that wait, oldest first.
std::vector<MailItem> mail_items(Query& query, const MailPerson& person, std::int64_t limit);

void settle_mail_item(Transaction& transaction, const NotificationId& notification, const std::string& state,
                      const std::optional<std::string>& detail, Time now);
/// From now on these are in the mail `mail`.
void begin_mail(Transaction& transaction, const UserId& person, const NotificationId& mail, const std::vector<MailItem>& items, Time now);
/// Nothing is under way for this person; what waits yet is due by the rule. `mailed`: one went out.
void end_mail(Transaction& transaction, const UserId& person, Time now, bool mailed, milliseconds after, DueRule rule);
/// Looked at again at `due`. `tried`: it was sent and not taken.
void postpone_person(Transaction& transaction, const UserId& person, Time due, bool tried);
Waiting waiting_people(Query& query);
void release_people(Transaction& transaction, Time now);

struct MailState {
  std::string state;
  std::optional<std::string> detail;
  std::optional<Time> settled_at, due;
};
std::optional<MailState> mail_state(Query& query, const RoomId& room, std::int64_t seq, const UserId& person);

void forget_mail_of_message(Transaction& transaction, const RoomId& room, std::int64_t seq);
void forget_mail_of_member(Transaction& transaction, const RoomId& room, const UserId& person);
void forget_mail_of_room(Transaction& transaction, const RoomId& room);
void forget_mail_of_user(Transaction& transaction, const UserId& person);
void forget_old_mail(Transaction& transaction, Time before);

}  // namespace store
}  // namespace loggia::notification
