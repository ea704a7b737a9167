#pragma once
// Messages, who is mentioned in them, reactions, pins, and the counting of what is unread. Plain functions on the store's threads.
#include <optional>
#include <span>
#include <vector>
#include "loggia/chat/message.hpp"
#include "loggia/kernel/storage.hpp"

namespace loggia::chat {

/// Whole messages with their reactions.
std::optional<Message> find_message(Query& query, const RoomId& room, std::int64_t seq);
/// Without its reactions: for what changes a message.
std::optional<Message> find_bare_message(Query& query, const RoomId& room, std::int64_t seq);
/// Those with a greater number, and the newest of those with a smaller one; both oldest first.
std::vector<Message> messages_after(Query& query, const RoomId& room, std::int64_t seq, std::int64_t limit);
std::vector<Message> messages_before(Query& query, const RoomId& room, std::int64_t seq, std::int64_t limit);
/// In the order of pinning.
std::vector<Message> pinned_messages(Query& query, const RoomId& room);
std::vector<Reaction> reactions_of(Query& query, const RoomId& room, std::int64_t seq);

/// Where a message that was sent with this client_id is, and the fingerprint of what was sent.
struct Earlier {
  RoomId room;
  std::int64_t seq = 0;
  std::string fingerprint;
};
/// What somebody has sent with a client_id; in two steps, between which others can be sent for.
std::unique_ptr<Rows> select_sent(Query& query, const UserId& author, const std::string& client_id);
std::optional<Earlier> read_sent(Rows& rows);
std::optional<Earlier> find_sent(Query& query, const UserId& author, const std::string& client_id);

void insert_message(Transaction& transaction, const Message& message, std::string_view fingerprint);
/// Text, mentions and edited_at as in `message`; or, where it is deleted, what remains.
void update_message(Transaction& transaction, const Message& message);

struct Reacted {
  std::string emoji;  // as it was first given
  std::int64_t kinds = 0;
  bool mine = false;
};
/// How the message stands with this emoji and person.
Reacted find_reaction(Query& query, const RoomId& room, std::int64_t seq, const std::string& folded, const UserId& user);
void insert_reaction(Transaction& transaction, const RoomId& room, std::int64_t seq, const std::string& folded, const std::string& emoji,
                     const UserId& user, std::int64_t event_seq);
void remove_reaction(Transaction& transaction, const RoomId& room, std::int64_t seq, const std::string& folded, const UserId& user);

bool pinned(Query& query, const RoomId& room, std::int64_t seq);
std::int64_t count_pins(Query& query, const RoomId& room);
void insert_pin(Transaction& transaction, const RoomId& room, std::int64_t seq, std::int64_t event_seq);
void remove_pin(Transaction& transaction, const RoomId& room, std::int64_t seq);

/// Guarantee 8: not deleted, by others, with seq > read_seq (and at most last_seq), counted to 999.
struct Unread {
  std::int64_t unread = 0, mentions = 0;
};
Unread count_unread(Query& query, const RoomId& room, const UserId& user, std::int64_t read_seq, std::int64_t last_seq);

/// Erases up to `limit` messages of a deleted room. How many went.
std::int64_t erase_messages(Transaction& transaction, const RoomId& room, std::int64_t limit);

}  // namespace loggia::chat
