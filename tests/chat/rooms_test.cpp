// Rooms: made, described, listed, changed, deleted.
#include "fixture.hpp"

using namespace loggia;
using namespace loggia::chat;
using namespace loggia::chat::test;

namespace {

CreateRoom make_room(const std::string& name, const std::string& visibility) {
  CreateRoom out;
  out.name = name;
  out.visibility = visibility;
  return out;
}
UpdateRoom change(const RoomId& room) {
  UpdateRoom out;
  out.room = room;
  return out;
}

}  // namespace

TEST_CASE("a room begins with member.joined of its creator, then of its members in order") {
  House house;
  auto make = make_room("plans", "private");
  make.topic = "t";
  make.members = {house.cid, house.bob, house.cid, house.ada};
  const auto room = house.rooms(house.as(house.ada), make).value();
  CHECK(room.kind == "private");
  CHECK(room.name == "plans");
  CHECK(room.topic == "t");
  CHECK(room.my_role == "owner");
  CHECK(room.member_count == 3);
  CHECK(room.last_seq == 3);
  CHECK(room.created_by == house.ada);
  CHECK_FALSE(room.read_seq);
  const auto frames = house.frames(room.id);
  REQUIRE(frames.size() == 3);
  const UserId expected[] = {house.ada, house.cid, house.bob};
  for (std::size_t at = 0; at < 3; ++at) {
    CHECK(frames[at].ev == "member.joined");
    CHECK(frames[at].seq == static_cast<std::int64_t>(at) + 1);
    CHECK(frames[at].by == house.ada);
    const auto data = decode_text<MemberStands>(frames[at].data.text, Manner::strict).value();
    CHECK(data.user_id == expected[at]);
    CHECK(data.role == (at == 0 ? "owner" : "member"));
  }
}

TEST_CASE("a room's event is in the log in the transaction of the change, with the same bytes") {
  House house;
  const auto room = house.room(house.ada, {house.bob});
  house.say(house.ada, room, "hello");
  const auto page = house.live(Context(), ReadTimeline{room, 0, 200}).value();
  REQUIRE(house.fake.bus->appended.size() == 3);
  for (std::size_t at = 0; at < 3; ++at) {
    const auto& event = house.fake.bus->appended[at];
    CHECK(event.topic == "new-messages");
    CHECK(event.key == room.text());
    CHECK(event.data == page.items[at].text);
  }
  CHECK(house.fake.bus->appended[2].type == "message.created");
}

TEST_CASE("names and topics are checked, and members must be somebody") {
  House house;
  CHECK(code_of(house.rooms(house.as(house.ada), make_room("  ", "public"))) == "invalid_request");
  CHECK(code_of(house.rooms(house.as(house.ada), make_room("a\u202eb", "public"))) == "invalid_request");
  auto make = make_room("x", "public");
  make.members = {UserId(house.fake.kernel.ids->next())};
  CHECK(code_of(house.rooms(house.as(house.ada), make)) == "invalid_request");
  CHECK(code_of(house.rooms(house.as(house.ada, {"guest"}), make_room("x", "public"))) == "forbidden");
}

TEST_CASE("a private room does not exist for a stranger, not even for an administrator") {
  House house;
  const auto room = house.room(house.ada, {house.bob});
  const auto seq = house.say(house.ada, room, "hidden");
  for (const auto& stranger : {house.as(house.cid), house.as(house.cid, {"admin"})}) {
    CHECK(code_of(house.rooms(stranger, GetRoom{room})) == "not_found");
    CHECK(code_of(house.rooms(stranger, ListMembers{room, std::nullopt, std::nullopt})) == "not_found");
    CHECK(code_of(house.rooms(stranger, JoinRoom{room})) == "not_found");
    CHECK(code_of(house.rooms(stranger, PutMember{room, "me", std::nullopt})) == "not_found");
    CHECK(code_of(house.rooms(stranger, RemoveMember{room, "me"})) == "not_found");
    CHECK(code_of(house.rooms(stranger, ListBans{room, std::nullopt, std::nullopt})) == "not_found");
    CHECK(code_of(house.messages(stranger, GetMessage{room, seq})) == "not_found");
    CHECK(code_of(house.messages(stranger, DeleteMessage{room, seq})) == "not_found");
    CHECK(code_of(house.messages(stranger, AddReaction{room, seq, "👍"})) == "not_found");
    CHECK(code_of(house.messages(stranger, AddPin{room, seq})) == "not_found");
    CHECK(code_of(house.reading(stranger, GetEvents{room, 0, std::nullopt})) == "not_found");
    CHECK(code_of(house.reading(stranger, MarkRead{room, 1})) == "not_found");
    CHECK(code_of(house.reading(stranger, GetReceipts{room, std::nullopt})) == "not_found");
    CHECK(code_of(house.live(stranger, EditNow{room, seq, "x"})) == "not_found");
  }
  auto rename = change(room);
  rename.name = "mine";
  CHECK(code_of(house.rooms(house.as(house.cid), rename)) == "not_found");
  CHECK(code_of(house.rooms(house.as(house.cid), DeleteRoom{room})) == "not_found");
}

