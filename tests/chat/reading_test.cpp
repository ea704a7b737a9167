// What is read and unread, receipts, the time line.
#include "fixture.hpp"

using namespace loggia;
using namespace loggia::chat;
using namespace loggia::chat::test;

namespace {

using Counts = std::pair<std::int64_t, std::int64_t>;
Counts unread(House& house, const UserId& who, const RoomId& room) {
  const auto mine = house.mine(who, room);
  return {mine.unread.value_or(-1), mine.mentions.value_or(-1)};
}

}  // namespace

TEST_CASE("unread counts messages of others that are not deleted, and nothing else") {
  House house;
  const auto room = house.room(house.ada);
  const auto early = house.say(house.ada, room, "before bob came");
  CHECK(house.put(house.ada, room, house.bob));
  CHECK(unread(house, house.bob, room) == Counts(0, 0));
  CHECK(house.mine(house.bob, room).read_seq == 3);
  std::vector<std::int64_t> sent;
  for (int at = 0; at < 4; ++at) sent.push_back(house.say(house.ada, room, "n"));
  sent.push_back(house.say(house.ada, room, "for @bob"));
  CHECK(unread(house, house.bob, room) == Counts(5, 1));
  CHECK(house.messages(house.as(house.ada), EditMessage{room, sent[0], "changed"}));
  CHECK(house.messages(house.as(house.ada), AddReaction{room, early, "👍"}));
  house.say(house.bob, room, "my own @bob");
  CHECK(unread(house, house.bob, room) == Counts(5, 1));
  CHECK(house.messages(house.as(house.ada), DeleteMessage{room, sent[1]}));
  CHECK(unread(house, house.bob, room) == Counts(4, 1));
  CHECK(house.reading(house.as(house.bob), MarkRead{room, sent[2]}));
  CHECK(unread(house, house.bob, room) == Counts(2, 1));
  CHECK(house.reading(house.as(house.bob), MarkRead{room, 1}));
  CHECK(house.mine(house.bob, room).read_seq == sent[2]);
  CHECK(house.messages(house.as(house.ada), EditMessage{room, sent[4], "for nobody"}));
  CHECK(unread(house, house.bob, room) == Counts(2, 0));
  CHECK(house.reading(house.as(house.bob), MarkRead{room, 1000000}));
  CHECK(unread(house, house.bob, room) == Counts(0, 0));
  CHECK(house.mine(house.bob, room).read_seq == house.mine(house.bob, room).last_seq);
  house.say(house.ada, room, "and now");
  CHECK(unread(house, house.bob, room) == Counts(1, 0));
}

TEST_CASE("@room mentions everybody but its author, and once") {
  House house;
  const auto room = house.room(house.ada, {house.bob});
  house.say(house.ada, room, "@room and @bob");
  house.say(house.ada, room, "@room");
  CHECK(unread(house, house.bob, room) == Counts(2, 2));
  CHECK(unread(house, house.ada, room) == Counts(0, 0));
}

TEST_CASE("unread is counted to 999") {
  House house;
  const auto room = house.room(house.ada, {house.bob});
  for (int at = 0; at < 1005; ++at) house.say(house.ada, room, "@bob");
  CHECK(unread(house, house.bob, room) == Counts(999, 999));
}

TEST_CASE("a read that moves tells read-receipts, and one that does not tells nobody") {
  House house;
  const auto room = house.room(house.ada, {house.bob});
  const auto seq = house.say(house.ada, room, "x");
  house.fake.bus->appended.clear();
  CHECK(house.reading(house.as(house.bob), MarkRead{room, seq}));
  REQUIRE(house.fake.bus->appended.size() == 1);
  const auto& event = house.fake.bus->appended[0];
  CHECK(event.topic == "read-receipts");
  CHECK(event.type == "receipt.moved");
  CHECK(event.key == room.text());
  const auto moved = decode_text<ReceiptMoved>(event.data, Manner::strict).value();
  CHECK(moved.user_id == house.bob);
  CHECK(moved.seq == seq);
  CHECK(house.reading(house.as(house.bob), MarkRead{room, seq}));
  CHECK(house.reading(house.as(house.bob), MarkRead{room, 1}));
  CHECK(house.fake.bus->appended.size() == 1);
  CHECK(house.frames(room).size() == 3);
}

TEST_CASE("receipts say who has read how far, of those who show it, to those who show it") {
  House house;
  const auto room = house.room(house.ada, {house.bob, house.cid});
  const auto seq = house.say(house.ada, room, "x");
  CHECK(house.reading(house.as(house.bob), MarkRead{room, seq}));
  auto receipts = house.reading(house.as(house.ada), GetReceipts{room, std::nullopt}).value();
  CHECK_FALSE(receipts.count);
  REQUIRE(receipts.items);
  CHECK(receipts.items->size() == 3);
  receipts = house.reading(house.as(house.ada), GetReceipts{room, seq}).value();
  REQUIRE(receipts.items->size() == 1);
  CHECK(receipts.items->at(0).user_id == house.bob);
  CHECK(receipts.items->at(0).seq == seq);
  house.directory->people.at(house.bob).show_receipts = false;
  CHECK(house.reading(house.as(house.ada), GetReceipts{room, seq}).value().items->empty());
  CHECK(house.reading(house.as(house.bob), GetReceipts{room, std::nullopt}).value().items->empty());
}

TEST_CASE("in rooms over 100 receipts are a count") {
  House house;
  const auto room = house.room(house.ada);
  std::vector<UserId> crowd;
  for (int at = 0; at < 100; ++at) {
    crowd.push_back(house.person("p" + std::to_string(at)));
    CHECK(house.put(house.ada, room, crowd.back()));
  }
  const auto seq = house.say(house.ada, room, "x");
  for (int at = 0; at < 3; ++at) CHECK(house.reading(house.as(crowd[static_cast<std::size_t>(at)]), MarkRead{room, seq}));
  const auto receipts = house.reading(house.as(house.ada), GetReceipts{room, seq}).value();
  CHECK_FALSE(receipts.items);
  CHECK(receipts.count == 3);
}

TEST_CASE("events are the stored frames after a position, oldest first, in pages") {
  House house;
  const auto room = house.room(house.ada, {house.bob});
  for (int at = 0; at < 10; ++at) house.say(house.ada, room, "x");
  const auto all = house.reading(house.as(house.bob), GetEvents{room, std::nullopt, 200}).value();
  CHECK(all.items.size() == 12);
  CHECK_FALSE(all.more);
  const auto page = house.reading(house.as(house.bob), GetEvents{room, 2, 4}).value();
  CHECK(page.items == std::vector<RawJson>(all.items.begin() + 2, all.items.begin() + 6));
  CHECK(page.more);
  CHECK(house.reading(house.as(house.bob), GetEvents{room, 12, 4}).value().items.empty());
  CHECK_FALSE(house.reading(house.as(house.bob), GetEvents{room, 8, 4}).value().more);
}
