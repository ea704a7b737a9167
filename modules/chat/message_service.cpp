#include "message_service.hpp"
#include <algorithm>
#include <limits>
#include "loggia/kernel/crypto.hpp"
#include "names.hpp"
#include "pages.hpp"

namespace loggia::chat {
namespace {

constexpr std::size_t client_id_max = 64, fingerprint_size = 16;

bool printable_id(const std::string& text) {
  return !text.empty() && text.size() <= client_id_max && std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c <= '~'; });
}

std::string fingerprint_of(const Draft& draft) {
  std::string all(draft.room.bytes().begin(), draft.room.bytes().end());
  all += std::to_string(draft.reply_to.value_or(0)) + ' ';
  return crypto::sha256(all + draft.text).substr(0, fingerprint_size);
}

/// The messages around a number: half before it, the rest from it on; what one side lacks, the other fills.
MessageList around(Query& query, const RoomId& room, std::int64_t seq, std::int64_t limit) {
  auto earlier = messages_before(query, room, seq, limit);
  auto later = messages_after(query, room, seq - 1, limit);
  const auto count = [](const auto& list) { return static_cast<std::int64_t>(list.size()); };
  const auto after = std::min(count(later), limit - std::min(limit / 2, count(earlier)));
  const auto before = std::min(count(earlier), limit - after);
  MessageList out;
  out.more = before < count(earlier) || after < count(later);
  std::move(earlier.end() - before, earlier.end(), std::back_inserter(out.items));
  std::move(later.begin(), later.begin() + after, std::back_inserter(out.items));
  return out;
}

MessageList page(Query& query, const ListMessages& request) {
  const auto limit = page_limit(request.limit);
  if (request.around) return around(query, request.room, *request.around, limit);
  MessageList out;
  if (request.after) {
    out.items = messages_after(query, request.room, *request.after, limit + 1);
    out.more = static_cast<std::int64_t>(out.items.size()) > limit;
    if (out.more) out.items.pop_back();
    return out;
  }
  out.items = messages_before(query, request.room, request.before.value_or(std::numeric_limits<std::int64_t>::max()), limit + 1);
  out.more = static_cast<std::int64_t>(out.items.size()) > limit;
  if (out.more) out.items.erase(out.items.begin());
  return out;
}

/// Those of a text. A few are looked up by the command itself; who writes hundreds of names keeps a reader busy, and not the writer.
bool at_once(const Mentions& mentions) { return mentions.names.size() <= mentions_at_once; }
std::optional<Error> names_unknown(const Chat& chat, const Mentions& mentions) {
  if (mentions.names.empty() || chat.names_known) return std::nullopt;
  Error error(Errc::unavailable, "the members' names are being collected after an upgrade: try again in a moment");
  error.retry_after = 1;
  return error;
}
Async<Mentions> looked_up(Chat* chat, Context context, RoomId room, Mentions mentions) {
  if (at_once(mentions)) co_return mentions;
  auto work = [room, mentions = std::move(mentions)](Query& query) -> Result<Mentions> { return meant(query, room, mentions); };
  co_return co_await chat->store->read(context, std::move(work));
}

}  // namespace

Result<Draft> drafted(const Chat& chat, Sending sending) {
  Draft out;
  auto text = normalised_text(sending.text);
  if (!text) return text.error();
  if (sending.client_id && !printable_id(*sending.client_id)) return wrong_field("/client_id", "has 1 to 64 printable ASCII characters");
  if (sending.attachments && !sending.attachments->empty()) return wrong_field("/attachments/0", "is the id of a file that you have uploaded");
  out.mentions = find_mentions(*text);
  if (auto problem = names_unknown(chat, out.mentions)) return std::move(*problem);
  out.room = sending.room;
  out.text = std::move(*text);
  out.client_id = std::move(sending.client_id);
  out.reply_to = sending.reply_to;
  if (out.client_id) out.fingerprint = fingerprint_of(out);
  return out;
}

bool needs_asking(const Chat& chat, const Draft& draft) { return !chat.open_to_members(draft.room) || !at_once(draft.mentions); }

Async<Draft> asked_for(Chat* chat, Context context, Draft draft) {
  auto free = co_await chat->may_write_to(context, draft.room);
  if (!free) co_return free.error();
  auto mentions = co_await looked_up(chat, std::move(context), draft.room, std::move(draft.mentions));
  if (!mentions) co_return mentions.error();
  draft.mentions = std::move(*mentions);
  co_return draft;
}

Async<Rewording> reworded(Chat* chat, Context context, RoomId room, std::string text) {
  Rewording out;
  auto checked = normalised_text(text);
  if (!checked) co_return checked.error();
  auto free = co_await chat->may_write_to(context, room);
  if (!free) co_return free.error();
  auto found = find_mentions(*checked);
  if (auto problem = names_unknown(*chat, found)) co_return std::move(*problem);
  auto mentions = co_await looked_up(chat, std::move(context), room, std::move(found));
  if (!mentions) co_return mentions.error();
  out.mentions = std::move(*mentions);
  out.text = std::move(*checked);
  co_return out;
}

