#include "service.hpp"

namespace loggia::user {
namespace {

constexpr std::size_t people_max = 1000;

Person person_of(const ProfileRow& row) {
  Person out;
  out.id = row.id;
  out.username = row.username;
  out.display_name = row.display_name;
  out.time_zone = row.time_zone;
  out.status_text = row.status_text;
  out.show_presence = row.show_presence;
  out.show_receipts = row.show_receipts;
  out.deleted = row.deleted;
  return out;
}

}  // namespace

Async<Nothing> DirectoryHere::on(Context context, CreateProfile request) {
  auto name = normalised_display_name(request.display_name.empty() ? request.username : request.display_name);
  if (!name) co_return name.error();
  ProfileRow row;
  row.id = request.id;
  row.username = request.username;
  row.display_name = std::move(*name);
  row.created_at = parts_->clock->now();
  auto work = [row](Transaction& transaction) -> Result<Nothing> {
    if (store::by_id(transaction, row.id)) return Nothing();
    if (store::by_name(transaction, folded(row.username))) return Error(Errc::conflict, "this username is taken");
    store::insert(transaction, row);
    return Nothing();
  };
  auto done = co_await parts_->database->write(context, std::move(work));
  co_return done;
}

Async<People> DirectoryHere::on(Context context, GetPeople request) {
  if (request.ids.size() > people_max) co_return wrong_field("/ids", "has at most 1000 entries");
  auto work = [ids = std::move(request.ids)](Query& query) -> Result<People> {
    People out;
    for (const auto& id : ids)
      if (const auto row = store::by_id(query, id)) out.items.push_back(person_of(*row));
    return out;
  };
  auto people = co_await parts_->database->read(context, std::move(work));
  co_return people;
}

Async<People> DirectoryHere::on(Context context, FindPeople request) {
  if (request.usernames.size() > people_max) co_return wrong_field("/usernames", "has at most 1000 entries");
  auto work = [names = std::move(request.usernames)](Query& query) -> Result<People> {
    People out;
    for (const auto& name : names) {
      const auto row = store::by_name(query, folded(name));
      if (row && !row->deleted) out.items.push_back(person_of(*row));
    }
    return out;
  };
  auto people = co_await parts_->database->read(context, std::move(work));
  co_return people;
}

Async<BlockedWith> DirectoryHere::on(Context context, GetBlocked request) {
  auto work = [user = request.user](Query& query) -> Result<BlockedWith> {
    const auto all = store::blocked_with(query, user);
    BlockedWith out;
    out.ids.assign(all.begin(), all.end());
    return out;
  };
  auto blocked = co_await parts_->database->read(context, std::move(work));
  co_return blocked;
}

Async<bool> store_last_seen(std::shared_ptr<Parts> parts, Context context) {
  auto due = parts->presence->due(parts->clock->now());
  if (due.empty()) co_return true;
  auto work = [due = std::move(due)](Transaction& transaction) -> Result<bool> {
    for (const auto& [user, at] : due) store::seen(transaction, user, at);
    return true;
  };
  auto done = co_await parts->database->write(context, std::move(work));
  co_return done;
}

}  // namespace loggia::user