TEST_CASE("a public room's description is for everyone and its messages for members") {
  House house;
  const auto room = house.room(house.ada, {}, "public");
  house.say(house.ada, room, "before you came");
  const auto seen = house.rooms(house.as(house.bob), GetRoom{room}).value();
  CHECK(seen.kind == "public");
  CHECK_FALSE(seen.my_role);
  ListMessages list;
  list.room = room;
  CHECK(code_of(house.messages(house.as(house.bob), list)) == "forbidden");
  CHECK(code_of(house.post(house.bob, room, "hi")) == "forbidden");
  CHECK(house.rooms(house.as(house.bob), JoinRoom{room}).value().my_role == "member");
  CHECK(house.messages(house.as(house.bob), list).value().items.size() == 1);
}

TEST_CASE("two people have one direct room, with the other as its peer") {
  House house;
  const auto one = house.rooms(house.as(house.ada), OpenDirect{house.bob}).value();
  const auto two = house.rooms(house.as(house.bob), OpenDirect{house.ada}).value();
  CHECK(one.created);
  CHECK_FALSE(two.created);
  CHECK(one.value.id == two.value.id);
  CHECK(one.value.kind == "direct");
  CHECK_FALSE(one.value.name);
  CHECK(one.value.peer->username == "bob");
  CHECK(two.value.peer->display_name == "The ada");
  CHECK(house.mine(house.ada, one.value.id).peer->id == house.bob);
  CHECK(house.kinds(one.value.id) == std::vector<std::string>{"member.joined", "member.joined"});
}

TEST_CASE("a direct room takes no change, join, leave, roles or deletion") {
  House house;
  const auto room = house.rooms(house.as(house.ada), OpenDirect{house.bob}).value().value.id;
  auto rename = change(room);
  rename.name = "ours";
  auto archive = change(room);
  archive.archived = true;
  CHECK(code_of(house.rooms(house.as(house.ada), rename)) == "conflict");
  CHECK(code_of(house.rooms(house.as(house.ada), archive)) == "conflict");
  CHECK(code_of(house.rooms(house.as(house.ada), DeleteRoom{room})) == "conflict");
  CHECK(code_of(house.rooms(house.as(house.ada), JoinRoom{room})) == "conflict");
  CHECK(code_of(house.remove(house.ada, room, "me")) == "conflict");
  CHECK(code_of(house.remove(house.ada, room, house.bob.text())) == "conflict");
  CHECK(code_of(house.put(house.ada, room, house.cid)) == "conflict");
  CHECK(code_of(house.put(house.ada, room, house.bob, "owner")) == "conflict");
  CHECK(code_of(house.rooms(house.as(house.ada), BanMember{room, house.bob})) == "conflict");
  CHECK(code_of(house.rooms(house.as(house.cid), GetRoom{room})) == "not_found");
}

TEST_CASE("nobody has a direct room with themselves, with nobody, or across a block") {
  House house;
  CHECK(code_of(house.rooms(house.as(house.ada), OpenDirect{house.ada})) == "invalid_request");
  CHECK(code_of(house.rooms(house.as(house.ada), OpenDirect{UserId(house.fake.kernel.ids->next())})) == "not_found");
  house.directory->blocks.emplace_back(house.bob, house.ada);
  CHECK(code_of(house.rooms(house.as(house.ada), OpenDirect{house.bob})) == "forbidden");
  CHECK(code_of(house.rooms(house.as(house.bob), OpenDirect{house.ada})) == "forbidden");
}

TEST_CASE("a block stops the messages of a direct room in both directions, and of no other room") {
  House house;
  const auto direct = house.rooms(house.as(house.ada), OpenDirect{house.bob}).value().value.id;
  const auto room = house.room(house.ada, {house.bob});
  const auto seq = house.say(house.ada, direct, "before");
  house.directory->blocks.emplace_back(house.bob, house.ada);
  CHECK(code_of(house.post(house.ada, direct, "x")) == "forbidden");
  CHECK(code_of(house.post(house.bob, direct, "x")) == "forbidden");
  CHECK(code_of(house.messages(house.as(house.ada), EditMessage{direct, seq, "x"})) == "forbidden");
  CHECK(house.post(house.ada, room, "x"));
  house.directory->blocks.clear();
  CHECK(house.post(house.ada, direct, "x"));
}

