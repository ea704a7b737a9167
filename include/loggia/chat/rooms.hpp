#pragma once
// Rooms, their members, who is kept out: the public requests of chat, first part.
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
  static constexpr Rule rules[] = {length("name", 1, 100), length("topic", 0, 500), one_of("visibility", "public|private"),
                                   length("retention", 1, 16)};
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

using Rooms = Port<CreateRoom, OpenDirect, ListRooms, GetRoom, UpdateRoom, DeleteRoom, ListMembers, PutMember, RemoveMember, JoinRoom, ListBans,
                   BanMember, Unban>;

}  // namespace loggia::chat
