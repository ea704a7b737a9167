#include "frame.hpp"
#include "loggia/chat/events.hpp"
#include "loggia/kernel/json.hpp"
#include "support/print.hpp"

using namespace loggia;
using namespace loggia::chat;

namespace {

template <class T> T id(int last) {
  Bytes16 bytes{};
  bytes[6] = 0x70;
  bytes[15] = static_cast<std::uint8_t>(last);
  return T(bytes);
}
Message full() {
  Message out;
  out.id = id<MessageId>(1);
  out.room = id<RoomId>(2);
  out.seq = 7;
  out.author = id<UserId>(3);
  out.text = "a \"quoted\" \\ text\nwith \u00e1 and 🦉 and </script>";
  out.client_id = "c-\"1";
  out.reply_to = 3;
  out.attachments.emplace_back(R"({"id":"x"})");
  out.attachments.emplace_back(R"({"id":"y"})");
  out.reactions.resize(2);
  out.reactions[0].emoji = "👍";
  out.reactions[0].count = 2;
  out.reactions[0].users = {id<UserId>(3), id<UserId>(4)};
  out.reactions[1].emoji = "🎉";
  out.mentions = {id<UserId>(4), id<UserId>(5)};
  out.mentions_room = true;
  out.created_at = Time(milliseconds(1769860800123));
  out.edited_at = Time(milliseconds(1769860800124));
  return out;
}
std::string by_hand(const Message& message) {
  std::string out;
  append_message(out, message);
  return out;
}

}  // namespace

TEST_CASE("the message's own serialiser writes what the described one writes") {
  CHECK(by_hand(full()) == encode(full()));
  CHECK(by_hand(remains_of(full())) == encode(remains_of(full())));
  CHECK(by_hand(Message()) == encode(Message()));
}

TEST_CASE("a frame is what the described frame would be") {
  TimelineFrame frame;
  frame.ev = "message.created";
  frame.room = full().room;
  frame.seq = 7;
  frame.by = full().author;
  frame.at = full().created_at;
  frame.data = RawJson(encode(full()));
  CHECK(message_frame("message.created", 7, full().author, full().created_at, full()) == encode(frame));
  frame.by.reset();
  CHECK(message_frame("message.created", 7, std::nullopt, full().created_at, full()) == encode(frame));
}

TEST_CASE("a deleted message is exactly what the contract says") {
  CHECK(by_hand(remains_of(full())) == R"({"id":"00000000-0000-7000-0000-000000000001","room":"00000000-0000-7000-0000-000000000002","seq":7,)"
                                       R"("author":"00000000-0000-7000-0000-000000000003","text":"","attachments":[],"reactions":[],"mentions":[],)"
                                       R"("created_at":"2026-01-31T12:00:00.123Z","deleted":true})");
}

TEST_CASE("a rewritten frame keeps number, type and reactions and carries the text as it is now") {
  const Time at(milliseconds(1769860801000));
  const auto frame = message_frame("message.edited", 9, full().author, at, full());
  auto now = full();
  now.text = "new";
  now.mentions.clear();
  now.mentions_room.reset();
  now.reactions.clear();
  now.edited_at = Time(milliseconds(1769860809000));
  auto expected = full();
  expected.text = "new";
  expected.mentions.clear();
  expected.mentions_room.reset();
  CHECK(rewritten_frame(frame, now) == message_frame("message.edited", 9, full().author, at, expected));
  CHECK(rewritten_frame(frame, remains_of(full())) == message_frame("message.edited", 9, full().author, at, remains_of(full())));
}