TEST_CASE("my rooms come with the newest activity first, in pages without gap or repeat") {
  House house;
  std::vector<RoomId> made;
  for (int at = 0; at < 5; ++at) made.push_back(house.room(house.ada, {}, "private", "r" + std::to_string(at)));
  house.say(house.ada, made[1], "newest");
  const RoomId expected[] = {made[1], made[4], made[3], made[2], made[0]};
  std::vector<RoomId> seen;
  ListRooms list;
  list.limit = 2;
  for (int pages = 0; pages < 3; ++pages) {
    const auto page = house.rooms(house.as(house.ada), list).value();
    for (const auto& room : page.items) seen.push_back(room.id);
    CHECK(page.next.has_value() == (pages < 2));
    list.cursor = page.next;
  }
  CHECK(seen == std::vector<RoomId>(std::begin(expected), std::end(expected)));
  list.cursor = "nonsense!";
  CHECK(code_of(house.rooms(house.as(house.ada), list)) == "invalid_request");
}

TEST_CASE("public rooms are found by a part of their name, without regard to case and accents") {
  House house;
  const auto room = house.room(house.ada, {}, "public", "Żółw Garden");
  house.room(house.ada, {}, "private", "zolw hidden");
  const auto other = house.room(house.ada, {}, "public", "other");
  ListRooms list;
  list.scope = "public";
  list.query = "zołw";
  auto found = house.rooms(house.as(house.bob), list).value();
  REQUIRE(found.items.size() == 1);
  CHECK(found.items[0].id == room);
  list.query.reset();
  list.limit = 1;
  found = house.rooms(house.as(house.bob), list).value();
  CHECK(found.items.at(0).id == other);
  list.cursor = found.next;
  CHECK(house.rooms(house.as(house.bob), list).value().items.at(0).id == room);
}

TEST_CASE("what no store takes is searched for nowhere") {
  House house;
  for (const auto& text : {std::string(1, '\0'), std::string("\xFF")}) {
    ListRooms list;
    list.query = text;
    const auto refused = house.rooms(house.as(house.ada), list);
    REQUIRE(code_of(refused) == "invalid_request");
    CHECK(refused.error().fields.at(0).pointer == "/query");
  }
}

TEST_CASE("a guest sees only the rooms that they were added to") {
  House house;
  const auto room = house.room(house.ada, {}, "public");
  const auto guest = house.as(house.bob, {"guest"});
  ListRooms list;
  list.scope = "public";
  CHECK(house.rooms(guest, list).value().items.empty());
  CHECK(code_of(house.rooms(guest, GetRoom{room})) == "not_found");
  CHECK(code_of(house.rooms(guest, JoinRoom{room})) == "not_found");
  CHECK(code_of(house.rooms(guest, OpenDirect{house.ada})) == "not_found");
  CHECK(house.put(house.ada, room, house.bob));
  CHECK(house.rooms(guest, list).value().items.size() == 1);
  CHECK(house.rooms(guest, GetRoom{room}).value().my_role == "member");
  CHECK(code_of(house.rooms(guest, PutMember{room, house.cid.text(), std::nullopt})) == "forbidden");
  CHECK(house.rooms(guest, OpenDirect{house.ada}));
}

TEST_CASE("room.changed carries the fields that changed and nothing else, and no change takes no number") {
  House house;
  const auto room = house.room(house.ada, {house.bob});
  auto edit = change(room);
  edit.name = "plans";
  edit.topic = "new";
  edit.visibility = "private";
  const auto changed = house.rooms(house.as(house.ada), edit).value();
  CHECK(changed.topic == "new");
  CHECK(house.frames(room).back().data.text == R"({"topic":"new"})");
  const auto before = changed.last_seq;
  CHECK(house.rooms(house.as(house.ada), edit).value().last_seq == before);
  auto open = change(room);
  open.visibility = "public";
  open.retention = "7d";
  open.topic = "";
  const auto opened = house.rooms(house.as(house.ada), open).value();
  CHECK(opened.kind == "public");
  CHECK_FALSE(opened.topic);
  CHECK(opened.retention == "7d");
  CHECK(house.frames(room).back().data.text == R"({"kind":"public","topic":"","retention":"7d"})");
  open.retention = "never";
  CHECK(code_of(house.rooms(house.as(house.ada), open)) == "invalid_request");
  CHECK(code_of(house.rooms(house.as(house.bob), edit)) == "forbidden");
}

