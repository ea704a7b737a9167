// Who is in a room: adding, roles, leaving, removing, bans, accounts that go.
#include "fixture.hpp"

using namespace loggia;
using namespace loggia::chat;
using namespace loggia::chat::test;

namespace {

MemberGone gone_of(const TimelineFrame& frame) { return decode_text<MemberGone>(frame.data.text, Manner::strict).value(); }
MemberStands stands_of(const TimelineFrame& frame) { return decode_text<MemberStands>(frame.data.text, Manner::strict).value(); }

}  // namespace

TEST_CASE("a member list shows the display name as it is now, in the order of joining, in pages") {
  House house;
  const auto room = house.room(house.ada, {house.cid, house.bob});
  house.directory->people.at(house.cid).display_name = "Cid II";
  const auto page = house.rooms(house.as(house.bob), ListMembers{room, 2, std::nullopt}).value();
  REQUIRE(page.items.size() == 2);
  CHECK(page.items[0].user_id == house.ada);
  CHECK(page.items[0].role == "owner");
  CHECK(page.items[1].username == "cid");
  CHECK(page.items[1].display_name == "Cid II");
  const auto rest = house.rooms(house.as(house.bob), ListMembers{room, 2, page.next}).value();
  REQUIRE(rest.items.size() == 1);
  CHECK(rest.items[0].user_id == house.bob);
  CHECK_FALSE(rest.next);
  CHECK(code_of(house.rooms(house.as(house.bob), ListMembers{room, 2, "!"})) == "invalid_request");
}

TEST_CASE("in public rooms members add others, in private ones moderators and owners do") {
  House house;
  const auto open = house.room(house.ada, {house.bob}, "public"), closed = house.room(house.ada, {house.bob});
  CHECK(house.put(house.bob, open, house.cid));
  CHECK(code_of(house.put(house.bob, closed, house.cid)) == "forbidden");
  CHECK(house.put(house.ada, closed, house.bob, "moderator"));
  CHECK(house.put(house.bob, closed, house.cid));
  CHECK(code_of(house.put(house.bob, closed, house.dan, "moderator")) == "forbidden");
  CHECK(code_of(house.put(house.ada, closed, UserId(house.fake.kernel.ids->next()))) == "not_found");
  CHECK(house.put(house.ada, closed, house.dan, "moderator"));
  CHECK(stands_of(house.frames(closed).back()).role == "moderator");
  CHECK(code_of(house.put(house.dan, open, house.ada)) == "forbidden");
}

TEST_CASE("owners give roles, and what is so already takes no number") {
  House house;
  const auto room = house.room(house.ada, {house.bob, house.cid});
  CHECK(house.put(house.ada, room, house.bob, "moderator"));
  CHECK(house.frames(room).back().ev == "member.role");
  const auto count = house.frames(room).size();
  CHECK(house.put(house.ada, room, house.bob, "moderator"));
  CHECK(house.put(house.ada, room, house.bob));
  CHECK(house.put(house.cid, room, house.bob));
  CHECK(house.frames(room).size() == count);
  CHECK(code_of(house.put(house.bob, room, house.cid, "owner")) == "forbidden");
  CHECK(code_of(house.put(house.bob, room, house.ada, "member")) == "forbidden");
  CHECK(code_of(house.put(house.bob, room, house.bob, "member")) == "forbidden");
}

TEST_CASE("the last owner cannot leave or step down while others are in") {
  House house;
  const auto room = house.room(house.ada, {house.bob});
  CHECK(code_of(house.remove(house.ada, room, "me")) == "conflict");
  CHECK(code_of(house.put(house.ada, room, house.ada, "member")) == "conflict");
  CHECK(house.put(house.ada, room, house.bob, "owner"));
  CHECK(house.put(house.ada, room, house.ada, "moderator"));
  CHECK(house.remove(house.ada, room, "me"));
  CHECK(house.remove(house.bob, room, house.bob.text()));
}

TEST_CASE("who joins a room that everybody left owns it") {
  House house;
  const auto room = house.room(house.ada, {}, "public");
  CHECK(house.remove(house.ada, room, "me"));
  CHECK(house.rooms(house.as(house.bob), JoinRoom{room}).value().my_role == "owner");
  CHECK(house.rooms(house.as(house.cid), JoinRoom{room}).value().my_role == "member");
}

TEST_CASE("joining twice changes nothing") {
  House house;
  const auto room = house.room(house.ada, {}, "public");
  CHECK(house.rooms(house.as(house.bob), JoinRoom{room}));
  CHECK(house.rooms(house.as(house.bob), JoinRoom{room}).value().member_count == 2);
  CHECK(house.frames(room).size() == 2);
}

