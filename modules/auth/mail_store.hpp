#pragma once
// The rows of mails that wait, and of what their links prove. Plain functions over a query or transaction; on the store's threads.
#include <optional>
#include <string>
#include <vector>
#include "loggia/ids.hpp"
#include "loggia/kernel/mail.hpp"
#include "loggia/kernel/storage.hpp"

namespace loggia::auth {

struct MailToken {
  UserId account;
  std::string purpose, address;
  Time made_at{}, expires_at{};
};
struct MailRow {
  Uuid id;
  UserId account;
  std::string purpose, address, token;
  Time made_at{}, expires_at{};
};

namespace store {

void insert_token(Transaction& transaction, const std::string& hash, const MailToken& token);
/// Of a token that is good at `now`.
std::optional<MailToken> mail_token(Query& query, const std::string& hash, const std::string& purpose, Time now);
void use_token(Transaction& transaction, const std::string& hash);
/// All that are good yet, of one purpose.
void use_tokens_of(Transaction& transaction, const UserId& account, const std::string& purpose);
/// How many were made since: for this account, and for this address whoever asked.
std::int64_t tokens_of_account(Query& query, const UserId& account, Time since);
std::int64_t tokens_of_address(Query& query, const std::string& address, Time since);
void erase_old_tokens(Transaction& transaction, Time expired_before);

void insert_mail(Transaction& transaction, const MailRow& row);
std::optional<MailRow> mail(Query& query, const Uuid& id);
/// The first that is due; from now on it is due at `until`.
std::optional<QueuedMail> take_mail(Transaction& transaction, Time now, Time until);
/// Whether it is still what take_mail() handed out, and nobody has taken it since. Its row is locked.
bool still_taken(Transaction& transaction, const QueuedMail& mail);
void postpone_mail(Transaction& transaction, const Uuid& id, Time due);
void erase_mail(Transaction& transaction, const Uuid& id);
/// Of one purpose, that are not sent yet: what they would say is not so any more.
void erase_mails_of(Transaction& transaction, const UserId& account, const std::string& purpose);
void erase_mails_to(Transaction& transaction, const std::string& address, const std::string& purpose);
void set_mail_token(Transaction& transaction, const MailRow& row);
Waiting waiting_mails(Query& query);
/// All are due no later than `now`.
void release_mails(Transaction& transaction, Time now);

}  // namespace store
}  // namespace loggia::auth
