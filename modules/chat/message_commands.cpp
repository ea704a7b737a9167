#include "message_commands.hpp"
#include <algorithm>
#include "frame.hpp"
#include "loggia/chat/events.hpp"
#include "loggia/kernel/json.hpp"
#include "loggia/kernel/mutant.hpp"
#include "names.hpp"

namespace loggia::chat {
namespace {

constexpr std::int64_t kinds_max = 50, pins_max = 200;

Error deleted_message() { return Error(Errc::conflict, "the message is deleted"); }
Error no_such_message() { return Error(Errc::not_found, "there is no message with this number in the room"); }

void set_mentions(Query& query, Message& message, const Mentions& mentions) {
  message.mentions = named_members(query, message.room, mentions);
  message.mentions_room.reset();
  if (mentions.room) message.mentions_room = true;
}

/// A message that an act may change: the act is allowed, the message is there and not deleted.
Result<Message> message_for(Query& query, const Entry& room, std::int64_t seq) {
  auto message = find_bare_message(query, room.id, seq);
  if (!message) return no_such_message();
  if (message->deleted) return deleted_message();
  return std::move(*message);
}

}  // namespace

void foresee_message(Transaction& transaction, const Desk& desk, const Asker& asker, const Draft& draft, Foreseen& foreseen) {
  lock_room(transaction, draft.room);
  foreseen.era = transaction.era();
  foreseen.earlier = draft.client_id ? select_sent(transaction, asker.id, *draft.client_id) : nullptr;
  auto& held = desk.timeline.held();
  held.foresee(transaction, draft.room, asker.id);
  for (const auto& readings : draft.mentions.names)
    for (const auto& name : readings) held.foresee_named(transaction, draft.room, name);
}

Result<Posted> post_message(Transaction& transaction, const Desk& desk, const Asker& asker, const Draft& draft, const Cause& cause,
                            Foreseen* foreseen) {
  lock_room(transaction, draft.room);  // first: what another process sends with the same client_id is there then, or not yet begun
  if (draft.client_id && !LOGGIA_MUTANT_IS(dedup_left_out)) {
    const bool stored = transaction.era() > 0 && desk.timeline.held().stored(transaction, asker.id, *draft.client_id);
    const bool known = foreseen && foreseen->earlier && foreseen->era == transaction.era() && !stored;
    const auto asked = known ? std::move(foreseen->earlier) : select_sent(transaction, asker.id, *draft.client_id);
    if (const auto earlier = read_sent(*asked)) {
      if (earlier->fingerprint != draft.fingerprint) return Error(Errc::conflict, "this client_id was used for another message: choose a new one");
      auto first = find_message(transaction, earlier->room, earlier->seq);
      if (!first || !find_entry(transaction, earlier->room, asker.id)) return no_such_room();
      Posted out;
      out.message = std::move(*first);
      out.created = false;
      return out;
    }
  }
  auto room = allowed_entry(desk.timeline.held().entry(transaction, draft.room, asker.id), asker, Act::send);
  if (!room) return room.error();
  if (draft.reply_to && !find_bare_message(transaction, draft.room, *draft.reply_to))
    return wrong_field("/reply_to", "is the number of a message of this room");
  Posted out;
  auto& message = out.message;
  message.id = desk.ids.make<MessageId>();
  message.room = draft.room;
  message.seq = room->last_seq + 1;
  message.author = asker.id;
  message.text = draft.text;
  message.client_id = draft.client_id;
  message.reply_to = draft.reply_to;
  message.created_at = cause.at;
  const auto named = [&](const std::string& name) { return desk.timeline.held().named(transaction, draft.room, name); };
  message.mentions = named_members(named, draft.mentions);
  if (draft.mentions.room) message.mentions_room = true;
  auto frame = message_frame("message.created", message.seq, cause.by, cause.at, message);
  desk.timeline.add_frame(transaction, *room, "message.created", cause, std::move(frame), std::nullopt);
  if (LOGGIA_MUTANT_IS(dedup_left_out)) message.client_id.reset();  // which a unique index would refuse
  insert_message(transaction, message, draft.fingerprint);
  return out;
}

Result<Edited> edit_message(Transaction& transaction, const Desk& desk, const Asker& asker, const RoomId& id, std::int64_t seq,
                            const std::string& text, const Mentions& mentions, const Cause& cause) {
  auto room = entry_for(transaction, id, asker, Act::send);
  if (!room) return room.error();
  auto message = find_bare_message(transaction, id, seq);
  if (!message) return no_such_message();
  if (message->author != asker.id) return Error(Errc::forbidden, "its author alone edits a message");
  if (message->deleted) return deleted_message();
  Edited out;
  out.message = std::move(*message);
  out.message.reactions = reactions_of(transaction, id, seq);
  if (out.message.text == text && !LOGGIA_MUTANT_IS(edit_accepted_twice)) return out;
  out.message.text = text;
  out.message.edited_at = cause.at;
  set_mentions(transaction, out.message, mentions);
  desk.timeline.rewrite(transaction, out.message);
  auto frame = message_frame("message.edited", room->last_seq + 1, cause.by, cause.at, out.message);
  out.seq = desk.timeline.add_frame(transaction, *room, "message.edited", cause, std::move(frame), seq).seq;
  update_message(transaction, out.message);
  return out;
}

Result<Changed> delete_message(Transaction& transaction, const Desk& desk, const Asker& asker, const RoomId& id, std::int64_t seq,
                               const Cause& cause) {
  auto room = find_entry(transaction, id, asker.id);
  if (!room) return no_such_room();
  const auto message = find_bare_message(transaction, id, seq);
  const bool others = message && message->author != asker.id;
  const auto allowed = may(room->kind, room->archived, Actor{room->rank, asker.admin, asker.guest}, others ? Act::moderate : Act::send);
  if (!allowed) return allowed.error();
  if (!message) return no_such_message();
  Changed out;
  if (message->deleted) return out;
  // A pin of what is gone would stay in the list of who follows the events: it is taken away by an event of its own.
  if (pinned(transaction, id, seq)) {
    desk.timeline.add(transaction, *room, "pin.removed", cause, encode(PinMoved{seq}));
    remove_pin(transaction, id, seq);
  }
  const auto remains = remains_of(*message);
  if (!LOGGIA_MUTANT_IS(deleted_text_stays)) desk.timeline.rewrite(transaction, remains);
  out.seq = desk.timeline.add(transaction, *room, "message.deleted", cause, encode(MessageGone{seq, message->id})).seq;
  update_message(transaction, remains);
  return out;
}

Result<Changed> react(Transaction& transaction, const Desk& desk, const Asker& asker, const RoomId& id, std::int64_t seq, const std::string& emoji,
                      bool on, const Cause& cause) {
  auto room = entry_for(transaction, id, asker, Act::react);
  if (!room) return room.error();
  const auto message = message_for(transaction, *room, seq);
  if (!message) return message.error();
  const auto folded = folded_emoji(emoji);
  const auto standing = find_reaction(transaction, id, seq, folded, asker.id);
  Changed out;
  if (standing.mine == on) return out;
  if (on && standing.emoji.empty() && standing.kinds >= kinds_max)
    return Error(Errc::conflict, "a message has at most 50 kinds of reactions: use one of them");
  ReactionMoved data;
  data.seq = seq;
  data.emoji = standing.emoji.empty() ? emoji : standing.emoji;
  data.user_id = asker.id;
  out.seq = desk.timeline.add(transaction, *room, on ? "reaction.added" : "reaction.removed", cause, encode(data)).seq;
  if (on) insert_reaction(transaction, id, seq, folded, data.emoji, asker.id, *out.seq);
  else remove_reaction(transaction, id, seq, folded, asker.id);
  return out;
}

Result<Changed> pin(Transaction& transaction, const Desk& desk, const Asker& asker, const RoomId& id, std::int64_t seq, bool on, const Cause& cause) {
  auto room = entry_for(transaction, id, asker, Act::pin);
  if (!room) return room.error();
  const auto message = message_for(transaction, *room, seq);
  if (!message) return message.error();
  Changed out;
  if (pinned(transaction, id, seq) == on) return out;
  if (on && count_pins(transaction, id) >= pins_max) return Error(Errc::conflict, "a room has at most 200 pins: take one away first");
  out.seq = desk.timeline.add(transaction, *room, on ? "pin.added" : "pin.removed", cause, encode(PinMoved{seq})).seq;
  if (on) insert_pin(transaction, id, seq, *out.seq);
  else remove_pin(transaction, id, seq);
  return out;
}

Result<Nothing> mark_read(Transaction& transaction, const Desk& desk, const Asker& asker, const RoomId& id, std::int64_t seq, const Cause& cause) {
  const auto room = entry_for(transaction, id, asker, Act::read);
  if (!room) return room.error();
  const auto target = std::min(seq, room->last_seq);
  if (target <= room->read_seq && !LOGGIA_MUTANT_IS(read_goes_back)) return Nothing();
  transaction.execute("UPDATE members SET read_seq = ?3, read_at = ?4, changed = ?5 WHERE room = ?1 AND user = ?2", id, asker.id, target, cause.at,
                      desk.timeline.next_change(transaction));
  ReceiptMoved moved;
  moved.room = id;
  moved.user_id = asker.id;
  moved.seq = target;
  moved.at = cause.at;
  desk.timeline.receipt(transaction, id, cause, encode(moved));
  return Nothing();
}

}  // namespace loggia::chat
