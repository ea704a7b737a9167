#include "administration.hpp"
#include <charconv>
#include <limits>
#include "account_changes.hpp"
#include "credentials.hpp"
#include "loggia/kernel/storable.hpp"

namespace loggia::auth {
namespace {

constexpr std::int64_t page_standard = 50;
constexpr std::size_t detail_max = 1000;

Error nobody() { return Error(Errc::not_found, "there is no such account"); }
Error wrong_cursor() { return wrong_field("/cursor", "is not a cursor of this list"); }

AdminUser shown(const AccountRow& row) {
  AdminUser out;
  out.id = row.id;
  out.username = row.username;
  out.roles = row.roles;
  out.disabled = row.disabled;
  out.created_at = row.created_at;
  out.last_login = row.last_login;
  return out;
}

std::optional<std::string> cut(std::optional<std::string> text) {
  if (text && text->size() > detail_max) text->resize(detail_max);
  return text;
}

}  // namespace

Async<AdminUsers> AdministrationHere::on(Context context, ListAccounts request) {
  const auto limit = request.limit.value_or(page_standard);
  const auto after = request.cursor ? crypto::from_base64url(*request.cursor) : Result<std::string>(std::string());
  if (!after || !storable(*after)) co_return wrong_cursor();
  if (request.query && !storable(*request.query)) co_return not_storable("/query");
  auto work = [part = lower_ascii(request.query.value_or("")), after = *after, limit](Query& query) -> Result<AdminUsers> {
    AdminUsers out;
    for (const auto& row : store::accounts_page(query, part, after, limit + 1)) {
      if (out.items.size() == static_cast<std::size_t>(limit)) {
        out.next = crypto::base64url(lower_ascii(out.items.back().username));
        break;
      }
      out.items.push_back(shown(row));
    }
    return out;
  };
  auto page = co_await parts_->database->read(context, std::move(work));
  if (!page) co_return page.error();
  auto recorded = co_await record(parts_, context, "admin.users.read", std::nullopt, request.query);
  co_return page;
}

Async<AdminUser> AdministrationHere::on(Context context, UpdateAccount request) {
  if (request.roles)
    if (auto wrong = wrong_roles(*request.roles)) co_return wrong_field("/roles", *wrong);
  const auto now = parts_->clock->now();
  auto work = [parts = parts_, context, request, now](Transaction& transaction) -> Result<AdminUser> {
    auto row = store::account_to_change(transaction, request.id);
    if (!row) return nobody();
    store::audit(transaction, context, now, "admin.user.updated", request.id.text(), row->username);
    Rights wanted;
    wanted.roles = request.roles;
    wanted.disabled = request.disabled;
    auto changed = change_rights(*parts, transaction, context, *row, wanted, now);
    if (!changed) return changed.error();
    return shown(*changed);
  };
  auto done = co_await parts_->database->write(context, std::move(work));
  if (!done) {
    // What was rolled back took its entry along.
    auto recorded = co_await record(parts_, context, "admin.user.refused", request.id.text(), done.error().detail);
  }
  co_return done;
}

Async<Nothing> AdministrationHere::on(Context context, EndSessions request) {
  const auto now = parts_->clock->now();
  auto work = [parts = parts_, context, id = request.id, now](Transaction& transaction) -> Result<Nothing> {
    const auto row = store::account_to_change(transaction, id);
    if (!row) return nobody();
    store::audit(transaction, context, now, "admin.sessions.ended", id.text(), row->username);
    end_sessions(*parts, transaction, context, id, SessionId(), now);
    return Nothing();
  };
  auto done = co_await parts_->database->write(context, std::move(work));
  co_return done;
}

Async<AuditEntries> AdministrationHere::on(Context context, ListAudit request) {
  const auto limit = request.limit.value_or(page_standard);
  std::int64_t before = std::numeric_limits<std::int64_t>::max();
  if (request.cursor) {
    const auto& text = *request.cursor;
    const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), before);
    if (problem != std::errc() || end != text.data() + text.size() || before <= 0) co_return wrong_cursor();
  }
  if (request.action && !storable(*request.action)) co_return not_storable("/action");
  auto work = [request, before, limit](Query& query) -> Result<AuditEntries> {
    AuditEntries out;
    std::int64_t last = 0;
    for (auto& [entry, number] : store::audit_page(query, request, before, limit + 1)) {
      if (out.items.size() == static_cast<std::size_t>(limit)) {
        out.next = std::to_string(last);
        break;
      }
      out.items.push_back(std::move(entry));
      last = number;
    }
    return out;
  };
  auto page = co_await parts_->database->read(context, std::move(work));
  if (!page) co_return page.error();
  auto recorded = co_await record(parts_, context, "admin.audit.read", std::nullopt, request.action);
  co_return page;
}

Async<Nothing> AdministrationHere::on(Context context, RecordAudit request) {
  const auto now = parts_->clock->now();
  auto work = [context, now, action = std::move(request.action), target = cut(request.target),
               detail = cut(request.detail)](Transaction& transaction) -> Result<Nothing> {
    store::audit(transaction, context, now, action, target, detail);
    return Nothing();
  };
  auto done = co_await parts_->database->write(context, std::move(work));
  co_return done;
}

}  // namespace loggia::auth
