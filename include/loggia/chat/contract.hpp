#pragma once
// Rooms, members, messages, reading; and what realtime and notification need of them. All act for context.caller().
#include <cstdint>
#include "loggia/chat/messages.hpp"
#include "loggia/chat/rooms.hpp"
#include "loggia/kernel/refused.hpp"

namespace loggia::chat {

// ---- for realtime: the same rules as above, with the answers that the socket gives ----

struct Sent {
  MessageId id;
  std::int64_t seq = 0;
  Time created_at{};
};
BOOST_DESCRIBE_STRUCT(Sent, (), (id, seq, created_at))
/// A send into a room that is not direct, with at most this many `@` in its text, asks nobody: such sends of one caller take effect in the
/// order in which they were made, without one waiting for the other.
inline constexpr std::ptrdiff_t mentions_at_once = 16;
struct SendNow {
  using Reply = Sent;
  static constexpr std::string_view route = "POST /internal/rooms/{room}/send";
  static constexpr Access access = Access::internal;
  static constexpr int status = 200;
  RoomId room;
  std::string text, client_id;
  std::optional<std::int64_t> reply_to;
  std::optional<std::vector<std::string>> attachments;
  static constexpr auto once_by = &SendNow::client_id;
};
BOOST_DESCRIBE_STRUCT(SendNow, (), (room, text, client_id, reply_to, attachments))

/// What one person sends into one room, in this order: the same as SendNow for one after the other, each with its own answer, but in one call.
/// They share the commit where nothing is to be asked between. For who calls from another process, where two calls may overtake each other. It is
/// answered as a whole where none was sent and chat can send nothing just now, and not repeated elsewhere: no single answer says what is to
/// become of the others. Whoever gets none sends each by itself.
struct SendItem {
  std::string text, client_id;
  std::optional<std::int64_t> reply_to;
};
BOOST_DESCRIBE_STRUCT(SendItem, (), (text, client_id, reply_to))
struct SendAnswer {
  std::optional<Sent> sent;
  std::optional<Refused> refused;  // where it was not sent
};
BOOST_DESCRIBE_STRUCT(SendAnswer, (), (sent, refused))
struct SentInOrder {
  std::vector<SendAnswer> answers;  // one for each
};
BOOST_DESCRIBE_STRUCT(SentInOrder, (), (answers))
inline constexpr std::size_t sends_at_once = 64;
struct SendInOrder {
  using Reply = SentInOrder;
  static constexpr std::string_view route = "POST /internal/rooms/{room}/sends";
  static constexpr Access access = Access::internal;
  static constexpr int status = 200;
  static constexpr Rule rules[] = {loggia::items("items", 1, static_cast<std::int64_t>(sends_at_once))};
  RoomId room;
  std::vector<SendItem> items;
};
BOOST_DESCRIBE_STRUCT(SendInOrder, (), (room, items))

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

using Live = Port<SendNow, SendInOrder, EditNow, DeleteNow, ReactNow, GetHello, GetCursor, GetStanding, ReadTimeline, GetAbsence, GetAudience>;

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

/// How a message stands with one person, now. not_found where room or message are gone or the person is not in; `detail` says which, to them.
struct Attention {
  std::string kind;
  std::optional<std::string> name;  // of the room; none of a direct one
  UserId author;
  Time created_at{};
  std::int64_t read_seq = 0;
  bool mentioned = false;
};
BOOST_DESCRIBE_STRUCT(Attention, (), (kind, name, author, created_at, read_seq, mentioned))
struct GetAttention {
  using Reply = Attention;
  static constexpr std::string_view route = "GET /internal/rooms/{room}/messages/{seq}/attention/{user}";
  static constexpr Access access = Access::internal;
  RoomId room;
  std::int64_t seq = 0;
  UserId user;
};
BOOST_DESCRIBE_STRUCT(GetAttention, (), (room, seq, user))

using Audiences = Port<GetRecipients, GetAttention>;

}  // namespace loggia::chat
