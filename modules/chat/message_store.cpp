#include "message_store.hpp"
#include <algorithm>

namespace loggia::chat {
namespace {

#define LOGGIA_MESSAGE_COLUMNS "id, room, seq, author, text, client_id, reply_to, mentions, mentions_room, created_at, edited_at, deleted "
constexpr std::size_t named_users = 100;

std::vector<UserId> ids_in(std::span<const std::uint8_t> blob) {
  std::vector<UserId> out;
  for (std::size_t at = 0; at + 16 <= blob.size(); at += 16) {
    Bytes16 bytes;
    std::copy_n(blob.begin() + static_cast<std::ptrdiff_t>(at), 16, bytes.begin());
    out.emplace_back(bytes);
  }
  return out;
}
std::vector<std::uint8_t> blob_of(const std::vector<UserId>& ids) {
  std::vector<std::uint8_t> out;
  for (const auto& id : ids) out.insert(out.end(), id.bytes().begin(), id.bytes().end());
  return out;
}

Message read_message(const Rows& rows) {
  Message out;
  out.id = rows.id<MessageId>(0);
  out.room = rows.id<RoomId>(1);
  out.seq = rows.integer(2);
  out.author = rows.id<UserId>(3);
  out.created_at = rows.time(9);
  if (rows.flag(11)) {
    out.deleted = true;
    return out;
  }
  out.text = rows.string(4);
  out.client_id = rows.maybe_string(5);
  out.reply_to = rows.maybe_integer(6);
  if (!rows.null(7)) out.mentions = ids_in(rows.blob(7));
  if (rows.flag(8)) out.mentions_room = true;
  out.edited_at = rows.maybe_time(10);
  return out;
}

/// Adds one row of the reactions of a message; they come in the order in which they were made.
void add_reaction(std::vector<Reaction>& reactions, std::string_view emoji, const UserId& user) {
  auto found = std::find_if(reactions.begin(), reactions.end(), [&](const Reaction& r) { return r.emoji == emoji; });
  if (found == reactions.end()) {
    found = reactions.emplace(reactions.end());
    found->emoji = emoji;
  }
  ++found->count;
  if (found->users.size() < named_users) found->users.push_back(user);
}

/// The reactions of a page of messages, which are in the order of their numbers.
void add_reactions(Query& query, std::vector<Message>& messages) {
  if (messages.empty()) return;
  auto rows =
      query.select("SELECT message_seq, emoji, user FROM reactions WHERE room = ?1 AND message_seq BETWEEN ?2 AND ?3 ORDER BY message_seq, event_seq",
                   messages.front().room, messages.front().seq, messages.back().seq);
  auto message = messages.begin();
  while (rows->next()) {
    while (message != messages.end() && message->seq < rows->integer(0)) ++message;
    if (message == messages.end()) return;
    if (message->seq == rows->integer(0)) add_reaction(message->reactions, rows->text(1), rows->id<UserId>(2));
  }
}

void write_mentions(Transaction& transaction, const Message& message) {
  constexpr std::string_view insert = "INSERT INTO mentions (room, user, seq, author) VALUES (?1, ?2, ?3, ?4)";
  for (const auto& user : message.mentions) transaction.execute(insert, message.room, user, message.seq, message.author);
  if (message.mentions_room) transaction.execute(insert, message.room, UserId(), message.seq, message.author);
}

}  // namespace

std::optional<Message> find_bare_message(Query& query, const RoomId& room, std::int64_t seq) {
  auto rows = query.select("SELECT " LOGGIA_MESSAGE_COLUMNS "FROM messages WHERE room = ?1 AND seq = ?2", room, seq);
  if (!rows->next()) return std::nullopt;
  return read_message(*rows);
}

std::optional<Message> find_message(Query& query, const RoomId& room, std::int64_t seq) {
  auto out = find_bare_message(query, room, seq);
  if (out && !out->deleted) out->reactions = reactions_of(query, room, seq);
  return out;
}

std::vector<Message> messages_after(Query& query, const RoomId& room, std::int64_t seq, std::int64_t limit) {
  std::vector<Message> out;
  {
    auto rows = query.select("SELECT " LOGGIA_MESSAGE_COLUMNS "FROM messages WHERE room = ?1 AND seq > ?2 ORDER BY seq LIMIT ?3", room, seq, limit);
    while (rows->next()) out.push_back(read_message(*rows));
  }
  add_reactions(query, out);
  return out;
}

std::vector<Message> messages_before(Query& query, const RoomId& room, std::int64_t seq, std::int64_t limit) {
  std::vector<Message> out;
  {
    auto rows =
        query.select("SELECT " LOGGIA_MESSAGE_COLUMNS "FROM messages WHERE room = ?1 AND seq < ?2 ORDER BY seq DESC LIMIT ?3", room, seq, limit);
    while (rows->next()) out.push_back(read_message(*rows));
  }
  std::reverse(out.begin(), out.end());
  add_reactions(query, out);
  return out;
}

std::vector<Message> pinned_messages(Query& query, const RoomId& room) {
  std::vector<std::int64_t> numbers;
  {
    auto rows = query.select("SELECT message_seq FROM pins WHERE room = ?1 ORDER BY event_seq", room);
    while (rows->next()) numbers.push_back(rows->integer(0));
  }
  std::vector<Message> out;
  for (const auto seq : numbers)
    if (auto message = find_message(query, room, seq)) out.push_back(std::move(*message));
  return out;
}

std::vector<Reaction> reactions_of(Query& query, const RoomId& room, std::int64_t seq) {
  std::vector<Reaction> out;
  auto rows = query.select("SELECT emoji, user FROM reactions WHERE room = ?1 AND message_seq = ?2 ORDER BY event_seq", room, seq);
  while (rows->next()) add_reaction(out, rows->text(0), rows->id<UserId>(1));
  return out;
}

std::unique_ptr<Rows> select_sent(Query& query, const UserId& author, const std::string& client_id) {
  return query.select("SELECT room, seq, fingerprint FROM messages WHERE author = ?1 AND client_id = ?2", author, client_id);
}

std::optional<Earlier> read_sent(Rows& rows) {
  if (!rows.next()) return std::nullopt;
  Earlier out;
  out.room = rows.id<RoomId>(0);
  out.seq = rows.integer(1);
  const auto print = rows.blob(2);
  out.fingerprint.assign(print.begin(), print.end());
  return out;
}

std::optional<Earlier> find_sent(Query& query, const UserId& author, const std::string& client_id) {
  return read_sent(*select_sent(query, author, client_id));
}

void insert_message(Transaction& transaction, const Message& message, std::string_view fingerprint) {
  const auto mentions = blob_of(message.mentions);
  const std::span<const std::uint8_t> print(reinterpret_cast<const std::uint8_t*>(fingerprint.data()), fingerprint.size());
  transaction.execute(
      "INSERT INTO messages (room, seq, id, author, text, client_id, fingerprint, reply_to, mentions, mentions_room, created_at) "
      "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
      message.room, message.seq, message.id, message.author, message.text, message.client_id, print, message.reply_to,
      std::span<const std::uint8_t>(mentions), message.mentions_room.has_value(), message.created_at);
  write_mentions(transaction, message);
}

void update_message(Transaction& transaction, const Message& message) {
  const auto mentions = blob_of(message.mentions);
  transaction.execute("DELETE FROM mentions WHERE room = ?1 AND seq = ?2", message.room, message.seq);
  if (message.deleted) {
    transaction.execute(
        "UPDATE messages SET text = '', reply_to = NULL, mentions = NULL, mentions_room = 0, edited_at = NULL, deleted = 1 "
        "WHERE room = ?1 AND seq = ?2",
        message.room, message.seq);
    transaction.execute("DELETE FROM reactions WHERE room = ?1 AND message_seq = ?2", message.room, message.seq);
    return;
  }
  transaction.execute("UPDATE messages SET text = ?3, mentions = ?4, mentions_room = ?5, edited_at = ?6 WHERE room = ?1 AND seq = ?2", message.room,
                      message.seq, message.text, std::span<const std::uint8_t>(mentions), message.mentions_room.has_value(), message.edited_at);
  write_mentions(transaction, message);
}

Reacted find_reaction(Query& query, const RoomId& room, std::int64_t seq, const std::string& folded, const UserId& user) {
  Reacted out;
  auto rows = query.select(
      "SELECT (SELECT emoji FROM reactions WHERE room = ?1 AND message_seq = ?2 AND folded = ?3 LIMIT 1), "
      "(SELECT COUNT(DISTINCT folded) FROM reactions WHERE room = ?1 AND message_seq = ?2), "
      "EXISTS (SELECT 1 FROM reactions WHERE room = ?1 AND message_seq = ?2 AND folded = ?3 AND user = ?4)",
      room, seq, folded, user);
  if (!rows->next()) return out;
  out.emoji = rows->null(0) ? std::string() : rows->string(0);
  out.kinds = rows->integer(1);
  out.mine = rows->flag(2);
  return out;
}

void insert_reaction(Transaction& transaction, const RoomId& room, std::int64_t seq, const std::string& folded, const std::string& emoji,
                     const UserId& user, std::int64_t event_seq) {
  transaction.execute("INSERT INTO reactions (room, message_seq, folded, user, emoji, event_seq) VALUES (?1, ?2, ?3, ?4, ?5, ?6)", room, seq, folded,
                      user, emoji, event_seq);
}
void remove_reaction(Transaction& transaction, const RoomId& room, std::int64_t seq, const std::string& folded, const UserId& user) {
  transaction.execute("DELETE FROM reactions WHERE room = ?1 AND message_seq = ?2 AND folded = ?3 AND user = ?4", room, seq, folded, user);
}

bool pinned(Query& query, const RoomId& room, std::int64_t seq) {
  return query.select("SELECT 1 FROM pins WHERE room = ?1 AND message_seq = ?2", room, seq)->next();
}
std::int64_t count_pins(Query& query, const RoomId& room) {
  auto rows = query.select("SELECT COUNT(*) FROM pins WHERE room = ?1", room);
  return rows->next() ? rows->integer(0) : 0;
}
void insert_pin(Transaction& transaction, const RoomId& room, std::int64_t seq, std::int64_t event_seq) {
  transaction.execute("INSERT INTO pins (room, message_seq, event_seq) VALUES (?1, ?2, ?3)", room, seq, event_seq);
}
void remove_pin(Transaction& transaction, const RoomId& room, std::int64_t seq) {
  transaction.execute("DELETE FROM pins WHERE room = ?1 AND message_seq = ?2", room, seq);
}

Unread count_unread(Query& query, const RoomId& room, const UserId& user, std::int64_t read_seq, std::int64_t last_seq) {
  Unread out;
  if (read_seq >= last_seq) return out;
  auto unread = query.select(
      "SELECT COUNT(*) FROM (SELECT 1 FROM messages WHERE room = ?1 AND seq > ?2 AND seq <= ?3 AND author <> ?4 AND deleted = 0 LIMIT 999) AS found",
      room, read_seq, last_seq, user);
  if (unread->next()) out.unread = unread->integer(0);
  if (out.unread == 0) return out;
  const UserId everybody;
  auto mentions = query.select(
      "SELECT COUNT(*) FROM (SELECT seq FROM mentions WHERE room = ?1 AND user = ?4 AND seq > ?2 AND seq <= ?3 AND author <> ?4 "
      "UNION SELECT seq FROM mentions WHERE room = ?1 AND user = ?5 AND seq > ?2 AND seq <= ?3 AND author <> ?4 LIMIT 999) AS found",
      room, read_seq, last_seq, user, everybody);
  if (mentions->next()) out.mentions = mentions->integer(0);
  return out;
}

std::int64_t erase_messages(Transaction& transaction, const RoomId& room, std::int64_t limit) {
  transaction.execute("DELETE FROM reactions WHERE room = ?1 AND message_seq IN (SELECT seq FROM messages WHERE room = ?1 ORDER BY seq LIMIT ?2)",
                      room, limit);
  transaction.execute("DELETE FROM mentions WHERE room = ?1 AND seq IN (SELECT seq FROM messages WHERE room = ?1 ORDER BY seq LIMIT ?2)", room,
                      limit);
  return transaction.execute("DELETE FROM messages WHERE number IN (SELECT number FROM messages WHERE room = ?1 ORDER BY seq LIMIT ?2)", room, limit);
}

}  // namespace loggia::chat
