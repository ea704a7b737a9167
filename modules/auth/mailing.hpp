#pragma once
// The mails of this module: a link that proves an address, a link to a new password, word of an address that was replaced. Put into its queue in
// the transaction of what they are about; written when they go out.
#include <memory>
#include <optional>
#include <string>
#include "account_store.hpp"
#include "loggia/kernel/mail.hpp"
#include "mail_store.hpp"
#include "parts.hpp"

namespace loggia::auth {

inline constexpr std::chrono::hours verify_link_good{24}, moved_mail_good{72};
inline constexpr std::chrono::minutes reset_link_good{60};
/// Mails with links within the hour: that one account asks for, and that one address gets whoever asks. Beyond, nothing is sent.
inline constexpr std::int64_t links_of_account = 5, links_of_address = 5;
inline constexpr std::chrono::hours links_counted{1};

/// A token for a mail: 32 characters of chance.
std::string mail_token_text(Ids& ids);
std::string mail_token_hash(const std::string& token);

/// Whether the limits leave one more. On the writer.
bool may_mail(Query& query, const UserId& account, const std::string& address, Time now);
// The three put a mail into the queue; where no mail is configured, nothing happens.

/// With a link that proves the account's address; earlier ones are good no more.
void mail_proof(const Parts& parts, Transaction& transaction, const AccountRow& account, Time now);
/// With a link to a new password for whoever has this address, if anybody. The same work for every address: only when the mail is due it is looked
/// whose it is.
void mail_reset(const Parts& parts, Transaction& transaction, const std::string& address, Time now);
/// To the address that was the account's until now.
void mail_moved(const Parts& parts, Transaction& transaction, const AccountRow& before, Time now);

/// What it says. `base`: where links lead.
Mail written_mail(const MailRow& row, const std::string& username, const std::string& base);

class AccountMails final : public MailQueue {
 public:
  explicit AccountMails(std::shared_ptr<Parts> parts) : parts_{std::move(parts)} {}
  Async<std::optional<QueuedMail>> take(Context context, Time now, Time until) override;
  Async<std::optional<Mail>> compose(Context context, QueuedMail mail) override;
  Async<bool> settle(Context context, QueuedMail mail, Settled settled) override;
  Async<Waiting> waiting(Context context) override;
  Async<bool> release(Context context) override;

 private:
  std::shared_ptr<Parts> parts_;
};

}  // namespace loggia::auth
