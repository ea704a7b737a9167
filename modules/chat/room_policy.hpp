#pragma once
// Who may do what in a room (contract, section 2: "Who may"): a table, and nothing that needs a store. Any thread.
#include <string_view>
#include "loggia/kernel/result.hpp"

namespace loggia::chat {

enum class Kind { open = 1, closed = 2, direct = 3 };  // public, private, direct; as they are stored
enum class Rank { none = 0, member = 1, moderator = 2, owner = 3 };

std::string_view name_of(Kind kind);
std::string_view name_of(Rank rank);
/// Of texts that a rule has checked: public or private; owner, moderator or member.
Kind kind_of(std::string_view name);
Rank rank_of(std::string_view name);

enum class Act {
  describe,  // the room's description
  read,      // messages, members, receipts, events; move one's read position
  send,      // also edit and delete one's own
  react,
  add,    // a new member
  grant,  // another role than member
  leave,
  pin,
  moderate,  // delete what others wrote
  remove,
  ban,      // also see and lift bans
  change,   // name, topic, visibility, retention
  archive,  // and take it back
  erase,    // delete the room
};

struct Actor {
  Rank rank = Rank::none;  // in this room
  bool admin = false, guest = false;
};

/// Nothing, or why not: not_found where the caller does not even see the room.
Result<bool> may(Kind kind, bool archived, const Actor& actor, Act act);
/// Nobody acts on someone of higher rank.
Result<bool> may_act_on(Rank actor, Rank target);
/// Public rooms, by those who are not in yet.
Result<bool> may_join(Kind kind, bool archived, const Actor& actor, bool banned);

Error no_such_room();

}  // namespace loggia::chat
