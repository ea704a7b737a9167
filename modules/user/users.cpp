#include "loggia/kernel/announce.hpp"
#include "loggia/kernel/crypto.hpp"
#include "loggia/kernel/idempotent.hpp"
#include "loggia/kernel/storable.hpp"
#include "loggia/user/events.hpp"
#include "service.hpp"
#include "views.hpp"

namespace loggia::user {
namespace {

constexpr std::int64_t page_standard = 50, blocks_max = 10000;

Error nobody() { return Error(Errc::not_found, "there is no such person"); }
Error wrong_cursor() { return wrong_field("/cursor", "is not a cursor of this list"); }

/// Cuts the row that says whether there are more.
bool cut(std::vector<ProfileRow>& rows, std::int64_t limit) {
  if (rows.size() <= static_cast<std::size_t>(limit)) return false;
  rows.resize(static_cast<std::size_t>(limit));
  return true;
}

/// A request whose fields are as they will be stored.
Result<UpdateMe> normalised(UpdateMe request, const TimeZones& zones) {
  std::vector<FieldError> wrong;
  const auto put = [&](std::optional<std::string>& field, Result<std::string> value) {
    if (value) field = std::move(*value);
    else {
      const auto& error = value.error();
      wrong.insert(wrong.end(), error.fields.begin(), error.fields.end());
    }
  };
  if (request.display_name) put(request.display_name, normalised_display_name(*request.display_name));
  if (request.bio) put(request.bio, normalised_lines(*request.bio, 1000, "/bio"));
  if (request.status_text) put(request.status_text, normalised_line(*request.status_text, 0, 140, "/status_text"));
  if (request.locale && !is_locale(*request.locale)) wrong.push_back({"/locale", "is a language tag such as de or pt-BR"});
  if (request.time_zone && !zones.known(*request.time_zone))
    wrong.push_back({"/time_zone", "is a name of the IANA time zone database such as Europe/Berlin"});
  if (wrong.empty()) return request;
  const auto detail = wrong[0].pointer + " " + wrong[0].detail;
  return Error(Errc::invalid_request, detail, std::move(wrong));
}

/// Moves what differs into the row and into the event. False where nothing does.
template <class T> bool change(T& field, const std::optional<T>& wanted, std::optional<T>& told) {
  if (!wanted || *wanted == field) return false;
  field = *wanted;
  told = wanted;
  return true;
}

Result<OwnProfile> apply(Parts& parts, Transaction& transaction, const Context& context, const UpdateMe& request, Time now) {
  auto row = store::to_change(transaction, UserId(context.caller().subject));
  if (!row) return nobody();
  UserChanged changed;
  changed.user_id = row->id;
  bool profile = change(row->display_name, request.display_name, changed.display_name);
  profile |= change(row->bio, request.bio, changed.bio);
  profile |= change(row->locale, request.locale, changed.locale);
  profile |= change(row->time_zone, request.time_zone, changed.time_zone);
  profile |= change(row->show_presence, request.show_presence, changed.show_presence);
  profile |= change(row->show_receipts, request.show_receipts, changed.show_receipts);
  const bool status = request.status_text && *request.status_text != row->status_text.value_or("");
  if (status) row->status_text = request.status_text->empty() ? std::nullopt : request.status_text;
  if (profile || status) store::update(transaction, *row);
  if (profile) announce(*parts.log, transaction, changed, changed.user_id.text(), context.trace());
  if (status) {
    StatusChanged told;
    told.user_id = row->id;
    told.status_text = *request.status_text;
    announce(*parts.log, transaction, told, told.user_id.text(), context.trace());
  }
  return own_view(*row, *parts.presence, now);
}

}  // namespace

Async<Profiles> UsersHere::on(Context context, ListUsers request) {
  const auto limit = request.limit.value_or(page_standard);
  const auto after = request.cursor ? crypto::from_base64url(*request.cursor) : Result<std::string>(std::string());
  if (!after || !storable(*after)) co_return wrong_cursor();
  if (request.query && !storable(*request.query)) co_return not_storable("/query");
  const auto now = parts_->clock->now();
  auto work = [presence = parts_->presence, context, limit, now, from = *after,
               search = folded(request.query.value_or(""))](Query& query) -> Result<Profiles> {
    const Viewer viewer(query, context.caller(), *presence, now);
    std::vector<ProfileRow> rows;
    bool more = false;
    if (context.caller().is("guest")) {
      // Nobody but themselves: people whom a guest shares a room with are shown by the room.
      const auto own = store::by_id(query, UserId(context.caller().subject));
      const bool meant = own && (search.empty() || (folded(own->username) + '\n' + folded(own->display_name)).find(search) != std::string::npos);
      if (meant && folded(own->username) > from) rows.push_back(*own);
    } else {
      rows = store::page(query, search, from, limit + 1);
      more = cut(rows, limit);
    }
    Profiles out;
    for (const auto& row : rows) out.items.push_back(viewer.view(row));
    if (more) out.next = crypto::base64url(folded(rows.back().username));
    return out;
  };
  auto page = co_await parts_->database->read(context, std::move(work));
  co_return page;
}

Async<OwnProfile> UsersHere::on(Context context, GetMe) {
  const auto now = parts_->clock->now();
  auto work = [presence = parts_->presence, context, now](Query& query) -> Result<OwnProfile> {
    const auto row = store::by_id(query, UserId(context.caller().subject));
    if (!row) return nobody();
    return own_view(*row, *presence, now);
  };
  auto profile = co_await parts_->database->read(context, std::move(work));
  co_return profile;
}

Async<OwnProfile> UsersHere::on(Context context, UpdateMe request) {
  auto wanted = normalised(request, parts_->zones);
  if (!wanted) co_return wanted.error();
  const auto now = parts_->clock->now();
  auto work = [parts = parts_, context, request, wanted = *wanted, now](Transaction& transaction) -> Result<OwnProfile> {
    return once(transaction, context, request, now, [&](Transaction& inner) { return apply(*parts, inner, context, wanted, now); });
  };
  auto profile = co_await parts_->database->write(context, std::move(work));
  co_return profile;
}

Async<Profile> UsersHere::on(Context context, GetUser request) {
  const auto now = parts_->clock->now();
  auto work = [presence = parts_->presence, context, now, id = request.id](Query& query) -> Result<Profile> {
    const auto row = store::by_id(query, id);
    const Viewer viewer(query, context.caller(), *presence, now);
    if (!row || !viewer.may_see(*row)) return nobody();
    return viewer.view(*row);
  };
  auto profile = co_await parts_->database->read(context, std::move(work));
  co_return profile;
}

Async<Profile> UsersHere::on(Context context, GetUserByName request) {
  const auto now = parts_->clock->now();
  auto work = [presence = parts_->presence, context, now, name = folded(request.username)](Query& query) -> Result<Profile> {
    const auto row = store::by_name(query, name);
    const Viewer viewer(query, context.caller(), *presence, now);
    if (!row || !viewer.may_see(*row)) return nobody();
    return viewer.view(*row);
  };
  auto profile = co_await parts_->database->read(context, std::move(work));
  co_return profile;
}

Async<Nothing> UsersHere::on(Context context, BlockUser request) {
  const UserId me(context.caller().subject);
  if (request.user == me) co_return wrong_field("/user", "is you: nobody can block themselves");
  const auto now = parts_->clock->now();
  auto work = [presence = parts_->presence, context, me, now, other = request.user](Transaction& transaction) -> Result<Nothing> {
    const auto row = store::by_id(transaction, other);
    const Viewer viewer(transaction, context.caller(), *presence, now);
    if (!row || !viewer.may_see(*row)) return nobody();
    if (store::block(transaction, me, other, now) && store::blocks(transaction, me) > blocks_max)
      return Error(Errc::conflict, "you block " + std::to_string(blocks_max) + " people already; unblock somebody first");
    return Nothing();
  };
  auto done = co_await parts_->database->write(context, std::move(work));
  co_return done;
}

Async<Nothing> UsersHere::on(Context context, UnblockUser request) {
  auto work = [me = UserId(context.caller().subject), other = request.user](Transaction& transaction) -> Result<Nothing> {
    store::unblock(transaction, me, other);
    return Nothing();
  };
  auto done = co_await parts_->database->write(context, std::move(work));
  co_return done;
}

Async<Profiles> UsersHere::on(Context context, ListBlocks request) {
  const auto limit = request.limit.value_or(page_standard);
  const auto after = request.cursor ? UserId::parse(*request.cursor) : Result<UserId>(UserId());
  if (!after) co_return wrong_cursor();
  const auto now = parts_->clock->now();
  auto work = [presence = parts_->presence, context, limit, now, from = *after](Query& query) -> Result<Profiles> {
    const Viewer viewer(query, context.caller(), *presence, now);
    auto rows = store::blocked_page(query, UserId(context.caller().subject), from, limit + 1);
    const bool more = cut(rows, limit);
    Profiles out;
    for (const auto& row : rows) out.items.push_back(viewer.view(row));
    if (more) out.next = rows.back().id.text();
    return out;
  };
  auto page = co_await parts_->database->read(context, std::move(work));
  co_return page;
}

}  // namespace loggia::user
