#include "mail_store.hpp"

namespace loggia::auth::store {
namespace {

constexpr int mail_rank = 2;  // after those of accounts

std::span<const std::uint8_t> as_blob(const std::string& text) { return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()}; }

}  // namespace

void insert_token(Transaction& transaction, const std::string& hash, const MailToken& token) {
  transaction.execute("INSERT INTO mail_tokens (hash, account, purpose, address, made_at, expires_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)", as_blob(hash),
                      token.account, token.purpose, token.address, token.made_at, token.expires_at);
}

std::optional<MailToken> mail_token(Query& query, const std::string& hash, const std::string& purpose, Time now) {
  auto rows = query.select(
      "SELECT account, purpose, address, made_at, expires_at FROM mail_tokens WHERE hash = ?1 AND purpose = ?2 AND used = 0 AND expires_at > ?3",
      as_blob(hash), purpose, now);
  if (!rows->next()) return std::nullopt;
  MailToken out;
  out.account = rows->id<UserId>(0);
  out.purpose = rows->string(1);
  out.address = rows->string(2);
  out.made_at = rows->time(3);
  out.expires_at = rows->time(4);
  return out;
}

void use_token(Transaction& transaction, const std::string& hash) {
  transaction.execute("UPDATE mail_tokens SET used = 1 WHERE hash = ?1", as_blob(hash));
}
void use_tokens_of(Transaction& transaction, const UserId& account, const std::string& purpose) {
  transaction.execute("UPDATE mail_tokens SET used = 1 WHERE account = ?1 AND purpose = ?2 AND used = 0", account, purpose);
}

std::int64_t tokens_of_account(Query& query, const UserId& account, Time since) {
  auto rows = query.select("SELECT count(*) FROM mail_tokens WHERE account = ?1 AND made_at > ?2", account, since);
  return rows->next() ? rows->integer(0) : 0;
}
std::int64_t tokens_of_address(Query& query, const std::string& address, Time since) {
  auto rows = query.select("SELECT count(*) FROM mail_tokens WHERE address = ?1 AND made_at > ?2", address, since);
  return rows->next() ? rows->integer(0) : 0;
}

void erase_old_tokens(Transaction& transaction, Time expired_before) {
  transaction.execute("DELETE FROM mail_tokens WHERE expires_at < ?1", expired_before);
}

void insert_mail(Transaction& transaction, const MailRow& row) {
  transaction.execute("INSERT INTO mails (id, account, purpose, address, token, made_at, expires_at, due) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?6)",
                      row.id, row.account, row.purpose, row.address, row.token, row.made_at, row.expires_at);
}

std::optional<MailRow> mail(Query& query, const Uuid& id) {
  auto rows = query.select("SELECT account, purpose, address, token, made_at, expires_at FROM mails WHERE id = ?1", id);
  if (!rows->next()) return std::nullopt;
  MailRow out;
  out.id = id;
  out.account = rows->id<UserId>(0);
  out.purpose = rows->string(1);
  out.address = rows->string(2);
  out.token = rows->string(3);
  out.made_at = rows->time(4);
  out.expires_at = rows->time(5);
  return out;
}

std::optional<QueuedMail> take_mail(Transaction& transaction, Time now, Time until) {
  std::vector<std::pair<QueuedMail, Time>> due;
  {
    auto rows = transaction.select("SELECT id, expires_at, tries, due FROM mails WHERE due <= ?1 ORDER BY due, id LIMIT 8", now);
    while (rows->next()) {
      auto& [mail, at] = due.emplace_back();
      mail.key = rows->id<Uuid>(0);
      mail.expires = rows->time(1);
      mail.tries = static_cast<int>(rows->integer(2));
      mail.until = until;
      at = rows->time(3);
    }
  }
  for (const auto& [mail, at] : due)  // another process may have been quicker
    if (transaction.execute("UPDATE mails SET due = ?2 WHERE id = ?1 AND due = ?3", mail.key, until, at) > 0) return mail;
  return std::nullopt;
}

bool still_taken(Transaction& transaction, const QueuedMail& mail) {
  transaction.lock(mail_rank, "SELECT 1 FROM mails WHERE id = ?1", mail.key);
  return transaction.select("SELECT 1 FROM mails WHERE id = ?1 AND due = ?2", mail.key, mail.until)->next();
}

void postpone_mail(Transaction& transaction, const Uuid& id, Time due) {
  transaction.execute("UPDATE mails SET due = ?2, tries = tries + 1 WHERE id = ?1", id, due);
}
void erase_mail(Transaction& transaction, const Uuid& id) { transaction.execute("DELETE FROM mails WHERE id = ?1", id); }
void erase_mails_of(Transaction& transaction, const UserId& account, const std::string& purpose) {
  transaction.execute("DELETE FROM mails WHERE account = ?1 AND purpose = ?2", account, purpose);
}

void erase_mails_to(Transaction& transaction, const std::string& address, const std::string& purpose) {
  transaction.execute("DELETE FROM mails WHERE address = ?1 AND purpose = ?2", address, purpose);
}
void set_mail_token(Transaction& transaction, const MailRow& row) {
  transaction.execute("UPDATE mails SET account = ?2, token = ?3 WHERE id = ?1", row.id, row.account, row.token);
}

Waiting waiting_mails(Query& query) {
  auto rows = query.select("SELECT count(*), min(due) FROM mails");
  Waiting out;
  if (!rows->next()) return out;
  out.count = rows->integer(0);
  out.due = rows->maybe_time(1);
  return out;
}

void release_mails(Transaction& transaction, Time now) { transaction.execute("UPDATE mails SET due = ?1 WHERE due > ?1", now); }

}  // namespace loggia::auth::store
