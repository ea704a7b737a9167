#include <algorithm>
#include "contract/exercise.hpp"
#include "loggia/chat/contract.hpp"
#include "loggia/chat/messages.hpp"
#include "loggia/kernel/wire.hpp"

namespace loggia::contract::of_chat_live {
namespace {

using namespace loggia::chat;

SendNow sending(const RoomId& room, std::string text, std::string client_id) {
  SendNow out;
  out.room = room;
  out.text = std::move(text);
  out.client_id = std::move(client_id);
  return out;
}
template <class R> R of(const RoomId& room, const UserId& user) {
  R out;
  out.room = room;
  out.user = user;
  return out;
}

void changes(Exercise& exercise, const RoomId& room) {
  Asker<Live> live(exercise);
  const auto ada = exercise.as(1), bob = exercise.as(2), dan = exercise.as(4);

  const auto sent = live.good(ada, sending(room, "@room \"hi\" 😀", "c1"));
  CHECK(live.good(ada, sending(room, "@room \"hi\" 😀", "c1")).id == sent.id);
  live.bad(Errc::conflict, ada, sending(room, "another", "c1"));
  live.bad(Errc::not_found, dan, sending(room, "let me in", "c2"));
  live.bad(Errc::invalid_request, ada, sending(room, "hi", ""));

  SendInOrder several;
  several.room = room;
  for (const char* id : {"s1", "s2", "c1", "s1", "s3"}) {
    auto& item = several.items.emplace_back();
    item.text = "several";
    item.client_id = id;
  }
  several.items[1].text.clear();
  const auto in_order = live.good(ada, several).answers;
  REQUIRE(in_order.size() == 5);
  CHECK(in_order[0].sent.value().seq + 1 == in_order[4].sent.value().seq);
  CHECK(in_order[0].sent->id == in_order[3].sent.value().id);
  const auto code = [&](std::size_t at) { return error_of(in_order[at].refused.value()).code; };
  CHECK(code(1) == Errc::invalid_request);
  CHECK(in_order[1].refused->errors.value().at(0).pointer == "/text");
  CHECK(code(2) == Errc::conflict);
  CHECK(live.good(ada, several).answers[4].sent.value().id == in_order[4].sent->id);
  const auto stranger = live.good(dan, several).answers;
  CHECK(std::count_if(stranger.begin(), stranger.end(), [](const auto& answer) { return answer.refused.has_value(); }) == 5);
  several.items.resize(sends_at_once + 1, several.items[0]);
  live.bad(Errc::invalid_request, ada, several);
  several.items.clear();
  live.bad(Errc::invalid_request, ada, several);

  EditNow edit;
  edit.room = room;
  edit.seq = sent.seq;
  edit.text = "better";
  CHECK(live.good(ada, edit).seq.has_value());
  CHECK_FALSE(live.good(ada, edit).seq.has_value());
  live.bad(Errc::forbidden, bob, edit);

  ReactNow react;
  react.room = room;
  react.seq = sent.seq;
  react.emoji = "🎉";
  live.good(bob, react);
  react.on = false;
  live.good(bob, react);
  react.emoji = "no emoji";
  live.bad(Errc::invalid_request, bob, react);

  DeleteNow erase;
  erase.room = room;
  erase.seq = sent.seq;
  live.bad(Errc::forbidden, bob, erase);
  live.good(ada, erase);
  erase.seq = 1000;
  live.bad(Errc::not_found, ada, erase);
}

void questions(Exercise& exercise, const RoomId& room) {
  Asker<Live> live(exercise);
  const auto realtime = exercise.module("realtime");

  GetHello hello;
  hello.user = person(2);
  const auto first = live.good(realtime, hello);
  CHECK(first.rooms.size() == 1);
  hello.epoch = first.epoch;
  hello.cursor = first.cursor;
  CHECK(live.good(realtime, hello).rooms.empty());
  hello.cursor = "of/another + place";
  live.good(realtime, hello);
  live.good(realtime, GetCursor());

  live.good(realtime, of<GetStanding>(room, person(2)));
  live.bad(Errc::not_found, realtime, of<GetStanding>(room, person(4)));
  CHECK(live.good(realtime, of<GetAbsence>(room, person(4))).why == "unknown");

  ReadTimeline timeline;
  timeline.room = room;
  timeline.limit = 2;
  CHECK(live.good(realtime, timeline).more);
  timeline.after = 2;
  timeline.limit = 200;
  live.good(realtime, timeline);
  GetAudience audience;
  audience.user = person(2);
  CHECK(live.good(realtime, audience).ids.size() == 1);

  live.late(realtime, hello);
  live.late(realtime, GetCursor());
  live.late(realtime, of<GetAbsence>(room, person(4)));
  live.late(realtime, timeline);
  live.late(realtime, audience);
}

void cases(Exercise& exercise) {
  Asker<Rooms> rooms(exercise);
  CreateRoom create;
  create.name = "plans";
  create.visibility = "private";
  create.members.emplace(1, person(2));
  const auto room = rooms.good(exercise.as(1), create).id;
  changes(exercise, room);
  questions(exercise, room);
}

const Contract contract("chat", routes_of<Live>(), &cases);

TEST_CASE("a send has a name and may be sent again; a message over HTTP may if it has one, an edit may not") {
  CHECK(to_call(sending(RoomId(), "hello", "1")).may_repeat(Context()));
  chat::PostMessage message;
  CHECK_FALSE(to_call(message).may_repeat(Context()));
  CHECK(to_call(message).may_repeat(Context().keyed("k")));
  message.client_id = "1";
  CHECK(to_call(message).may_repeat(Context()));
  CHECK_FALSE(to_call(chat::EditNow()).may_repeat(Context().keyed("k")));
}

TEST_CASE("what chat offers to realtime answers alike here, serialised and over mTLS") { run_three_ways(contract); }

}  // namespace
}  // namespace loggia::contract::of_chat_live
