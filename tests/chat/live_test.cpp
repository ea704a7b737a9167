// What realtime and notification ask: hello and its cursor, standings, absences, audiences, recipients.
#include <algorithm>
#include "fixture.hpp"

using namespace loggia;
using namespace loggia::chat;
using namespace loggia::chat::test;

namespace {

Hello hello(House& house, const UserId& user, std::optional<std::string> epoch = std::nullopt, std::optional<std::string> cursor = std::nullopt) {
  return house.live(Context(), GetHello{user, std::move(epoch), std::move(cursor)}).value();
}
/// A hello with the position of an earlier one.
Hello since(House& house, const UserId& user, const Hello& earlier) { return hello(house, user, earlier.epoch, earlier.cursor); }
std::vector<RoomId> rooms_in(const Hello& hello) {
  std::vector<RoomId> out;
  for (const auto& room : hello.rooms) out.push_back(room.id);
  std::sort(out.begin(), out.end());
  return out;
}
std::vector<RoomId> sorted(std::vector<RoomId> rooms) {
  std::sort(rooms.begin(), rooms.end());
  return rooms;
}

}  // namespace

TEST_CASE("hello names my rooms with how I stand in them, of one moment") {
  House house;
  const auto room = house.room(house.ada, {house.bob});
  const auto direct = house.rooms(house.as(house.ada), OpenDirect{house.bob}).value().value.id;
  house.say(house.ada, room, "hi @bob");
  const auto now = hello(house, house.bob);
  REQUIRE(now.rooms.size() == 2);
  const auto& first = now.rooms[0];
  CHECK(first.id == room);
  CHECK(first.kind == "private");
  CHECK(first.name == "plans");
  CHECK(first.my_role == "member");
  CHECK(first.last_seq == 3);
  CHECK(first.read_seq == 2);
  CHECK(first.unread == 1);
  CHECK(first.mentions == 1);
  CHECK(now.rooms[1].id == direct);
  CHECK(now.rooms[1].peer->username == "ada");
  CHECK_FALSE(now.rooms[1].name);
  CHECK_FALSE(now.more);
  CHECK(now.gone.empty());
  REQUIRE(now.all.size() == 2);
  CHECK(now.all[0].last_seq == 3);
  CHECK(now.all[0].members == 2);
  CHECK(now.cursor.size() <= 256);
  CHECK(now.cursor == house.live(Context(), GetCursor()).value().cursor);
  CHECK(now.epoch == house.live(Context(), GetCursor()).value().epoch);
}

TEST_CASE("without a cursor hello names the 500 rooms with the newest activity, and says that there are more") {
  House house;
  std::vector<RoomId> made;
  for (int at = 0; at < 502; ++at) made.push_back(house.room(house.ada));
  house.say(house.ada, made[0], "newest");
  const auto now = hello(house, house.ada);
  CHECK(now.rooms.size() == 500);
  CHECK(now.more);
  CHECK(now.rooms[0].id == made[0]);
  CHECK(now.all.size() == 502);
  const auto names = rooms_in(now);
  CHECK_FALSE(std::binary_search(names.begin(), names.end(), made[1]));
}

TEST_CASE("with a cursor hello names the rooms in which something changed since, and those that are gone") {
  House house;
  const auto quiet = house.room(house.ada, {house.bob}), loud = house.room(house.ada, {house.bob}), lost = house.room(house.ada, {house.bob});
  const auto erased = house.room(house.ada, {house.bob});
  const auto before = hello(house, house.bob);
  CHECK(rooms_in(since(house, house.bob, before)).empty());
  house.say(house.ada, loud, "x");
  CHECK(house.remove(house.ada, lost, house.bob.text()));
  CHECK(house.rooms(house.as(house.ada), DeleteRoom{erased}));
  const auto fresh = house.room(house.ada, {house.bob});
  const auto now = since(house, house.bob, before);
  CHECK(rooms_in(now) == sorted({loud, fresh}));
  CHECK(now.gone == std::vector<RoomId>{lost, erased});
  CHECK(now.all.size() == 3);
  CHECK(rooms_in(since(house, house.bob, now)).empty());
  CHECK(since(house, house.bob, now).gone.empty());
  CHECK(house.put(house.ada, lost, house.bob));
  const auto back = since(house, house.bob, before);
  CHECK(rooms_in(back) == sorted({loud, fresh, lost}));
  CHECK(back.gone == std::vector<RoomId>{erased});
  CHECK(std::count(back.gone.begin(), back.gone.end(), quiet) == 0);
}

