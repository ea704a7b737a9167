#include "room_policy.hpp"

namespace loggia::chat {

std::string_view name_of(Kind kind) {
  switch (kind) {
    case Kind::open:
      return "public";
    case Kind::closed:
      return "private";
    case Kind::direct:
      return "direct";
  }
  return "private";
}
std::string_view name_of(Rank rank) {
  switch (rank) {
    case Rank::none:
      return "none";
    case Rank::member:
      return "member";
    case Rank::moderator:
      return "moderator";
    case Rank::owner:
      return "owner";
  }
  return "none";
}
Kind kind_of(std::string_view name) { return name == "public" ? Kind::open : Kind::closed; }
Rank rank_of(std::string_view name) { return name == "owner" ? Rank::owner : name == "moderator" ? Rank::moderator : Rank::member; }

Error no_such_room() { return Error(Errc::not_found, "there is no such room for you"); }

namespace {

/// What an act takes in each kind of room; `none` in `direct`: not there at all.
struct Right {
  Rank open, closed, direct;
  bool writes;             // refused in an archived room
  std::string_view needs;  // for people
};

Right right_of(Act act) {
  switch (act) {
    case Act::describe:
      return {Rank::none, Rank::member, Rank::member, false, "its members see it"};
    case Act::read:
      return {Rank::member, Rank::member, Rank::member, false, "its members read it: join first"};
    case Act::send:
      return {Rank::member, Rank::member, Rank::member, true, "its members write in it: join first"};
    case Act::react:
      return {Rank::member, Rank::member, Rank::member, true, "its members react in it: join first"};
    case Act::add:
      return {Rank::member, Rank::moderator, Rank::none, true, "in a private room, moderators and owners add people"};
    case Act::grant:
      return {Rank::owner, Rank::owner, Rank::none, true, "owners give roles"};
    case Act::leave:
      return {Rank::member, Rank::member, Rank::none, true, "its members can leave it"};
    case Act::pin:
      return {Rank::moderator, Rank::moderator, Rank::member, true, "moderators and owners pin"};
    case Act::moderate:
      return {Rank::moderator, Rank::moderator, Rank::owner, true, "its author or a moderator deletes a message"};
    case Act::remove:
      return {Rank::moderator, Rank::moderator, Rank::none, true, "moderators and owners remove people"};
    case Act::ban:
      return {Rank::moderator, Rank::moderator, Rank::none, true, "moderators and owners ban people"};
    case Act::change:
      return {Rank::owner, Rank::owner, Rank::none, true, "owners change a room"};
    case Act::archive:
      return {Rank::owner, Rank::owner, Rank::none, false, "owners archive a room"};
    case Act::erase:
      return {Rank::owner, Rank::owner, Rank::none, false, "owners delete a room"};
  }
  return {Rank::owner, Rank::owner, Rank::none, true, "owners do that"};
}

Rank needed(const Right& right, Kind kind) { return kind == Kind::open ? right.open : kind == Kind::closed ? right.closed : right.direct; }

/// What the server's administrators may in rooms that are not theirs.
bool admin_may(Kind kind, Act act) {
  if (kind == Kind::direct) return false;
  return act == Act::archive || act == Act::erase || (act == Act::moderate && kind == Kind::open);
}

}  // namespace

Result<bool> may(Kind kind, bool archived, const Actor& actor, Act act) {
  const auto right = right_of(act);
  const auto rank = needed(right, kind);
  const bool by_office = actor.admin && admin_may(kind, act);
  const bool seen = actor.rank != Rank::none || (kind == Kind::open && !actor.guest);
  if (!seen && !by_office) return no_such_room();
  if (kind == Kind::direct && rank == Rank::none) return Error(Errc::conflict, "a direct room has exactly its two people and cannot be changed");
  if (!by_office) {
    if (actor.rank < rank) return Error(Errc::forbidden, std::string(right.needs));
    if (act == Act::add && actor.guest) return Error(Errc::forbidden, "guests add nobody");
  }
  if (archived && right.writes) return Error(Errc::conflict, "the room is archived and takes no changes");
  return true;
}

Result<bool> may_act_on(Rank actor, Rank target) {
  if (target > actor) return Error(Errc::forbidden, "nobody acts on someone of higher rank");
  return true;
}

Result<bool> may_join(Kind kind, bool archived, const Actor& actor, bool banned) {
  if (kind == Kind::direct && actor.rank != Rank::none) return Error(Errc::conflict, "a direct room has exactly its two people");
  if (actor.rank != Rank::none) return true;
  if (kind != Kind::open || actor.guest) return no_such_room();
  if (banned) return Error(Errc::forbidden, "you are banned from this room: ask one of its moderators");
  if (archived) return Error(Errc::conflict, "the room is archived and takes no new members");
  return true;
}

}  // namespace loggia::chat
