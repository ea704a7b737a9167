#include "fixture.hpp"
#include "loggia/auth/events.hpp"

using namespace loggia;
using namespace loggia::notification;
using testing::id;
using testing::World;

TEST_CASE("who is mentioned is notified: a row without text, and an event in the same transaction") {
  World world;
  world.recipient(0).mentioned = true;
  world.post(5, {world.reader});
  const auto mine = world.of(world.reader);
  REQUIRE(mine.size() == 1);
  CHECK(mine[0].kind == "mention");
  CHECK(mine[0].room == world.room);
  CHECK(mine[0].seq == 5);
  CHECK(mine[0].from == world.author);
  CHECK_FALSE(mine[0].read);
  CHECK(world.of(world.other).empty());
  REQUIRE(world.kernel.bus->appended.size() == 1);
  const auto& told = world.kernel.bus->appended[0];
  CHECK(told.topic == "notifications");
  CHECK(told.type == "notification.created");
  CHECK(told.key == world.reader.text());
  CHECK(told.data.find("secret text") == told.data.npos);
}

TEST_CASE("an event that comes twice notifies once") {
  World world;
  world.recipient(0).mentioned = true;
  world.post(5, {world.reader});
  world.post(5, {world.reader});
  CHECK(world.of(world.reader).size() == 1);
  CHECK(world.kernel.bus->appended.size() == 1);
}

TEST_CASE("a direct message notifies without any mention") {
  World world;
  world.audiences->recipients->kind = "direct";
  world.post(2);
  CHECK(world.of(world.reader).at(0).kind == "direct");
}

TEST_CASE("a message without a mention asks nobody once the room is known and nobody wants all of it") {
  World world;
  world.post(2);
  CHECK(world.audiences->asked == 1);
  world.post(3);
  CHECK(world.audiences->asked == 1);
  CHECK(world.choose(world.other, "mentions", {{world.room.text(), "all"}}));
  world.post(4);
  CHECK(world.audiences->asked == 2);
  CHECK(world.of(world.other).at(0).kind == "message");
  CHECK(world.of(world.reader).empty());
  CHECK(world.choose(world.other, "mentions"));
  world.post(5);
  CHECK(world.audiences->asked == 2);
}

TEST_CASE("a text that looks like an empty list of mentions hides nobody") {
  World world;
  world.post(2);
  world.recipient(0).mentioned = true;
  auto message = world.message(3, {world.reader});
  message.text = R"("mentions":[] "mentions":[] ,"mentions":[],"mentions_room":false)";
  CHECK(world.hear(world.event("message.created", 3, std::move(message))));
  CHECK(world.of(world.reader).size() == 1);
}

TEST_CASE("a block, a read position and quiet hours keep a notification away") {
  World world;
  QuietHours night;
  night.from = "20:00";
  night.to = "08:00";
  CHECK(world.choose(world.reader, "all"));
  CHECK(world.choose(world.other, "all", {}, night));  // it is 12:00 UTC
  world.post(2);
  CHECK(world.of(world.reader).size() == 1);
  CHECK(world.of(world.other).size() == 1);
  auto& who = world.directory->people.items.emplace_back();
  who.id = world.other;
  who.time_zone = "Etc/GMT-9";  // nine hours east of UTC: 21:00 there
  world.recipient(0).read_seq = 3;
  world.post(3);
  CHECK(world.of(world.reader).size() == 1);
  CHECK(world.of(world.other).size() == 1);
  world.directory->blocked->ids.push_back(world.reader);
  world.post(4);
  CHECK(world.of(world.reader).size() == 1);
}

TEST_CASE("what cannot be asked now is tried again; a message that is gone is nothing; nonsense is refused") {
  World world;
  world.audiences->recipients = Error(Errc::unavailable, "away");
  CHECK(world.hear(world.event("message.created", 2, world.message(2))).error().code == Errc::unavailable);
  world.audiences->recipients = Error(Errc::not_found, "deleted");
  CHECK(world.hear(world.event("message.created", 2, world.message(2))));
  CHECK(world.hear(loggia::test::FakeBus::event("new-messages", "message.created", world.room.text(), "{\"ev\":1}")).error().code ==
        Errc::invalid_request);
  CHECK(world.hear(loggia::test::FakeBus::event("new-messages", "message.created", world.room.text(), "")));
  auto deleted = world.message(3, {world.reader});
  deleted.deleted = true;
  CHECK(world.hear(world.event("message.created", 3, deleted)));
  CHECK(world.of(world.reader).empty());
}

TEST_CASE("with a message, a membership or a room go the notifications of it") {
  World world;
  CHECK(world.choose(world.reader, "all", {{world.room.text(), "all"}}));
  CHECK(world.choose(world.other, "all"));
  for (const int seq : {2, 3}) world.post(seq);
  chat::MessageGone gone;
  gone.seq = 2;
  CHECK(world.hear(world.event("message.deleted", 4, gone)));
  CHECK(world.of(world.reader).size() == 1);
  CHECK(world.of(world.other).size() == 1);
  chat::MemberGone left;
  left.user_id = world.other;
  left.why = "left";
  CHECK(world.hear(world.event("member.left", 5, left)));
  CHECK(world.of(world.other).empty());
  CHECK(world.of(world.reader).size() == 1);
  CHECK(world.hear(world.event("room.deleted", 6, Nothing())));
  CHECK(world.of(world.reader).empty());
  CHECK(world.ask(world.reader, GetSettings())->rooms.empty());
}

TEST_CASE("with an account goes everything of it") {
  World world;
  CHECK(world.choose(world.reader, "all"));
  world.post(2);
  auth::UserDeleted deleted;
  deleted.user_id = world.reader;
  const auto event = loggia::test::FakeBus::event("user-events", "user.deleted", world.reader.text(), encode(deleted));
  const auto apply = world.kernel.wait(on_user(world.parts, Context(), event));
  REQUIRE(apply);
  CHECK(world.applied(*apply));
  CHECK(world.of(world.reader).empty());
  CHECK(world.ask(world.reader, GetSettings())->default_ == "mentions");
}
