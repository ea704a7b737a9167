#pragma once
// Answers the contract of the notification module, for context.caller(). Called on every shard at once.
#include "parts.hpp"

namespace loggia::notification {

class NotificationsHere final : public Notifications {
 public:
  explicit NotificationsHere(std::shared_ptr<Parts> parts) : parts_{std::move(parts)} {}
  Async<Settings> on(Context context, GetSettings request) override;
  Async<Settings> on(Context context, PutSettings request) override;
  Async<NotificationList> on(Context context, ListNotifications request) override;
  Async<Nothing> on(Context context, MarkNotificationsRead request) override;
  Async<Explanation> on(Context context, Explain request) override;

 private:
  std::shared_ptr<Parts> parts_;
};

}  // namespace loggia::notification
