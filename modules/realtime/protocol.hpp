#pragma once
// The requests of loggia.v1 (contract, section 3) as structs, and the frame that carries one. Pure; any thread.
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>
#include "answers.hpp"
#include "loggia/ids.hpp"
#include "loggia/kernel/contract.hpp"

namespace loggia::realtime {

/// What a client holds: the events of these rooms up to these numbers.
struct Resume {
  static constexpr Rule rules[] = {length("epoch", 0, 256), length("cursor", 0, 256), items("rooms", 0, 1000), range("rooms", 0, INT64_MAX)};
  std::string epoch;
  std::optional<std::string> cursor;
  std::optional<std::map<std::string, std::int64_t>> rooms;
};
BOOST_DESCRIBE_STRUCT(Resume, (), (epoch, cursor, rooms))

struct HelloOp {
  static constexpr std::string_view name = "hello";
  static constexpr std::string_view summary = "The first request, within 10 s: who connects, and from where on.";
  using Ok = HelloOk;
  static constexpr Rule rules[] = {length("token", 1, 8192), length("client", 0, 200)};
  std::string token;
  std::optional<std::string> client;
  std::optional<Resume> resume;
};
BOOST_DESCRIBE_STRUCT(HelloOp, (), (token, client, resume))
struct AuthOp {
  static constexpr std::string_view name = "auth";
  static constexpr std::string_view summary = "A fresh access token of the same session; of another it is `forbidden`.";
  using Ok = ExpiresOk;
  static constexpr Rule rules[] = {length("token", 1, 8192)};
  std::string token;
};
BOOST_DESCRIBE_STRUCT(AuthOp, (), (token))
struct SendOp {
  static constexpr std::string_view name = "send";
  static constexpr std::string_view summary = "Write a message; answered once it is durable. Repeated with its `client_id` it gets the first answer.";
  using Ok = chat::Sent;
  static constexpr Rule rules[] = {printable("client_id", 1, 64), range("reply_to", 1, INT64_MAX), items("attachments", 0, 10)};
  RoomId room;
  std::string text, client_id;
  std::optional<std::int64_t> reply_to;
  std::optional<std::vector<std::string>> attachments;
};
BOOST_DESCRIBE_STRUCT(SendOp, (), (room, text, client_id, reply_to, attachments))
struct EditOp {
  static constexpr std::string_view name = "edit";
  static constexpr std::string_view summary = "Change the text of a message of mine; `seq` is the number that the change took.";
  using Ok = chat::Changed;
  RoomId room;
  std::int64_t seq = 0;
  std::string text;
};
BOOST_DESCRIBE_STRUCT(EditOp, (), (room, seq, text))
struct DeleteOp {
  static constexpr std::string_view name = "delete";
  static constexpr std::string_view summary = "Delete a message; `seq` is the number that the change took.";
  using Ok = chat::Changed;
  RoomId room;
  std::int64_t seq = 0;
};
BOOST_DESCRIBE_STRUCT(DeleteOp, (), (room, seq))
struct ReactOp {
  static constexpr std::string_view name = "react";
  static constexpr std::string_view summary = "React to a message; `seq` is the number that the change took.";
  using Ok = chat::Changed;
  RoomId room;
  std::int64_t seq = 0;
  std::string emoji;
};
BOOST_DESCRIBE_STRUCT(ReactOp, (), (room, seq, emoji))
struct UnreactOp {
  static constexpr std::string_view name = "unreact";
  static constexpr std::string_view summary = "Take a reaction back; `seq` is the number that the change took.";
  using Ok = chat::Changed;
  RoomId room;
  std::int64_t seq = 0;
  std::string emoji;
};
BOOST_DESCRIBE_STRUCT(UnreactOp, (), (room, seq, emoji))
struct ReadOp {
  static constexpr std::string_view name = "read";
  static constexpr std::string_view summary = "I have read up to here; never moves back.";
  using Ok = Nothing;
  static constexpr Rule rules[] = {range("seq", 0, INT64_MAX)};
  RoomId room;
  std::int64_t seq = 0;
};
BOOST_DESCRIBE_STRUCT(ReadOp, (), (room, seq))
struct TypingOp {
  static constexpr std::string_view name = "typing";
  static constexpr std::string_view summary = "I type; lasts 5 s.";
  using Ok = Nothing;
  RoomId room;
};
BOOST_DESCRIBE_STRUCT(TypingOp, (), (room))
struct PresenceOp {
  static constexpr std::string_view name = "presence";
  static constexpr std::string_view summary = "I am here, or away.";
  using Ok = Nothing;
  static constexpr Rule rules[] = {one_of("state", "online|away")};
  std::string state;
};
BOOST_DESCRIBE_STRUCT(PresenceOp, (), (state))
struct SyncOp {
  static constexpr std::string_view name = "sync";
  static constexpr std::string_view summary = "The changes of a room after a position, oldest first.";
  using Ok = SyncOk;
  static constexpr Rule rules[] = {range("after", 0, INT64_MAX), range("limit", 1, 200)};
  RoomId room;
  std::int64_t after = 0;
  std::optional<std::int64_t> limit;
};
BOOST_DESCRIBE_STRUCT(SyncOp, (), (room, after, limit))
struct PingOp {
  static constexpr std::string_view name = "ping";
  static constexpr std::string_view summary = "Whether the server is there; with a newer cursor.";
  using Ok = PingOk;
};
BOOST_DESCRIBE_STRUCT(PingOp, (), ())

using Operation = std::variant<HelloOp, AuthOp, SendOp, EditOp, DeleteOp, ReactOp, UnreactOp, ReadOp, TypingOp, PresenceOp, SyncOp, PingOp>;

struct Request {
  std::int64_t id = 0;
  Operation operation;
};
/// A frame that is no request: answered where its id can be read, else the end of the connection (4000).
struct Refusal {
  std::optional<std::int64_t> id;
  bool hello = false;  // its op was `hello`
  Error error;
};

/// Strict: unknown fields are an error.
std::variant<Request, Refusal> parse_request(std::string_view text);

/// Close codes (contract, section 3); description.cpp says what they mean.
namespace code {
inline constexpr int going_away = 1001, protocol_error = 4000, no_hello = 4001, bad_token = 4003, too_slow = 4008, revoked = 4009, too_many = 4029;
inline constexpr int all[] = {going_away, protocol_error, no_hello, bad_token, too_slow, revoked, too_many};
}  // namespace code

}  // namespace loggia::realtime
