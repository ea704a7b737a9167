#pragma once
// Rooms, members, messages, reading; and what realtime and notification need of them. All act for context.caller().
#include <cstdint>
#include "loggia/chat/message.hpp"

namespace loggia::chat {

// ---- Rooms ----

struct RoomList {
  std::vector<Room> items;
  std::optional<std::string> next;
};
BOOST_DESCRIBE_STRUCT(RoomList, (), (items, next))

struct CreateRoom {
  using Reply = Room;
  static constexpr std::string_view route = "POST /rooms";
  static constexpr std::string_view summary = "Make a room; I become its owner.";
  static constexpr bool idempotent = true;
  static constexpr Rule rules[] = {length("name", 1, 100), length("topic", 0, 500), one_of("visibility", "public|private"), items("members", 0, 100)};
  std::string name;
  std::optional<std::string> topic;
  std::string visibility;
  std::optional<std::vector<UserId>> members;
};
BOOST_DESCRIBE_STRUCT(CreateRoom, (), (name, topic, visibility, members))

struct OpenDirect {
  using Reply = Outcome<Room>;
  static constexpr std::string_view route = "POST /rooms/direct";
  static constexpr std::string_view summary = "The one direct room of two people.";
  static constexpr bool idempotent = true;
  UserId user_id;
};
BOOST_DESCRIBE_STRUCT(OpenDirect, (), (user_id))

struct ListRooms {
  using Reply = RoomList;
  static constexpr std::string_view route = "GET /rooms";
  static constexpr std::string_view summary = "My rooms, newest activity first; or public ones to join.";
  static constexpr Rule rules[] = {one_of("scope", "mine|public"), length("query", 0, 100), range("limit", 1, 200), length("cursor", 1, 256)};
  std::optional<std::string> scope, query;
  std::optional<std::int64_t> limit;
  std::optional<std::string> cursor;
};
BOOST_DESCRIBE_STRUCT(ListRooms, (), (scope, query, limit, cursor))

struct GetRoom {
  using Reply = Room;
  static constexpr std::string_view route = "GET /rooms/{room}";
  static constexpr std::string_view summary = "A room's description.";
  RoomId room;
};
BOOST_DESCRIBE_STRUCT(GetRoom, (), (room))

struct UpdateRoom {
  using Reply = Room;
  static constexpr std::string_view route = "PATCH /rooms/{room}";
  static constexpr std::string_view summary = "Rename, change topic or visibility, archive.";
  static constexpr bool idempotent = true;
  static constexpr Rule rules[] = {length("name", 1, 100), length("topic", 0, 500), one_of("visibility", "public|private"), length("retention", 1, 16)};
  RoomId room;
  std::optional<std::string> name, topic, visibility;
  std::optional<bool> archived;
  std::optional<std::string> retention;
};
BOOST_DESCRIBE_STRUCT(UpdateRoom, (), (room, name, topic, visibility, archived, retention))

struct DeleteRoom {
  using Reply = Nothing;
  static constexpr std::string_view route = "DELETE /rooms/{room}";
  static constexpr std::string_view summary = "Delete a room and its texts.";
  RoomId room;
};
BOOST_DESCRIBE_STRUCT(DeleteRoom, (), (room))

struct Member {
  UserId user_id;
  std::string username, display_name, role;
  Time joined_at{};
};
BOOST_DESCRIBE_STRUCT(Member, (), (user_id, username, display_name, role, joined_at))
struct MemberList {
  std::vector<Member> items;
  std::optional<std::string> next;
};
BOOST_DESCRIBE_STRUCT(MemberList, (), (items, next))
struct ListMembers {
  using Reply = MemberList;
  static constexpr std::string_view route = "GET /rooms/{room}/members";
  static constexpr std::string_view summary = "The members of a room.";
  static constexpr Rule rules[] = {range("limit", 1, 200), length("cursor", 1, 256)};
  RoomId room;
  std::optional<std::int64_t> limit;
  std::optional<std::string> cursor;
};
BOOST_DESCRIBE_STRUCT(ListMembers, (), (room, limit, cursor))

/// `user` is an id or `me`.
struct PutMember {
  using Reply = Nothing;
  static constexpr std::string_view route = "PUT /rooms/{room}/members/{user}";
  static constexpr std::string_view summary = "Add a member, or change a role.";
  static constexpr Rule rules[] = {one_of("role", "owner|moderator|member")};
  RoomId room;
  std::string user;
  std::optional<std::string> role;
};
BOOST_DESCRIBE_STRUCT(PutMember, (), (room, user, role))
struct RemoveMember {
  using Reply = Nothing;
  static constexpr std::string_view route = "DELETE /rooms/{room}/members/{user}";
  static constexpr std::string_view summary = "Remove a member, or leave.";
  RoomId room;
  std::string user;
};
BOOST_DESCRIBE_STRUCT(RemoveMember, (), (room, user))
struct JoinRoom {
  using Reply = Room;
  static constexpr std::string_view route = "POST /rooms/{room}/join";
  static constexpr int status = 200;
  static constexpr std::string_view summary = "Join a public room.";
  static constexpr bool idempotent = true;
  RoomId room;
};
BOOST_DESCRIBE_STRUCT(JoinRoom, (), (room))

struct Ban {
  UserId user_id;
  std::string username, display_name;
  std::optional<UserId> by;
  Time at{};
};
BOOST_DESCRIBE_STRUCT(Ban, (), (user_id, username, display_name, by, at))
struct Bans {
  std::vector<Ban> items;
  std::optional<std::string> next;
};
BOOST_DESCRIBE_STRUCT(Bans, (), (items, next))
struct ListBans {
  using Reply = Bans;
  static constexpr std::string_view route = "GET /rooms/{room}/bans";
  static constexpr std::string_view summary = "Who is kept out.";
  static constexpr Rule rules[] = {range("limit", 1, 200), length("cursor", 1, 256)};
  RoomId room;
  std::optional<std::int64_t> limit;
  std::optional<std::string> cursor;
};
BOOST_DESCRIBE_STRUCT(ListBans, (), (room, limit, cursor))
struct BanMember {
  using Reply = Nothing;
  static constexpr std::string_view route = "PUT /rooms/{room}/bans/{user}";
  static constexpr std::string_view summary = "Remove a person and keep them out.";
  RoomId room;
  UserId user;
};
BOOST_DESCRIBE_STRUCT(BanMember, (), (room, user))
struct Unban {
  using Reply = Nothing;
  static constexpr std::string_view route = "DELETE /rooms/{room}/bans/{user}";
  static constexpr std::string_view summary = "Let a person in again.";
  RoomId room;
  UserId user;
};
BOOST_DESCRIBE_STRUCT(Unban, (), (room, user))

using Rooms = Port<CreateRoom, OpenDirect, ListRooms, GetRoom, UpdateRoom, DeleteRoom, ListMembers, PutMember, RemoveMember, JoinRoom, ListBans, BanMember, Unban>;

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
  static constexpr Rule rules[] = {range("before", 0, INT64_MAX), range("after", 0, INT64_MAX), range("around", 0, INT64_MAX), range("limit", 1, 200)};
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

// ---- for realtime: the same rules as above, with the answers that the socket gives ----

struct Sent {
  MessageId id;
  std::int64_t seq = 0;
  Time created_at{};
};
BOOST_DESCRIBE_STRUCT(Sent, (), (id, seq, created_at))
struct SendNow {
  using Reply = Sent;
  static constexpr std::string_view route = "POST /internal/rooms/{room}/send";
  static constexpr Access access = Access::internal;
  static constexpr int status = 200;
  RoomId room;
  std::string text, client_id;
  std::optional<std::int64_t> reply_to;
  std::optional<std::vector<std::string>> attachments;
};
BOOST_DESCRIBE_STRUCT(SendNow, (), (room, text, client_id, reply_to, attachments))

/// The number that the change took; none where it changed nothing.
struct Changed {
  std::optional<std::int64_t> seq;
};
BOOST_DESCRIBE_STRUCT(Changed, (), (seq))
struct EditNow {
  using Reply = Changed;
  static constexpr std::string_view route = "POST /internal/rooms/{room}/edit";
  static constexpr Access access = Access::internal;
  static constexpr int status = 200;
  RoomId room;
  std::int64_t seq = 0;
  std::string text;
};
BOOST_DESCRIBE_STRUCT(EditNow, (), (room, seq, text))
struct DeleteNow {
  using Reply = Changed;
  static constexpr std::string_view route = "POST /internal/rooms/{room}/delete";
  static constexpr Access access = Access::internal;
  static constexpr int status = 200;
  RoomId room;
  std::int64_t seq = 0;
};
BOOST_DESCRIBE_STRUCT(DeleteNow, (), (room, seq))
struct ReactNow {
  using Reply = Changed;
  static constexpr std::string_view route = "POST /internal/rooms/{room}/react";
  static constexpr Access access = Access::internal;
  static constexpr int status = 200;
  RoomId room;
  std::int64_t seq = 0;
  std::string emoji;
  bool on = true;  // false: unreact
};
BOOST_DESCRIBE_STRUCT(ReactNow, (), (room, seq, emoji, on))

/// An entry of `rooms` in `hello`, and the data of `room.added`.
struct Standing {
  RoomId id;
  std::string kind;
  std::optional<std::string> name;
  std::optional<Peer> peer;
  std::string my_role;
  std::int64_t last_seq = 0, read_seq = 0, unread = 0, mentions = 0;
};
BOOST_DESCRIBE_STRUCT(Standing, (), (id, kind, name, peer, my_role, last_seq, read_seq, unread, mentions))

struct RoomPosition {
  RoomId room;
  std::int64_t last_seq = 0;
  std::int64_t members = 0;
};
BOOST_DESCRIBE_STRUCT(RoomPosition, (), (room, last_seq, members))

/// All that a `hello` needs, of one moment. `cursor` valid: `rooms` holds those in which something changed since for this user, and
/// `gone` the rooms lost since; else the 500 with the newest activity. `all`: every room of the user with its position then.
struct Hello {
  std::string epoch, cursor;
  std::vector<Standing> rooms;
  bool more = false;
  std::vector<RoomId> gone;
  std::vector<RoomPosition> all;
};
BOOST_DESCRIBE_STRUCT(Hello, (), (epoch, cursor, rooms, more, gone, all))
struct GetHello {
  using Reply = Hello;
  static constexpr std::string_view route = "POST /internal/hello";
  static constexpr Access access = Access::internal;
  static constexpr int status = 200;
  UserId user;
  std::optional<std::string> epoch, cursor;  // of `resume`
};
BOOST_DESCRIBE_STRUCT(GetHello, (), (user, epoch, cursor))

/// An opaque position in all that changed, for `ping` and `replay.done`: valid within an epoch, does not age.
struct Cursor {
  std::string epoch, cursor;
};
BOOST_DESCRIBE_STRUCT(Cursor, (), (epoch, cursor))
struct GetCursor {
  using Reply = Cursor;
  static constexpr std::string_view route = "GET /internal/cursor";
  static constexpr Access access = Access::internal;
};
BOOST_DESCRIBE_STRUCT(GetCursor, (), ())

/// The user's entry of one room, as in `hello`; not_found for who is no member.
struct GetStanding {
  using Reply = Standing;
  static constexpr std::string_view route = "GET /internal/rooms/{room}/standing/{user}";
  static constexpr Access access = Access::internal;
  RoomId room;
  UserId user;
};
BOOST_DESCRIBE_STRUCT(GetStanding, (), (room, user))

/// The time line for fan-out, whoever may see it: events with seq > after.
struct ReadTimeline {
  using Reply = Events;
  static constexpr std::string_view route = "GET /internal/rooms/{room}/timeline";
  static constexpr Access access = Access::internal;
  RoomId room;
  std::int64_t after = 0, limit = 200;
};
BOOST_DESCRIBE_STRUCT(ReadTimeline, (), (room, after, limit))

/// Why somebody is not in a room: left, removed, banned, deleted, or unknown (never theirs).
struct Absence {
  std::string why;
};
BOOST_DESCRIBE_STRUCT(Absence, (), (why))
struct GetAbsence {
  using Reply = Absence;
  static constexpr std::string_view route = "GET /internal/rooms/{room}/absence/{user}";
  static constexpr Access access = Access::internal;
  RoomId room;
  UserId user;
};
BOOST_DESCRIBE_STRUCT(GetAbsence, (), (room, user))

/// Those who share a direct room, or a room of at most 100, with the person: who sees their presence.
struct Audience {
  std::vector<UserId> ids;
};
BOOST_DESCRIBE_STRUCT(Audience, (), (ids))
struct GetAudience {
  using Reply = Audience;
  static constexpr std::string_view route = "GET /internal/users/{user}/audience";
  static constexpr Access access = Access::internal;
  UserId user;
};
BOOST_DESCRIBE_STRUCT(GetAudience, (), (user))

using Live = Port<SendNow, EditNow, DeleteNow, ReactNow, GetHello, GetCursor, GetStanding, ReadTimeline, GetAbsence, GetAudience>;

// ---- for notification ----

struct Recipient {
  UserId user_id;
  std::int64_t read_seq = 0;
  bool mentioned = false;
};
BOOST_DESCRIBE_STRUCT(Recipient, (), (user_id, read_seq, mentioned))
/// The message's kind of room, author and everybody else in it now; not_found where the message is gone or deleted.
struct Recipients {
  std::string kind;
  UserId author;
  std::vector<Recipient> items;
};
BOOST_DESCRIBE_STRUCT(Recipients, (), (kind, author, items))
struct GetRecipients {
  using Reply = Recipients;
  static constexpr std::string_view route = "GET /internal/rooms/{room}/messages/{seq}/recipients";
  static constexpr Access access = Access::internal;
  RoomId room;
  std::int64_t seq = 0;
};
BOOST_DESCRIBE_STRUCT(GetRecipients, (), (room, seq))

using Audiences = Port<GetRecipients>;

}  // namespace loggia::chat