TEST_CASE("member.left says why: left, removed or banned") {
  House house;
  const auto room = house.room(house.ada, {house.bob, house.cid, house.dan});
  CHECK(house.remove(house.bob, room, "me"));
  CHECK(gone_of(house.frames(room).back()).why == "left");
  CHECK(house.remove(house.ada, room, house.cid.text()));
  CHECK(gone_of(house.frames(room).back()).why == "removed");
  CHECK(house.rooms(house.as(house.ada), BanMember{room, house.dan}));
  CHECK(gone_of(house.frames(room).back()).why == "banned");
  CHECK(gone_of(house.frames(room).back()).user_id == house.dan);
  CHECK(house.mine(house.ada, room).member_count == 1);
  const std::pair<UserId, const char*> expected[] = {{house.bob, "left"}, {house.cid, "removed"}, {house.dan, "banned"}, {house.ada, "unknown"}};
  for (const auto& [who, why] : expected) CHECK(house.live(Context(), GetAbsence{room, who}).value().why == why);
  CHECK(code_of(house.remove(house.ada, room, house.bob.text())) == "not_found");
}

TEST_CASE("moderators remove and ban members, and nobody of higher rank") {
  House house;
  const auto room = house.room(house.ada, {house.bob, house.cid}, "public");
  CHECK(house.put(house.ada, room, house.bob, "moderator"));
  CHECK(code_of(house.remove(house.cid, room, house.bob.text())) == "forbidden");
  CHECK(code_of(house.remove(house.bob, room, house.ada.text())) == "forbidden");
  CHECK(code_of(house.rooms(house.as(house.bob), BanMember{room, house.ada})) == "forbidden");
  CHECK(code_of(house.rooms(house.as(house.cid), BanMember{room, house.dan})) == "forbidden");
  CHECK(code_of(house.rooms(house.as(house.bob), BanMember{room, house.bob})) == "conflict");
  CHECK(house.rooms(house.as(house.bob), BanMember{room, house.cid}));
}

TEST_CASE("who is banned is kept out until the ban is lifted") {
  House house;
  const auto room = house.room(house.ada, {house.bob}, "public");
  CHECK(house.rooms(house.as(house.ada), BanMember{room, house.bob}));
  CHECK(house.rooms(house.as(house.ada), BanMember{room, house.dan}));
  const auto count = house.frames(room).size();
  CHECK(house.rooms(house.as(house.ada), BanMember{room, house.bob}));
  CHECK(house.frames(room).size() == count);
  CHECK(code_of(house.rooms(house.as(house.bob), JoinRoom{room})) == "forbidden");
  CHECK(house.rooms(house.as(house.bob), GetRoom{room}));
  CHECK(code_of(house.put(house.ada, room, house.bob)) == "conflict");
  const auto page = house.rooms(house.as(house.ada), ListBans{room, 1, std::nullopt}).value();
  REQUIRE(page.items.size() == 1);
  CHECK(page.items[0].username == "bob");
  CHECK(page.items[0].by == house.ada);
  CHECK(house.rooms(house.as(house.ada), ListBans{room, 1, page.next}).value().items.at(0).user_id == house.dan);
  CHECK(house.rooms(house.as(house.ada), Unban{room, house.bob}));
  CHECK(house.rooms(house.as(house.bob), JoinRoom{room}));
  CHECK(code_of(house.rooms(house.as(house.bob), ListBans{room, std::nullopt, std::nullopt})) == "forbidden");
}

TEST_CASE("when an owner's account goes, the longest-serving moderator, else member, becomes owner") {
  House house;
  const auto room = house.room(house.ada, {house.bob, house.cid, house.dan});
  const auto plain = house.room(house.ada, {house.dan, house.bob});
  const auto alone = house.room(house.ada, {}, "public");
  const auto direct = house.rooms(house.as(house.ada), OpenDirect{house.bob}).value().value.id;
  CHECK(house.put(house.ada, room, house.dan, "moderator"));
  CHECK(house.put(house.ada, room, house.cid, "moderator"));
  house.hear("user.deleted", R"({"user_id":")" + house.ada.text() + R"("})", house.ada);
  auto frames = house.frames(room);
  const auto& left = frames[frames.size() - 2];
  CHECK(left.ev == "member.left");
  CHECK_FALSE(left.by);
  CHECK(gone_of(left).user_id == house.ada);
  CHECK(frames.back().ev == "member.role");
  CHECK(stands_of(frames.back()).user_id == house.cid);
  CHECK(stands_of(frames.back()).role == "owner");
  CHECK(stands_of(house.frames(plain).back()).user_id == house.dan);
  CHECK(house.frames(alone).back().ev == "member.left");
  CHECK(house.kinds(direct).size() == 2);
  CHECK(house.mine(house.bob, direct).member_count == 2);
  const auto count = house.frames(room).size();
  house.hear("user.deleted", R"({"user_id":")" + house.ada.text() + R"("})", house.ada);
  CHECK(house.frames(room).size() == count);
}
