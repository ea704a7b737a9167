#include "contract/exercise.hpp"
#include "loggia/chat/contract.hpp"

namespace loggia::contract::of_chat_messages {
namespace {

using namespace loggia::chat;

PostMessage text(const RoomId& room, std::string words) {
  PostMessage out;
  out.room = room;
  out.text = std::move(words);
  return out;
}
template <class R> R at(const RoomId& room, std::int64_t seq) {
  R out;
  out.room = room;
  out.seq = seq;
  return out;
}
template <class R> R emoji(const RoomId& room, std::int64_t seq, std::string one) {
  auto out = at<R>(room, seq);
  out.emoji = std::move(one);
  return out;
}

struct Place {
  RoomId room;
  std::int64_t first = 0;
};

Place room_with_a_message(Exercise& exercise) {
  Asker<Rooms> rooms(exercise);
  CreateRoom create;
  create.name = "plans";
  create.visibility = "private";
  create.members.emplace(1, person(2));
  Place out;
  out.room = rooms.good(exercise.as(1), create).id;
  Asker<Messages> messages(exercise);
  auto post = text(out.room, "@bob \"hi\"\n\\o/ 😀 \xE2\x80\xA8 <b>&amp;");
  post.client_id = "c 1";
  const auto made = messages.good(exercise.as(1), post);
  CHECK(made.created);
  CHECK(made.value.mentions.size() == 1);
  CHECK_FALSE(messages.good(exercise.as(1), post).created);
  post.text = "another";
  messages.bad(Errc::conflict, exercise.as(1), post);
  out.first = made.value.seq;
  return out;
}

void messages_of(Exercise& exercise, const Place& place) {
  Asker<Messages> messages(exercise);
  const auto ada = exercise.as(1), bob = exercise.as(2), dan = exercise.as(4);
  const auto& room = place.room;
  const auto seq = place.first;

  messages.good(bob.keyed("k"), text(room, "second"));
  messages.good(bob.keyed("k"), text(room, "second"));
  messages.bad(Errc::invalid_request, bob.keyed("k"), text(room, "third"));
  messages.bad(Errc::not_found, dan, text(room, "let me in"));
  messages.bad(Errc::invalid_request, ada, text(room, ""));
  messages.bad(Errc::invalid_request, ada, text(room, std::string(8001, 'x')));
  messages.good(ada, text(room, std::string(8000, 'x')));

  ListMessages list;
  list.room = room;
  list.limit = 1;
  CHECK(messages.good(bob, list).more);
  list.after = 0;
  messages.good(bob, list);
  list.around = seq;
  messages.bad(Errc::invalid_request, bob, list);
  messages.bad(Errc::not_found, dan, at<GetMessage>(room, seq));
  messages.bad(Errc::not_found, ada, at<GetMessage>(room, 1));
  messages.good(bob, at<GetMessage>(room, seq));

  auto edit = at<EditMessage>(room, seq);
  edit.text = "better";
  messages.good(ada, edit);
  messages.bad(Errc::forbidden, bob, edit);
  edit.seq = -1;
  messages.bad(Errc::not_found, ada, edit);

  messages.good(bob, emoji<AddReaction>(room, seq, "❤️"));
  messages.good(ada, emoji<AddReaction>(room, seq, "👍🏽"));
  for (const char* wrong : {"", "a/b", "..", "heart"}) messages.bad(Errc::invalid_request, bob, emoji<AddReaction>(room, seq, wrong));
  messages.good(bob, emoji<RemoveReaction>(room, seq, "❤️"));
  messages.bad(Errc::not_found, dan, emoji<RemoveReaction>(room, seq, "❤️"));

  messages.good(ada, at<AddPin>(room, seq));
  messages.bad(Errc::forbidden, bob, at<AddPin>(room, seq));
  ListPins pins;
  pins.room = room;
  CHECK(messages.good(bob, pins).items.size() == 1);
  messages.bad(Errc::not_found, dan, pins);
  messages.good(ada, at<RemovePin>(room, seq));
  messages.bad(Errc::not_found, ada, at<RemovePin>(room, 1000));

  messages.bad(Errc::forbidden, bob, at<DeleteMessage>(room, seq));
  messages.good(ada, at<DeleteMessage>(room, seq));
  CHECK(messages.good(bob, at<GetMessage>(room, seq)).deleted.has_value());
}

void reading_of(Exercise& exercise, const Place& place) {
  Asker<Reading> reading(exercise);
  Asker<Audiences> audiences(exercise);
  const auto bob = exercise.as(2), dan = exercise.as(4), notification = exercise.module("notification");

  CHECK(audiences.good(notification, at<GetRecipients>(place.room, place.first)).items.at(0).mentioned);
  audiences.bad(Errc::not_found, notification, at<GetRecipients>(place.room, 1000));
  auto attention = at<GetAttention>(place.room, place.first);
  attention.user = UserId(person(2));
  CHECK(audiences.good(notification, attention).mentioned);
  attention.user = UserId(person(4));
  audiences.bad(Errc::not_found, notification, attention);

  reading.good(bob, at<MarkRead>(place.room, place.first));
  reading.bad(Errc::not_found, dan, at<MarkRead>(place.room, place.first));
  GetReceipts receipts;
  receipts.room = place.room;
  receipts.seq = place.first;
  CHECK(reading.good(bob, receipts).items.value().size() == 1);
  reading.bad(Errc::not_found, dan, receipts);
  GetEvents events;
  events.room = place.room;
  events.limit = 2;
  CHECK(reading.good(bob, events).more);
  events.after = 2;
  reading.good(bob, events);
  reading.bad(Errc::not_found, dan, events);
}

void cases(Exercise& exercise) {
  const auto place = room_with_a_message(exercise);
  reading_of(exercise, place);
  messages_of(exercise, place);
}

const Contract contract("chat", routes_of<Messages, Reading, Audiences>(), &cases);

TEST_CASE("chat's messages and what is read of them answer alike here, serialised and over mTLS") { run_three_ways(contract); }

}  // namespace
}  // namespace loggia::contract::of_chat_messages
