#pragma once
// Messages, reactions, pins; reading: the public requests of chat, second part.
#include <cstdint>
#include "loggia/chat/message.hpp"

namespace loggia::chat {

// ---- Messages ----

struct MessageList {
  std::vector<Message> items;
  bool more = false;
};
BOOST_DESCRIBE_STRUCT(MessageList, (), (items, more))
struct ListMessages {
  using Reply = MessageList;
  static constexpr std::string_view route = "GET /rooms/{room}/messages";
  static constexpr std::string_view summary = "Messages, oldest first.";
  static constexpr Rule rules[] = {range("before", 0, INT64_MAX), range("after", 0, INT64_MAX), range("around", 0, INT64_MAX),
                                   range("limit", 1, 200)};
  RoomId room;
  std::optional<std::int64_t> before, after, around, limit;
};
BOOST_DESCRIBE_STRUCT(ListMessages, (), (room, before, after, around, limit))

struct PostMessage {
  using Reply = Outcome<Message>;
  static constexpr std::string_view route = "POST /rooms/{room}/messages";
  static constexpr std::string_view summary = "Send a message; durable when answered.";
  static constexpr bool idempotent = true;
  static constexpr Rule rules[] = {printable("client_id", 1, 64), range("reply_to", 1, INT64_MAX), items("attachments", 0, 10)};
  RoomId room;
  std::string text;
  std::optional<std::string> client_id;
  std::optional<std::int64_t> reply_to;
  std::optional<std::vector<std::string>> attachments;
  static constexpr auto once_by = &PostMessage::client_id;
};
BOOST_DESCRIBE_STRUCT(PostMessage, (), (room, text, client_id, reply_to, attachments))
struct GetMessage {
  using Reply = Message;
  static constexpr std::string_view route = "GET /rooms/{room}/messages/{seq}";
  static constexpr std::string_view summary = "One message.";
  RoomId room;
  std::int64_t seq = 0;
};
BOOST_DESCRIBE_STRUCT(GetMessage, (), (room, seq))
struct EditMessage {
  using Reply = Message;
  static constexpr std::string_view route = "PATCH /rooms/{room}/messages/{seq}";
  static constexpr std::string_view summary = "Change the text of my message.";
  static constexpr bool idempotent = true;
  RoomId room;
  std::int64_t seq = 0;
  std::string text;
};
BOOST_DESCRIBE_STRUCT(EditMessage, (), (room, seq, text))
struct DeleteMessage {
  using Reply = Nothing;
  static constexpr std::string_view route = "DELETE /rooms/{room}/messages/{seq}";
  static constexpr std::string_view summary = "Delete a message: its text is then nowhere.";
  RoomId room;
  std::int64_t seq = 0;
};
BOOST_DESCRIBE_STRUCT(DeleteMessage, (), (room, seq))
struct AddReaction {
  using Reply = Nothing;
  static constexpr std::string_view route = "PUT /rooms/{room}/messages/{seq}/reactions/{emoji}";
  static constexpr std::string_view summary = "React with one emoji.";
  RoomId room;
  std::int64_t seq = 0;
  std::string emoji;
};
BOOST_DESCRIBE_STRUCT(AddReaction, (), (room, seq, emoji))
struct RemoveReaction {
  using Reply = Nothing;
  static constexpr std::string_view route = "DELETE /rooms/{room}/messages/{seq}/reactions/{emoji}";
  static constexpr std::string_view summary = "Take my reaction back.";
  RoomId room;
  std::int64_t seq = 0;
  std::string emoji;
};
BOOST_DESCRIBE_STRUCT(RemoveReaction, (), (room, seq, emoji))
struct ListPins {
  using Reply = MessageList;
  static constexpr std::string_view route = "GET /rooms/{room}/pins";
  static constexpr std::string_view summary = "The pinned messages.";
  RoomId room;
};
BOOST_DESCRIBE_STRUCT(ListPins, (), (room))
struct AddPin {
  using Reply = Nothing;
  static constexpr std::string_view route = "PUT /rooms/{room}/pins/{seq}";
  static constexpr std::string_view summary = "Pin a message.";
  RoomId room;
  std::int64_t seq = 0;
};
BOOST_DESCRIBE_STRUCT(AddPin, (), (room, seq))
struct RemovePin {
  using Reply = Nothing;
  static constexpr std::string_view route = "DELETE /rooms/{room}/pins/{seq}";
  static constexpr std::string_view summary = "Unpin a message.";
  RoomId room;
  std::int64_t seq = 0;
};
BOOST_DESCRIBE_STRUCT(RemovePin, (), (room, seq))

using Messages = Port<ListMessages, PostMessage, GetMessage, EditMessage, DeleteMessage, AddReaction, RemoveReaction, ListPins, AddPin, RemovePin>;

// ---- Reading ----

struct MarkRead {
  using Reply = Nothing;
  static constexpr std::string_view route = "PUT /rooms/{room}/read";
  static constexpr std::string_view summary = "I have read up to here; never moves back.";
  static constexpr Rule rules[] = {range("seq", 0, INT64_MAX)};
  RoomId room;
  std::int64_t seq = 0;
};
BOOST_DESCRIBE_STRUCT(MarkRead, (), (room, seq))

struct Receipt {
  UserId user_id;
  std::int64_t seq = 0;
  Time at{};
};
BOOST_DESCRIBE_STRUCT(Receipt, (), (user_id, seq, at))
struct Receipts {
  std::optional<std::vector<Receipt>> items;
  std::optional<std::int64_t> count;  // in rooms over 100: how many have read up to `seq`
};
BOOST_DESCRIBE_STRUCT(Receipts, (), (items, count))
struct GetReceipts {
  using Reply = Receipts;
  static constexpr std::string_view route = "GET /rooms/{room}/receipts";
  static constexpr std::string_view summary = "Who has read how far.";
  static constexpr Rule rules[] = {range("seq", 0, INT64_MAX)};
  RoomId room;
  std::optional<std::int64_t> seq;
};
BOOST_DESCRIBE_STRUCT(GetReceipts, (), (room, seq))

struct Events {
  std::vector<RawJson> items;  // frames of section 3, as they are stored
  bool more = false;
};
BOOST_DESCRIBE_STRUCT(Events, (), (items, more))
struct GetEvents {
  using Reply = Events;
  static constexpr std::string_view route = "GET /rooms/{room}/events";
  static constexpr std::string_view summary = "The changes after a position, oldest first.";
  static constexpr Rule rules[] = {range("after", 0, INT64_MAX), range("limit", 1, 200)};
  RoomId room;
  std::optional<std::int64_t> after, limit;
};
BOOST_DESCRIBE_STRUCT(GetEvents, (), (room, after, limit))

using Reading = Port<MarkRead, GetReceipts, GetEvents>;

}  // namespace loggia::chat
