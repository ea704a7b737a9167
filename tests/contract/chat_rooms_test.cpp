#include "contract/exercise.hpp"
#include "loggia/chat/contract.hpp"

namespace loggia::contract::of_chat_rooms {
namespace {

using namespace loggia::chat;

CreateRoom creation(std::string name, std::string visibility, std::vector<int> members = std::vector<int>()) {
  CreateRoom out;
  out.name = std::move(name);
  out.visibility = std::move(visibility);
  if (!members.empty()) out.members.emplace();
  for (const int number : members) out.members->push_back(person(number));
  return out;
}
PutMember member(const RoomId& room, std::string user, std::optional<std::string> role = std::nullopt) {
  PutMember out;
  out.room = room;
  out.user = std::move(user);
  out.role = std::move(role);
  return out;
}
template <class R> R with_user(const RoomId& room, const UserId& user) {
  R out;
  out.room = room;
  out.user = user;
  return out;
}
template <class R> R of(const RoomId& room) {
  R out;
  out.room = room;
  return out;
}

void cases(Exercise& exercise) {
  Asker<Rooms> rooms(exercise);
  const auto ada = exercise.as(1), bob = exercise.as(2), cid = exercise.as(3), dan = exercise.as(4);
  const RoomId nowhere = noted_room();

  const auto plans = rooms.good(ada.keyed("a + b"), creation("plans / \"ü\" 😀", "private", {2})).id;
  CHECK(rooms.good(ada.keyed("a + b"), creation("plans / \"ü\" 😀", "private", {2})).id == plans);
  rooms.bad(Errc::invalid_request, ada.keyed("a + b"), creation("others", "private"));
  const auto hall = rooms.good(ada, creation("hall", "public")).id;
  rooms.bad(Errc::invalid_request, ada, creation(" \t", "public"));
  rooms.bad(Errc::forbidden, exercise.as(Uuid(person(2)), "bob", std::vector<std::string>(1, "guest")), creation("guests", "public"));

  OpenDirect direct;
  direct.user_id = person(2);
  CHECK(rooms.good(ada, direct).created);
  CHECK_FALSE(rooms.good(ada, direct).created);
  direct.user_id = person(4);
  rooms.bad(Errc::forbidden, ada, direct);
  direct.user_id = person(1);
  rooms.bad(Errc::invalid_request, ada, direct);

  ListRooms list;
  list.limit = 1;
  const auto page = rooms.good(ada, list);
  REQUIRE(page.next.has_value());
  list.cursor = page.next;
  rooms.good(ada, list);
  list.cursor = "a+b/c=";
  rooms.bad(Errc::invalid_request, ada, list);
  ListRooms open;
  open.scope = "public";
  open.query = "ha&l?";
  CHECK(rooms.good(bob, open).items.empty());
  open.query = "HALL";
  CHECK(rooms.good(bob, open).items.size() == 1);

  rooms.good(bob, of<GetRoom>(plans));
  rooms.bad(Errc::not_found, cid, of<GetRoom>(plans));
  rooms.good(cid, of<JoinRoom>(hall));
  rooms.bad(Errc::not_found, cid, of<JoinRoom>(plans));

  auto update = of<UpdateRoom>(hall);
  update.name = "the hall";
  update.topic = "a topic – ü";
  update.retention = "7d";
  rooms.good(ada, update);
  rooms.bad(Errc::forbidden, cid, update);
  update.retention = "soon";
  rooms.bad(Errc::invalid_request, ada, update);

  rooms.good(ada, member(plans, person(3).text(), "moderator"));
  rooms.bad(Errc::forbidden, bob, member(plans, person(3).text(), "member"));
  // What no path could carry.
  for (const char* user : {"", "..", "a/b", "%2e", "you & me"}) rooms.bad(Errc::not_found, ada, member(plans, user));
  auto members = of<ListMembers>(plans);
  members.limit = 2;
  const auto some = rooms.good(ada, members);
  REQUIRE(some.next.has_value());
  members.cursor = some.next;
  CHECK(rooms.good(ada, members).items.size() == 1);
  rooms.bad(Errc::not_found, dan, members);

  rooms.good(cid, with_user<BanMember>(plans, person(2)));
  rooms.bad(Errc::forbidden, cid, with_user<BanMember>(plans, person(1)));
  rooms.bad(Errc::not_found, cid, with_user<BanMember>(plans, UserId(nowhere)));
  CHECK(rooms.good(cid, of<ListBans>(plans)).items.size() == 1);
  rooms.bad(Errc::not_found, bob, of<ListBans>(plans));
  rooms.bad(Errc::conflict, ada, member(plans, person(2).text()));
  rooms.good(ada, with_user<Unban>(plans, person(2)));
  rooms.bad(Errc::not_found, bob, with_user<Unban>(plans, person(3)));

  auto leave = of<RemoveMember>(plans);
  leave.user = "me";
  rooms.bad(Errc::conflict, ada, leave);
  rooms.good(cid, leave);

  rooms.bad(Errc::forbidden, cid, of<DeleteRoom>(hall));
  rooms.good(ada, of<DeleteRoom>(hall));
  rooms.bad(Errc::not_found, ada, of<GetRoom>(hall));
}

const Contract contract("chat", routes_of<Rooms>(), &cases);

TEST_CASE("chat's rooms answer alike here, serialised and over mTLS") { run_three_ways(contract); }

}  // namespace
}  // namespace loggia::contract::of_chat_rooms
