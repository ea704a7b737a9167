#include "commands.hpp"
#include <algorithm>
#include "account_changes.hpp"
#include "credentials.hpp"

namespace loggia::auth {
namespace {

using Arguments = std::vector<std::string>;
constexpr std::size_t made_password_bytes = 15;  // 20 characters
constexpr std::int64_t list_step = 200;

Error unknown(const std::string& name) { return Error(Errc::not_found, "no account is named " + name + "; `loggia user list` shows all"); }
std::string argument(const Arguments& all, std::size_t at) { return at < all.size() ? all[at] : std::string(); }

std::string padded(std::string text, std::size_t width) {
  if (text.size() < width) text.resize(width, ' ');
  return text + ' ';
}
std::string line_of(const AccountRow& row) {
  const auto* state = row.disabled ? "disabled" : row.pending ? "pending" : "active";
  return padded(row.username, 32) + padded(join_roles(row.roles), 24) + padded(state, 8) + to_rfc3339(row.created_at) + '\n';
}

/// The given password, or one that is made; then `told` says which.
Result<std::string> chosen_password(const Parts& parts, const std::string& given, std::string& told) {
  if (!given.empty()) {
    if (auto wrong = wrong_password(given)) return wrong_field("password", *wrong);
    return given;
  }
  auto made = parts.ids->secret(made_password_bytes);
  told = "password: " + made + '\n';
  return made;
}

Async<std::string> list(std::shared_ptr<Parts> parts, Context context, Arguments) {
  auto work = [](Query& query) -> Result<std::string> {
    std::string out, after;
    for (;;) {
      const auto rows = store::accounts_page(query, std::string(), after, list_step);
      for (const auto& row : rows) out += line_of(row);
      if (rows.size() < static_cast<std::size_t>(list_step)) return out;
      after = lower_ascii(rows.back().username);
    }
  };
  auto text = co_await parts->database->read(context, std::move(work));
  co_return text;
}

Async<std::string> add(std::shared_ptr<Parts> parts, Context context, Arguments arguments) {
  std::string told;
  auto password = chosen_password(*parts, argument(arguments, 1), told);
  if (!password) co_return password.error();
  NewAccount wanted;
  wanted.username = argument(arguments, 0);
  wanted.password = *password;
  wanted.roles = split_roles(argument(arguments, 2));
  if (wanted.roles.empty()) wanted.roles.emplace_back("member");
  if (arguments.size() > 3 && !arguments[3].empty()) wanted.email = arguments[3];
  Wrongs wrong;
  wrong.check("name", wrong_username(wanted.username));
  wrong.check("role", wrong_roles(wanted.roles));
  if (wanted.email) wrong.check("email", wrong_email(*wanted.email));
  if (wrong.any()) co_return wrong.error();
  auto roles = join_roles(wanted.roles);
  auto account = co_await make_account(parts, context, std::move(wanted));
  if (!account) co_return account.error();
  auto recorded = co_await record(parts, context, "user.added", account->id.text(), account->username + ' ' + roles);
  co_return "added " + account->username + " (" + roles + ")\n" + told;
}

Async<std::string> set_password(std::shared_ptr<Parts> parts, Context context, Arguments arguments) {
  std::string told;
  auto password = chosen_password(*parts, argument(arguments, 1), told);
  if (!password) co_return password.error();
  auto hash = co_await parts->passwords->hash(*password);
  if (!hash) co_return hash.error();
  const auto now = parts->clock->now();
  auto work = [parts, context, name = argument(arguments, 0), hash = *hash, now](Transaction& transaction) -> Result<std::string> {
    const auto row = store::account_to_change(transaction, name);
    if (!row) return unknown(name);
    store::set_password(transaction, row->id, std::string(), hash);
    store::audit(transaction, context, now, "password.set", row->id.text(), row->username);
    end_sessions(*parts, transaction, context, row->id, SessionId(), now);
    return "new password for " + row->username + "; all sessions ended\n";
  };
  auto done = co_await parts->database->write(context, std::move(work));
  if (!done) co_return done.error();
  co_return *done + told;
}

Async<std::string> change(std::shared_ptr<Parts> parts, Context context, std::string name, Rights wanted, std::string said) {
  const auto now = parts->clock->now();
  wanted.keep_an_admin = false;  // whoever is at the shell can make another one
  auto work = [parts, context, name, wanted, said, now](Transaction& transaction) -> Result<std::string> {
    const auto row = store::account_to_change(transaction, name);
    if (!row) return unknown(name);
    auto changed = change_rights(*parts, transaction, context, *row, wanted, now);
    if (!changed) return changed.error();
    return row->username + ' ' + said + '\n';
  };
  auto done = co_await parts->database->write(context, std::move(work));
  co_return done;
}

Async<std::string> set_roles(std::shared_ptr<Parts> parts, Context context, Arguments arguments) {
  Rights wanted;
  wanted.roles = split_roles(argument(arguments, 1));
  if (auto wrong = wrong_roles(*wanted.roles)) co_return wrong_field("role", *wrong);
  auto said = "has the roles " + join_roles(*wanted.roles);
  auto done = co_await change(parts, context, argument(arguments, 0), std::move(wanted), std::move(said));
  co_return done;
}

Async<std::string> set_disabled(std::shared_ptr<Parts> parts, Context context, Arguments arguments, bool disabled) {
  Rights wanted;
  wanted.disabled = disabled;
  std::string said = disabled ? "is disabled; all sessions ended" : "is enabled";
  auto done = co_await change(parts, context, argument(arguments, 0), std::move(wanted), std::move(said));
  co_return done;
}

}  // namespace

void add_commands(std::map<std::string, Command>& commands, std::shared_ptr<Parts> parts) {
  const auto put = [&](const char* name, auto function) {
    commands[name] = [parts, function](Context context, Arguments arguments) { return function(parts, std::move(context), std::move(arguments)); };
  };
  put("user.list", list);
  put("user.add", add);
  put("user.password", set_password);
  put("user.role", set_roles);
  commands["user.disable"] = [parts](Context context, Arguments arguments) {
    return set_disabled(parts, std::move(context), std::move(arguments), true);
  };
  commands["user.enable"] = [parts](Context context, Arguments arguments) {
    return set_disabled(parts, std::move(context), std::move(arguments), false);
  };
}

}  // namespace loggia::auth