Async<Changed> react_now(Chat* chat, Context context, RoomId room, std::int64_t seq, std::string emoji, bool on) {
  const auto asker = asker_of(context);
  auto checked = normalised_emoji(emoji);
  if (!checked) co_return checked.error();
  auto make = [chat, asker, room, seq, emoji = std::move(*checked), on](Transaction& transaction, const Cause& cause) -> Result<Changed> {
    return react(transaction, chat->desk(), asker, room, seq, emoji, on, cause);
  };
  co_return co_await chat->written(std::move(context), std::move(make));
}

Async<Changed> delete_now(Chat* chat, Context context, RoomId room, std::int64_t seq) {
  const auto asker = asker_of(context);
  auto make = [chat, asker, room, seq](Transaction& transaction, const Cause& cause) -> Result<Changed> {
    return delete_message(transaction, chat->desk(), asker, room, seq, cause);
  };
  co_return co_await chat->written(std::move(context), std::move(make));
}

Async<MessageList> MessageService::on(Context context, ListMessages request) {
  const auto asker = asker_of(context);
  if ((request.before ? 1 : 0) + (request.after ? 1 : 0) + (request.around ? 1 : 0) > 1)
    co_return wrong_field("/before", "stands alone: give one of before, after and around");
  auto work = [asker, request](Query& query) -> Result<MessageList> {
    const auto entry = entry_for(query, request.room, asker, Act::read);
    if (!entry) return entry.error();
    return page(query, request);
  };
  co_return co_await chat_.store->read(context, std::move(work));
}

Async<Outcome<Message>> MessageService::on(Context context, PostMessage request) {
  const auto asker = asker_of(context);
  auto draft = drafted(chat_, sending_of(request.room, request));
  if (draft && needs_asking(chat_, *draft)) draft = co_await asked_for(&chat_, context, std::move(*draft));
  if (!draft) co_return draft.error();
  auto make = [this, asker, draft = std::move(*draft)](Transaction& transaction, const Cause& cause) -> Result<Outcome<Message>> {
    auto posted = post_message(transaction, chat_.desk(), asker, draft, cause);
    if (!posted) return posted.error();
    Outcome<Message> out;
    out.value = std::move(posted->message);
    out.created = posted->created;
    return out;
  };
  co_return co_await chat_.once(std::move(context), std::move(request), std::move(make));
}

Async<Message> MessageService::on(Context context, GetMessage request) {
  const auto asker = asker_of(context);
  auto work = [asker, request](Query& query) -> Result<Message> {
    const auto entry = entry_for(query, request.room, asker, Act::read);
    if (!entry) return entry.error();
    auto message = find_message(query, request.room, request.seq);
    if (!message) return Error(Errc::not_found, "there is no message with this number in the room");
    return std::move(*message);
  };
  co_return co_await chat_.store->read(context, std::move(work));
}

Async<Message> MessageService::on(Context context, EditMessage request) {
  const auto asker = asker_of(context);
  auto wording = co_await reworded(&chat_, context, request.room, request.text);
  if (!wording) co_return wording.error();
  auto make = [this, asker, room = request.room, seq = request.seq, wording = std::move(*wording)](Transaction& transaction,
                                                                                                   const Cause& cause) -> Result<Message> {
    auto edited = edit_message(transaction, chat_.desk(), asker, room, seq, wording.text, wording.mentions, cause);
    if (!edited) return edited.error();
    return std::move(edited->message);
  };
  co_return co_await chat_.once(std::move(context), std::move(request), std::move(make));
}

Async<Nothing> MessageService::on(Context context, DeleteMessage request) {
  auto done = co_await delete_now(&chat_, std::move(context), request.room, request.seq);
  if (!done) co_return done.error();
  co_return Nothing();
}

Async<Nothing> MessageService::on(Context context, AddReaction request) {
  auto done = co_await react_now(&chat_, std::move(context), request.room, request.seq, std::move(request.emoji), true);
  if (!done) co_return done.error();
  co_return Nothing();
}

Async<Nothing> MessageService::on(Context context, RemoveReaction request) {
  auto done = co_await react_now(&chat_, std::move(context), request.room, request.seq, std::move(request.emoji), false);
  if (!done) co_return done.error();
  co_return Nothing();
}

Async<MessageList> MessageService::on(Context context, ListPins request) {
  const auto asker = asker_of(context);
  auto work = [asker, request](Query& query) -> Result<MessageList> {
    const auto entry = entry_for(query, request.room, asker, Act::read);
    if (!entry) return entry.error();
    MessageList out;
    out.items = pinned_messages(query, request.room);
    return out;
  };
  co_return co_await chat_.store->read(context, std::move(work));
}

Async<Nothing> MessageService::on(Context context, AddPin request) {
  const auto asker = asker_of(context);
  auto make = [this, asker, request](Transaction& transaction, const Cause& cause) -> Result<Nothing> {
    const auto done = pin(transaction, chat_.desk(), asker, request.room, request.seq, true, cause);
    if (!done) return done.error();
    return Nothing();
  };
  co_return co_await chat_.written(std::move(context), std::move(make));
}

Async<Nothing> MessageService::on(Context context, RemovePin request) {
  const auto asker = asker_of(context);
  auto make = [this, asker, request](Transaction& transaction, const Cause& cause) -> Result<Nothing> {
    const auto done = pin(transaction, chat_.desk(), asker, request.room, request.seq, false, cause);
    if (!done) return done.error();
    return Nothing();
  };
  co_return co_await chat_.written(std::move(context), std::move(make));
}

}  // namespace loggia::chat
