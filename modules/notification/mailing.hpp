#pragma once
// Notifications by mail, one mail for all that somebody has not read while they were away. Whether it is still worth a mail is decided when the mail
// is due, by the rules of decision.hpp and what is so by then. On any shard.
#include <memory>
#include "loggia/kernel/mail.hpp"
#include "mail_store.hpp"
#include "parts.hpp"

namespace loggia::notification {

/// Between two mails to one person lies this many times `notification.mail_after`: by default 5 and 30 minutes.
inline constexpr int pause_of_mails = 6;
/// What could not be mailed within it, counted from the message, is not mailed any more, and notification.failed says so where it was tried.
inline constexpr std::chrono::hours mail_waits_at_most{72};
/// One mail tells of at most so many messages; the others are in the next one.
inline constexpr std::int64_t items_of_a_mail = 100;

/// After `after` of waiting, and not too soon after the mail before.
Time mail_due(std::optional<Time> mailed_at, Time since, milliseconds after);

/// In the transaction that makes the notification: to be mailed, where the person wants mail and this server sends any.
void queue_mail(const Parts& parts, Transaction& transaction, const UserId& person, const MailItem& item, Time now);

class Digests final : public MailQueue {
 public:
  explicit Digests(std::shared_ptr<Parts> parts) : parts_{std::move(parts)} {}
  Async<std::optional<QueuedMail>> take(Context context, Time now, Time until) override;
  Async<std::optional<Mail>> compose(Context context, QueuedMail mail) override;
  Async<bool> settle(Context context, QueuedMail mail, Settled settled) override;
  Async<Waiting> waiting(Context context) override;
  Async<bool> release(Context context) override;

 private:
  struct Sorted;
  struct Found;
  Async<bool> sort(Context context, UserId person, std::vector<MailItem> items, Sorted& sorted);
  Async<bool> write_down(Context context, QueuedMail mail, MailPerson person, Sorted sorted);
  Async<Mail> written(Context context, MailPerson person, Sorted sorted);

  std::shared_ptr<Parts> parts_;
};

/// What `explain` says of the mail about a message that somebody was notified of.
std::string mail_words(const Parts& parts, const UserId& person, const std::optional<store::MailState>& state);

}  // namespace loggia::notification