TEST_CASE("one's own read position, role and the room's name count as changes") {
  House house;
  const auto room = house.room(house.ada, {house.bob}), other = house.room(house.ada, {house.bob});
  const auto seq = house.say(house.ada, room, "x");
  auto at = hello(house, house.bob);
  CHECK(house.reading(house.as(house.bob), MarkRead{room, seq}));
  CHECK(rooms_in(since(house, house.bob, at)) == std::vector<RoomId>{room});
  at = hello(house, house.bob);
  CHECK(house.reading(house.as(house.ada), MarkRead{room, seq}));
  CHECK(rooms_in(since(house, house.bob, at)).empty());
  CHECK(house.put(house.ada, other, house.bob, "moderator"));
  CHECK(rooms_in(since(house, house.bob, at)) == std::vector<RoomId>{other});
  at = hello(house, house.bob);
  UpdateRoom rename;
  rename.room = room;
  rename.name = "new";
  CHECK(house.rooms(house.as(house.ada), rename));
  CHECK(rooms_in(since(house, house.bob, at)) == std::vector<RoomId>{room});
}

TEST_CASE("a cursor of another epoch, from the future, or that is none counts as none") {
  House house;
  const auto room = house.room(house.ada);
  const auto now = hello(house, house.ada);
  CHECK(rooms_in(hello(house, house.ada, "another", now.cursor)) == std::vector<RoomId>{room});
  CHECK(rooms_in(hello(house, house.ada, now.epoch, "nonsense")) == std::vector<RoomId>{room});
  CHECK(rooms_in(hello(house, house.ada, std::nullopt, now.cursor)) == std::vector<RoomId>{room});
  House younger;
  const auto own = younger.room(younger.ada);
  CHECK(rooms_in(hello(younger, younger.ada, now.epoch, "bjk5OTk")) == std::vector<RoomId>{own});
}

TEST_CASE("a standing is for members, and an absence says why") {
  House house;
  const auto room = house.room(house.ada, {house.bob});
  house.say(house.ada, room, "x");
  CHECK(house.live(Context(), GetStanding{room, house.bob}).value().unread == 1);
  CHECK(code_of(house.live(Context(), GetStanding{room, house.cid})) == "not_found");
  CHECK(house.live(Context(), GetAbsence{room, house.cid}).value().why == "unknown");
  CHECK(house.remove(house.bob, room, "me"));
  CHECK(code_of(house.live(Context(), GetStanding{room, house.bob})) == "not_found");
  CHECK(house.live(Context(), GetAbsence{room, house.bob}).value().why == "left");
}

TEST_CASE("presence is for those who share a direct room or one of at most 100, without blocks") {
  House house;
  const auto small = house.room(house.ada, {house.bob});
  const auto direct = house.rooms(house.as(house.ada), OpenDirect{house.cid}).value().value.id;
  const auto big = house.room(house.ada, {house.dan});
  std::vector<UserId> crowd;
  for (int at = 0; at < 99; ++at) CHECK(house.put(house.ada, big, house.person("p" + std::to_string(at))));
  auto ids = house.live(Context(), GetAudience{house.ada}).value().ids;
  std::sort(ids.begin(), ids.end());
  CHECK(ids == std::vector<UserId>{house.bob, house.cid});
  house.directory->blocks.emplace_back(house.ada, house.bob);
  CHECK(house.live(Context(), GetAudience{house.ada}).value().ids == std::vector<UserId>{house.cid});
  CHECK(small != direct);
}

TEST_CASE("recipients are everybody else in the room, with what they have read and whether they are meant") {
  House house;
  const auto room = house.room(house.ada, {house.bob, house.cid});
  const auto seq = house.say(house.ada, room, "@bob");
  CHECK(house.reading(house.as(house.cid), MarkRead{room, seq}));
  const auto ask = [&](std::int64_t number) { return house.ask<Audiences>(Context(), GetRecipients{room, number}); };
  const auto recipients = ask(seq).value();
  CHECK(recipients.kind == "private");
  CHECK(recipients.author == house.ada);
  REQUIRE(recipients.items.size() == 2);
  CHECK(recipients.items[0].user_id == house.bob);
  CHECK(recipients.items[0].mentioned);
  CHECK(recipients.items[1].read_seq == seq);
  CHECK_FALSE(recipients.items[1].mentioned);
  CHECK(code_of(ask(1)) == "not_found");
  CHECK(house.messages(house.as(house.ada), DeleteMessage{room, seq}));
  CHECK(code_of(ask(seq)) == "not_found");
}