TEST_CASE("an archived room answers writes with conflict and can be read and taken back") {
  House house;
  const auto room = house.room(house.ada, {house.bob}, "public");
  const auto seq = house.say(house.ada, room, "kept");
  auto archive = change(room);
  archive.archived = true;
  CHECK(house.rooms(house.as(house.ada), archive).value().archived);
  CHECK(code_of(house.post(house.bob, room, "late")) == "conflict");
  CHECK(code_of(house.messages(house.as(house.ada), EditMessage{room, seq, "x"})) == "conflict");
  CHECK(code_of(house.messages(house.as(house.ada), DeleteMessage{room, seq})) == "conflict");
  CHECK(code_of(house.messages(house.as(house.bob), AddReaction{room, seq, "👍"})) == "conflict");
  CHECK(code_of(house.messages(house.as(house.ada), AddPin{room, seq})) == "conflict");
  CHECK(code_of(house.put(house.ada, room, house.cid)) == "conflict");
  CHECK(code_of(house.remove(house.bob, room, "me")) == "conflict");
  CHECK(code_of(house.rooms(house.as(house.cid), JoinRoom{room})) == "conflict");
  CHECK(house.messages(house.as(house.bob), GetMessage{room, seq}).value().text == "kept");
  CHECK(house.reading(house.as(house.bob), MarkRead{room, seq}));
  auto rename = change(room);
  rename.name = "new";
  CHECK(code_of(house.rooms(house.as(house.ada), rename)) == "conflict");
  rename.archived = false;
  CHECK(house.rooms(house.as(house.ada), rename).value().name == "new");
  CHECK(house.post(house.bob, room, "again"));
}

TEST_CASE("an administrator may archive or delete a room that is not theirs, and do no more in it") {
  House house;
  const auto admin = house.as(house.dan, {"admin"});
  const auto room = house.room(house.ada, {house.bob}, "public");
  auto archive = change(room);
  archive.archived = true;
  CHECK(house.rooms(admin, archive).value().archived);
  archive.archived = false;
  archive.name = "mine";
  CHECK(code_of(house.rooms(admin, archive)) == "forbidden");
  const auto hidden = house.room(house.ada);
  CHECK(house.rooms(admin, DeleteRoom{hidden}));
  CHECK(code_of(house.rooms(house.as(house.ada), GetRoom{hidden})) == "not_found");
  CHECK(house.frames(hidden).back().by == house.dan);
}

TEST_CASE("a deleted room is not found at once, its texts are erased, and room.deleted is its last event") {
  House house;
  const auto room = house.room(house.ada, {house.bob}, "public", "secret name");
  for (int at = 0; at < 30; ++at) house.say(house.ada, room, "secret text");
  CHECK(house.rooms(house.as(house.ada), DeleteRoom{room}));
  for (const auto& who : {house.ada, house.bob}) {
    CHECK(code_of(house.rooms(house.as(who), GetRoom{room})) == "not_found");
    CHECK(code_of(house.post(who, room, "late")) == "not_found");
    CHECK(house.rooms(house.as(who), ListRooms()).value().items.empty());
  }
  const auto left = house.frames(room);
  REQUIRE(left.size() == 1);
  CHECK(left[0].ev == "room.deleted");
  CHECK(left[0].seq == 33);
  CHECK(left[0].data.text == "{}");
  // What the log's tail holds of it is emptied too.
  CHECK(house.fake.bus->rewritten.size() == 32);
  CHECK(house.live(Context(), GetAbsence{room, house.bob}).value().why == "deleted");
}

TEST_CASE("an Idempotency-Key gives the first answer again, and another request with it is invalid") {
  House house;
  const auto keyed = house.as(house.ada).keyed("k-1");
  const auto one = house.rooms(keyed, make_room("k", "private")).value();
  CHECK(house.rooms(keyed, make_room("k", "private")).value().id == one.id);
  CHECK(code_of(house.rooms(keyed, make_room("other", "private"))) == "invalid_request");
  CHECK(house.rooms(house.as(house.bob).keyed("k-1"), make_room("k", "private")).value().id != one.id);
  const auto direct = house.as(house.ada).keyed("k-2");
  CHECK(house.rooms(direct, OpenDirect{house.bob}).value().created);
  CHECK(house.rooms(direct, OpenDirect{house.bob}).value().created);
}
