#include "reading_service.hpp"
#include <algorithm>
#include <limits>
#include "pages.hpp"

namespace loggia::chat {
namespace {

/// Rooms with more members show how many have read, not who.
constexpr std::int64_t named_readers = 100;
constexpr std::int64_t everybody = std::numeric_limits<std::int64_t>::max();

struct Readers {
  std::vector<MemberRow> members;
  std::optional<std::int64_t> count;
};

}  // namespace

Async<Nothing> ReadingService::on(Context context, MarkRead request) {
  const auto asker = asker_of(context);
  auto make = [this, asker, request](Transaction& transaction, const Cause& cause) -> Result<Nothing> {
    return mark_read(transaction, chat_.desk(), asker, request.room, request.seq, cause);
  };
  co_return co_await chat_.written(std::move(context), std::move(make));
}

Async<Receipts> ReadingService::on(Context context, GetReceipts request) {
  const auto asker = asker_of(context);
  auto work = [asker, request](Query& query) -> Result<Readers> {
    const auto entry = entry_for(query, request.room, asker, Act::read);
    if (!entry) return entry.error();
    Readers out;
    if (entry->member_count <= named_readers) {
      out.members = members_after(query, request.room, 0, named_readers);
      return out;
    }
    auto rows = query.select("SELECT COUNT(*) FROM members WHERE room = ?1 AND read_seq >= ?2", request.room, request.seq.value_or(entry->last_seq));
    out.count = rows->next() ? rows->integer(0) : 0;
    return out;
  };
  auto readers = co_await chat_.store->read(context, std::move(work));
  if (!readers) co_return readers.error();
  Receipts out;
  out.count = readers->count;
  if (out.count) co_return out;
  out.items.emplace();
  std::vector<UserId> ids;
  for (const auto& member : readers->members) ids.push_back(member.user);
  auto people = co_await chat_.people.get(std::move(context), std::move(ids));
  if (!people) co_return people.error();
  // Who shows no receipts sees none.
  const auto shows = [&people](const UserId& id) {
    const auto found = people->find(id);
    return found != people->end() && found->second.show_receipts;
  };
  if (!shows(asker.id)) co_return out;
  for (const auto& member : readers->members) {
    if (!shows(member.user) || member.read_seq < request.seq.value_or(0)) continue;
    Receipt& receipt = out.items->emplace_back();
    receipt.user_id = member.user;
    receipt.seq = member.read_seq;
    receipt.at = member.read_at;
  }
  co_return out;
}

Async<Events> ReadingService::on(Context context, GetEvents request) {
  const auto asker = asker_of(context);
  auto work = [asker, request](Query& query) -> Result<Events> {
    const auto entry = entry_for(query, request.room, asker, Act::read);
    if (!entry) return entry.error();
    return frames_after(query, request.room, request.after.value_or(0), page_limit(request.limit));
  };
  co_return co_await chat_.store->read(context, std::move(work));
}

Async<Recipients> AudienceService::on(Context context, GetRecipients request) {
  auto work = [request](Query& query) -> Result<Recipients> {
    Pair pair;
    const auto kind = kind_of_room(query, request.room, pair);
    const auto message = kind ? find_bare_message(query, request.room, request.seq) : std::nullopt;
    if (!message || message->deleted) return Error(Errc::not_found, "the message is gone");
    Recipients out;
    out.kind = name_of(*kind);
    out.author = message->author;
    for (const auto& member : members_after(query, request.room, 0, everybody)) {
      if (member.user == message->author) continue;
      Recipient& recipient = out.items.emplace_back();
      recipient.user_id = member.user;
      recipient.read_seq = member.read_seq;
      const auto& meant = message->mentions;
      recipient.mentioned = message->mentions_room || std::find(meant.begin(), meant.end(), member.user) != meant.end();
    }
    return out;
  };
  co_return co_await chat_.store->read(context, std::move(work));
}

Async<Attention> AudienceService::on(Context context, GetAttention request) {
  auto work = [request](Query& query) -> Result<Attention> {
    const auto entry = find_entry(query, request.room, request.user);
    if (!entry) return Error(Errc::not_found, "the room is gone");
    if (entry->rank == Rank::none) {
      // Of a public room everybody may know that it is there.
      if (entry->kind == Kind::open) return Error(Errc::forbidden, "you are not in the room");
      return Error(Errc::not_found, "you are not in the room any more");
    }
    const auto message = find_bare_message(query, request.room, request.seq);
    if (!message || message->deleted) return Error(Errc::not_found, "the message is gone");
    Attention out;
    out.kind = name_of(entry->kind);
    out.name = describe(query, request.room, request.user).name;
    out.author = message->author;
    out.created_at = message->created_at;
    out.read_seq = entry->read_seq;
    const auto& meant = message->mentions;
    out.mentioned = message->mentions_room || std::find(meant.begin(), meant.end(), request.user) != meant.end();
    return out;
  };
  co_return co_await chat_.store->read(context, std::move(work));
}

}  // namespace loggia::chat
