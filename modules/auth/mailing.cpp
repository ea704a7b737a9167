#include "mailing.hpp"
#include "loggia/kernel/crypto.hpp"
#include "loggia/kernel/log.hpp"
#include "loggia/kernel/mail_text.hpp"

namespace loggia::auth {
namespace {

constexpr std::size_t token_bytes = 24;

/// Whether the mail is still about what it was written for.
bool still_true(const MailRow& row, const AccountRow& account) {
  if (account.disabled) return false;
  if (row.purpose == "verify") return account.email == row.address && !account.email_verified;
  if (row.purpose == "reset") return account.email == row.address && account.email_verified;
  return account.email != row.address;
}

void put(const Parts& parts, Transaction& transaction, const MailRow& row) {
  store::insert_mail(transaction, row);
  transaction.on_commit([wake = parts.wake_mail] {
    if (wake) wake();
  });
}

/// Of the row's account, purpose and address. Earlier ones are good no more.
void make_token(Ids& ids, Transaction& transaction, MailRow& row, Time now) {
  store::use_tokens_of(transaction, row.account, row.purpose);
  row.token = mail_token_text(ids);
  MailToken token;
  token.account = row.account;
  token.purpose = row.purpose;
  token.address = row.address;
  token.made_at = now;
  token.expires_at = row.expires_at;
  store::insert_token(transaction, mail_token_hash(row.token), token);
}

/// Whose address it is, for a mail that was asked for by address. False: nobody's who could get one.
bool find_account(const Parts& parts, Transaction& transaction, const Context& context, MailRow& row, Time now) {
  if (!row.account.nil()) return true;
  const auto account = row.address.find('@') == row.address.npos ? std::nullopt : store::account_for_login(transaction, row.address);
  if (!account || account->disabled || !may_mail(transaction, account->id, row.address, now)) return false;
  row.account = account->id;
  make_token(*parts.ids, transaction, row, now);
  store::set_mail_token(transaction, row);
  store::audit(transaction, context, now, "password.forgot.mailed", account->id.text(), std::nullopt);
  return true;
}

struct Written {
  std::optional<MailRow> row;
  std::string username;
};

}  // namespace

std::string mail_token_text(Ids& ids) { return ids.secret(token_bytes); }
std::string mail_token_hash(const std::string& token) { return crypto::sha256("mail token " + token); }

bool may_mail(Query& query, const UserId& account, const std::string& address, Time now) {
  const auto since = now - links_counted;
  return store::tokens_of_account(query, account, since) < links_of_account && store::tokens_of_address(query, address, since) < links_of_address;
}

void mail_proof(const Parts& parts, Transaction& transaction, const AccountRow& account, Time now) {
  if (!parts.settings.mail || !account.email) return;
  store::erase_mails_of(transaction, account.id, "verify");
  MailRow row;
  row.id = parts.ids->make<Uuid>();
  row.account = account.id;
  row.purpose = "verify";
  row.address = *account.email;
  row.made_at = now;
  row.expires_at = now + verify_link_good;
  make_token(*parts.ids, transaction, row, now);
  put(parts, transaction, row);
}

void mail_reset(const Parts& parts, Transaction& transaction, const std::string& address, Time now) {
  if (!parts.settings.mail) return;
  store::erase_mails_to(transaction, address, "reset");
  MailRow row;
  row.id = parts.ids->make<Uuid>();
  row.purpose = "reset";
  row.address = address;
  row.made_at = now;
  row.expires_at = now + reset_link_good;
  put(parts, transaction, row);
}

void mail_moved(const Parts& parts, Transaction& transaction, const AccountRow& before, Time now) {
  if (!parts.settings.mail || !before.email || !before.email_verified) return;
  MailRow row;
  row.id = parts.ids->make<Uuid>();
  row.account = before.id;
  row.purpose = "moved";
  row.address = *before.email;
  row.made_at = now;
  row.expires_at = now + moved_mail_good;
  put(parts, transaction, row);
}

Mail written_mail(const MailRow& row, const std::string& username, const std::string& base) {
  Mail out;
  out.to = row.address;
  out.id = row.id.text();
  out.written = row.made_at;
  if (row.purpose == "verify") {
    out.subject = "Confirm your address for Loggia";
    MailText text("Is this your address?");
    text.paragraph("The account " + username + " at " + base +
                   " names this address. Confirm it, and Loggia sends mail here and lets you sign in with it.");
    text.link("Confirm the address", base + "/#/verify/" + row.token);
    text.note("The link is good for 24 hours, and once. If you did not ask for this, do nothing: without the link nothing happens.");
    out.text = text.text();
    out.html = text.html();
  } else if (row.purpose == "reset") {
    out.subject = "A new password for Loggia";
    MailText text("Choose a new password");
    text.paragraph("Somebody, most likely you, has forgotten the password of the account " + username + " at " + base + ".");
    text.link("Choose a new password", base + "/#/reset/" + row.token);
    text.note("The link is good for one hour, and once. If it was not you, do nothing: the password stays as it is.");
    out.text = text.text();
    out.html = text.html();
  } else {
    out.subject = "Your address for Loggia was changed";
    MailText text("Your address was changed");
    text.paragraph("The account " + username + " at " + base +
                   " has another mail address from now on. This one counts no more: no mail comes here, and nobody can "
                   "sign in with it or choose a new password by it.");
    text.note("If it was not you, sign in and change your password, or tell your administrator.");
    out.text = text.text();
    out.html = text.html();
  }
  return out;
}

Async<std::optional<QueuedMail>> AccountMails::take(Context context, Time now, Time until) {
  auto work = [now, until](Transaction& transaction) -> Result<std::optional<QueuedMail>> { return store::take_mail(transaction, now, until); };
  auto taken = co_await parts_->database->write(context, std::move(work));
  co_return taken;
}

Async<std::optional<Mail>> AccountMails::compose(Context context, QueuedMail mail) {
  const auto now = parts_->clock->now();
  auto work = [parts = parts_, context, mail, id = mail.key, now](Transaction& transaction) -> Result<Written> {
    Written out;
    if (!store::still_taken(transaction, mail)) return out;
    out.row = store::mail(transaction, id);
    if (out.row && !find_account(*parts, transaction, context, *out.row, now)) out.row.reset();
    const auto account = out.row ? store::account(transaction, out.row->account) : std::nullopt;
    if (account && out.row->expires_at > now && still_true(*out.row, *account)) {
      out.username = account->username;
    } else {
      store::erase_mail(transaction, id);
      out.row.reset();
    }
    return out;
  };
  auto found = co_await parts_->database->write(context, std::move(work));
  if (!found) co_return found.error();
  if (!found->row) co_return std::optional<Mail>();
  co_return std::optional<Mail>(written_mail(*found->row, found->username, parts_->link_base()));
}

Async<bool> AccountMails::settle(Context context, QueuedMail mail, Settled settled) {
  auto work = [mail, id = mail.key, settled](Transaction& transaction) -> Result<bool> {
    if (!store::still_taken(transaction, mail)) return true;  // another process tries it too, under the same id
    if (settled.how == Settled::How::again) store::postpone_mail(transaction, id, settled.again);
    else store::erase_mail(transaction, id);
    return true;
  };
  auto done = co_await parts_->database->write(context, std::move(work));
  co_return done;
}

Async<Waiting> AccountMails::waiting(Context context) {
  auto work = [](Query& query) -> Result<Waiting> { return store::waiting_mails(query); };
  auto found = co_await parts_->database->read(context, std::move(work));
  co_return found;
}

Async<bool> AccountMails::release(Context context) {
  auto work = [now = parts_->clock->now()](Transaction& transaction) -> Result<bool> {
    store::release_mails(transaction, now);
    return true;
  };
  auto done = co_await parts_->database->write(context, std::move(work));
  co_return done;
}

}  // namespace loggia::auth
