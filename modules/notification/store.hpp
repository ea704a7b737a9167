#pragma once
// The rows of the notification module. Plain functions over a query or transaction; on the store's threads.
#include "choices.hpp"
#include "loggia/kernel/storage.hpp"

namespace loggia::notification::store {

void put_settings(Transaction& transaction, const UserId& user, const Chosen& chosen);
using SettingsOf = std::vector<std::pair<UserId, std::shared_ptr<Chosen>>>;
/// Of those who have chosen, from `first` to `last`.
SettingsOf settings_between(Query& query, const UserId& first, const UserId& last);
SettingsOf all_settings(Query& query);

/// False where this person has one of this message already.
bool insert(Transaction& transaction, const UserId& user, const Notification& notification);
/// Newest first, those older than `before`.
std::vector<Notification> page(Query& query, const UserId& user, const NotificationId& before, std::int64_t limit);
void mark_read(Transaction& transaction, const UserId& user, const std::vector<NotificationId>& ids);
void mark_all_read(Transaction& transaction, const UserId& user);
bool notified(Query& query, const RoomId& room, std::int64_t seq, const UserId& user);

/// `rules` as JSON.
void put_decision(Transaction& transaction, const RoomId& room, std::int64_t seq, const UserId& user, bool notified, const std::string& rules,
                  Time at);
struct StoredDecision {
  bool notified;
  std::string rules;
};
std::optional<StoredDecision> decision(Query& query, const RoomId& room, std::int64_t seq, const UserId& user);

void forget_message(Transaction& transaction, const RoomId& room, std::int64_t seq);
void forget_member(Transaction& transaction, const RoomId& room, const UserId& user);
void forget_room(Transaction& transaction, const RoomId& room);
void forget_user(Transaction& transaction, const UserId& user);
/// What is older than these moments.
void forget_old(Transaction& transaction, Time notifications_before, Time decisions_before);

}  // namespace loggia::notification::store
