#pragma once
// A message and a room as the contract shows them (section 2, chat).
#include <optional>
#include <string>
#include <vector>
#include "loggia/ids.hpp"
#include "loggia/kernel/contract.hpp"

namespace loggia::chat {

struct Reaction {
  std::string emoji;
  std::int64_t count = 0;
  std::vector<UserId> users;  // at most 100 are named
};
BOOST_DESCRIBE_STRUCT(Reaction, (), (emoji, count, users))

struct Message {
  MessageId id;
  RoomId room;
  std::int64_t seq = 0;
  UserId author;
  std::string text;
  std::optional<std::string> client_id;
  std::optional<std::int64_t> reply_to;
  std::vector<RawJson> attachments;
  std::vector<Reaction> reactions;
  std::vector<UserId> mentions;
  std::optional<bool> mentions_room;
  Time created_at{};
  std::optional<Time> edited_at;
  std::optional<bool> deleted;
};
BOOST_DESCRIBE_STRUCT(Message, (),
                      (id, room, seq, author, text, client_id, reply_to, attachments, reactions, mentions, mentions_room, created_at, edited_at,
                       deleted))

struct Peer {
  UserId id;
  std::string username, display_name;
};
BOOST_DESCRIBE_STRUCT(Peer, (), (id, username, display_name))

struct Room {
  RoomId id;
  std::string kind;  // public, private, direct
  std::optional<std::string> name, topic;
  std::optional<Peer> peer;
  bool archived = false;
  std::optional<std::string> retention;
  Time created_at{};
  UserId created_by;
  std::int64_t last_seq = 0, member_count = 0;
  std::optional<std::string> my_role;
  // In lists of mine:
  std::optional<std::int64_t> read_seq, unread, mentions;
};
BOOST_DESCRIBE_STRUCT(Room, (),
                      (id, kind, name, topic, peer, archived, retention, created_at, created_by, last_seq, member_count, my_role, read_seq, unread,
                       mentions))

}  // namespace loggia::chat
