// Messages: sent once, edited, deleted, reacted to, pinned, listed.
#include <algorithm>
#include "fixture.hpp"

using namespace loggia;
using namespace loggia::chat;
using namespace loggia::chat::test;

namespace {

std::string last_code(House& house, const UserId& who, const RoomId& room, std::int64_t seq, const std::string& emoji) {
  return code_of(house.messages(house.as(who), AddReaction{room, seq, emoji}));
}
std::vector<std::string> texts(const MessageList& list) {
  std::vector<std::string> out;
  for (const auto& message : list.items) out.push_back(message.text);
  return out;
}
Message message_of(const TimelineFrame& frame) { return decode_text<Message>(frame.data.text, Manner::strict).value(); }
SendNow sending(const RoomId& room, const std::string& text, const std::string& client_id) {
  SendNow out;
  out.room = room;
  out.text = text;
  out.client_id = client_id;
  return out;
}

}  // namespace

TEST_CASE("a message is what was sent, normalised, and its event holds the whole of it") {
  House house;
  const auto room = house.room(house.ada, {house.bob});
  const auto sent = house.post(house.bob, room, "a\u0301", "c-1").value();
  CHECK(sent.created);
  CHECK(sent.value.text == "\u00e1");
  CHECK(sent.value.seq == 3);
  CHECK(sent.value.author == house.bob);
  CHECK(sent.value.client_id == "c-1");
  const auto frame = house.frames(room).back();
  CHECK(frame.ev == "message.created");
  CHECK(frame.by == house.bob);
  CHECK(frame.data.text == encode(sent.value));
  CHECK(encode(house.messages(house.as(house.ada), GetMessage{room, 3}).value()) == encode(sent.value));
}

TEST_CASE("what is not valid is refused with its place") {
  House house;
  const auto room = house.room(house.ada);
  CHECK(house.post(house.ada, room, "").error().fields.at(0).pointer == "/text");
  CHECK(house.post(house.ada, room, std::string(8001, 'x')).error().fields.at(0).pointer == "/text");
  CHECK(house.post(house.ada, room, "a", "").error().fields.at(0).pointer == "/client_id");
  CHECK(house.post(house.ada, room, "a", std::string(65, 'x')).error().fields.at(0).pointer == "/client_id");
  CHECK(house.post(house.ada, room, "a", "ż").error().fields.at(0).pointer == "/client_id");
  CHECK(house.post(house.ada, room, "a", std::nullopt, 1).error().fields.at(0).pointer == "/reply_to");
  PostMessage post;
  post.room = room;
  post.text = "a";
  post.attachments.emplace().push_back("unknown");
  CHECK(house.messages(house.as(house.ada), post).error().fields.at(0).pointer == "/attachments/0");
  post.attachments->clear();
  CHECK(house.messages(house.as(house.ada), post));
}

TEST_CASE("a reply names a message of the room") {
  House house;
  const auto room = house.room(house.ada);
  const auto seq = house.say(house.ada, room, "first");
  CHECK(house.post(house.ada, room, "yes", std::nullopt, seq).value().value.reply_to == seq);
}

TEST_CASE("the server finds who is mentioned: members, outside of code, each once, in their order") {
  House house;
  const auto room = house.room(house.ada, {house.bob, house.cid});
  const auto message = house.post(house.ada, room, "@Cid. and @bob, @cid, `@ada`, @dan and @nobody").value().value;
  CHECK(message.mentions == std::vector<UserId>{house.cid, house.bob});
  CHECK_FALSE(message.mentions_room);
  CHECK(house.post(house.ada, room, "@room!").value().value.mentions_room == true);
}

TEST_CASE("one client_id makes one message, and the first answer is given again, by HTTP and socket alike") {
  House house;
  const auto room = house.room(house.ada, {house.bob}, "public"), other = house.room(house.ada);
  const auto first = house.post(house.ada, room, "a\u0301nce", "c").value();
  const auto again = house.post(house.ada, room, "\u00e1nce", "c").value();
  CHECK_FALSE(again.created);
  CHECK(encode(again.value) == encode(first.value));
  const auto now = house.live(house.as(house.ada), sending(room, "\u00e1nce", "c")).value();
  CHECK(now.id == first.value.id);
  CHECK(now.seq == first.value.seq);
  CHECK(now.created_at == first.value.created_at);
  CHECK(house.live(house.as(house.bob), sending(room, "\u00e1nce", "c")).value().seq != now.seq);
  CHECK(code_of(house.post(house.ada, room, "another", "c")) == "conflict");
  CHECK(code_of(house.post(house.ada, other, "\u00e1nce", "c")) == "conflict");
  CHECK(code_of(house.post(house.ada, room, "\u00e1nce", "c", first.value.seq)) == "conflict");
}

TEST_CASE("several sends in one call take effect in their order, whatever some of them ask between, and fail each for itself") {
  House house;
  const auto room = house.room(house.ada, {house.bob}), direct = house.rooms(house.as(house.ada), OpenDirect{house.bob}).value().value.id;
  std::string crowd = "@bob";
  for (int number = 0; number < 20; ++number) crowd += " @nobody" + std::to_string(number);  // more than are looked up at once
  for (const auto& to : {room, direct}) {
    SendInOrder request;
    request.room = to;
    for (const auto& text :
         {std::string("one"), crowd, std::string(), std::string("two"), crowd + " again", std::string("three"), std::string("one")}) {
      auto& item = request.items.emplace_back();
      item.text = text;
      item.client_id = to.text() + (text == "one" ? "1" : std::to_string(request.items.size()));
    }
    const auto answers = house.live(house.as(house.ada), request).value().answers;
    REQUIRE(answers.size() == 7);
    std::vector<std::int64_t> numbers;
    for (const std::size_t at : {0, 1, 3, 4, 5}) numbers.push_back(answers[at].sent.value().seq);
    CHECK(numbers.back() - numbers.front() == 4);
    CHECK(std::is_sorted(numbers.begin(), numbers.end()));
    for (const std::size_t at : {0, 1, 3, 4, 5})
      CHECK(house.messages(house.as(house.bob), GetMessage{to, answers[at].sent->seq}).value().text == request.items[at].text);
    CHECK(answers[6].sent.value().id == answers[0].sent->id);
    CHECK_FALSE(answers[2].sent);
    const auto refused = error_of(answers[2].refused.value());
    CHECK(refused.code == Errc::invalid_request);
    REQUIRE(refused.fields.size() == 1);
    CHECK(refused.fields[0].pointer == "/text");
    CHECK(std::string(fault(refused.code).code) == code_of(house.live(house.as(house.ada), sending(to, "", "x"))));
    const auto strangers = house.live(house.as(house.dan), request).value().answers;
    CHECK(std::count_if(strangers.begin(), strangers.end(), [](const auto& answer) { return answer.refused.has_value(); }) == 7);
  }
  house.directory->blocks.emplace_back(house.bob, house.ada);
  SendInOrder blocked;
  blocked.room = direct;
  blocked.items.resize(2);
  for (auto& item : blocked.items) item.text = item.client_id = "b";
  const auto unwanted = house.live(house.as(house.ada), blocked).value().answers;
  REQUIRE(unwanted.size() == 2);
  for (const auto& answer : unwanted) CHECK(error_of(answer.refused.value()).code == Errc::forbidden);
}

TEST_CASE("several sends of which none can be sent just now are answered as a whole, so that another instance is asked") {
  FakeKernel fake;
  const auto chat = module().make(fake.kernel);
  fake.kernel.ports.offer<user::Directory>(std::make_shared<FakeDirectory>());
  const auto live = fake.kernel.ports.get<Live>();
  Caller ada;
  ada.subject = Uuid(fake.kernel.ids->make<UserId>());
  // It has not started: names are not known yet.
  SendInOrder request;
  request.room = fake.kernel.ids->make<RoomId>();
  for (const char* text : {"", "to @bob", "to nobody"}) {
    auto& item = request.items.emplace_back();
    item.text = text;
    item.client_id = "c";
  }
  const auto whole = fake.wait(live->on(Context().as(ada), request));
  CHECK(code_of(whole) == "unavailable");
  request.items.erase(request.items.begin() + 1);
  const auto each = fake.wait(live->on(Context().as(ada), request)).value().answers;
  REQUIRE(each.size() == 2);
  CHECK(each[0].refused.value().code == "invalid_request");
  CHECK(each[1].refused.value().code == "not_found");
  chat->stop();
}

TEST_CASE("the first answer is given also after an edit, a deletion and leaving") {
  House house;
  const auto room = house.room(house.ada, {house.bob}, "public");
  const auto first = house.post(house.bob, room, "once", "c").value().value;
  CHECK(house.messages(house.as(house.bob), EditMessage{room, first.seq, "changed"}));
  CHECK(house.live(house.as(house.bob), sending(room, "once", "c")).value().id == first.id);
  CHECK(house.messages(house.as(house.bob), DeleteMessage{room, first.seq}));
  CHECK(house.live(house.as(house.bob), sending(room, "once", "c")).value().id == first.id);
  CHECK(house.remove(house.bob, room, "me"));
  CHECK(house.live(house.as(house.bob), sending(room, "once", "c")).value().seq == first.seq);
  CHECK(code_of(house.live(house.as(house.bob), sending(room, "once", "d"))) == "forbidden");
  CHECK(house.rooms(house.as(house.ada), DeleteRoom{room}));
  CHECK(code_of(house.live(house.as(house.bob), sending(room, "once", "c"))) == "not_found");
}

TEST_CASE("an edit is its author's, and the same text takes no number") {
  House house;
  const auto room = house.room(house.ada, {house.bob});
  const auto seq = house.say(house.bob, room, "first");
  const auto edited = house.messages(house.as(house.bob), EditMessage{room, seq, "@ada second"}).value();
  CHECK(edited.text == "@ada second");
  CHECK(edited.edited_at);
  CHECK(edited.mentions == std::vector<UserId>{house.ada});
  CHECK(house.frames(room).back().ev == "message.edited");
  CHECK(house.frames(room).back().data.text == encode(edited));
  const auto count = house.frames(room).size();
  CHECK(encode(house.messages(house.as(house.bob), EditMessage{room, seq, "@ada second"}).value()) == encode(edited));
  CHECK_FALSE(house.live(house.as(house.bob), EditNow{room, seq, "@ada second"}).value().seq);
  CHECK(house.frames(room).size() == count);
  CHECK(house.live(house.as(house.bob), EditNow{room, seq, "third"}).value().seq == static_cast<std::int64_t>(count) + 1);
  CHECK(code_of(house.messages(house.as(house.ada), EditMessage{room, seq, "x"})) == "forbidden");
  CHECK(code_of(house.messages(house.as(house.bob), EditMessage{room, 1, "x"})) == "not_found");
  CHECK(code_of(house.messages(house.as(house.bob), EditMessage{room, 1000, "x"})) == "not_found");
}

TEST_CASE("an edit rewrites what earlier events hold: number, type and reactions stay, the text is as now") {
  House house;
  const auto room = house.room(house.ada, {house.bob});
  const auto seq = house.say(house.ada, room, "first @bob");
  CHECK(house.messages(house.as(house.bob), AddReaction{room, seq, "👍"}));
  CHECK(house.messages(house.as(house.ada), EditMessage{room, seq, "second"}));
  CHECK(house.messages(house.as(house.bob), RemoveReaction{room, seq, "👍"}));
  CHECK(house.messages(house.as(house.ada), EditMessage{room, seq, "third"}));
  const auto frames = house.frames(room);
  const auto& created = frames[static_cast<std::size_t>(seq) - 1];
  const auto& second = frames[static_cast<std::size_t>(seq) + 1];
  CHECK(created.ev == "message.created");
  CHECK(message_of(created).text == "third");
  CHECK(message_of(created).mentions.empty());
  CHECK_FALSE(message_of(created).edited_at);
  CHECK(second.ev == "message.edited");
  CHECK(message_of(second).text == "third");
  CHECK(message_of(second).reactions.size() == 1);
  CHECK(message_of(frames.back()).reactions.empty());
  // The log's tail is told the same, so that nobody at the head reads the old text.
  for (const auto& [number, data] : house.fake.bus->rewritten) {
    CHECK(data.find("first") == data.npos);
    CHECK(data.find("\"seq\":" + std::to_string(number)) != data.npos);
  }
  CHECK(house.fake.bus->rewritten.size() == 3);
}

TEST_CASE("a deleted message's text is nowhere any more") {
  House house;
  const auto room = house.room(house.ada, {house.bob});
  const auto seq = house.say(house.bob, room, "@ada needle one");
  CHECK(house.messages(house.as(house.bob), EditMessage{room, seq, "needle two"}));
  CHECK(house.messages(house.as(house.ada), AddReaction{room, seq, "👍"}));
  const auto number = house.live(house.as(house.ada), DeleteNow{room, seq}).value().seq;
  const auto frames = house.frames(room);
  CHECK(frames.back().seq == number);
  CHECK(frames.back().ev == "message.deleted");
  const auto gone = house.messages(house.as(house.ada), GetMessage{room, seq}).value();
  CHECK(frames.back().data.text == "{\"seq\":" + std::to_string(seq) + ",\"id\":\"" + gone.id.text() + "\"}");
  CHECK(gone.deleted == true);
  CHECK(gone.reactions.empty());
  for (const auto& frame : frames) CHECK(frame.data.text.find("needle") == frame.data.text.npos);
  CHECK(frames[static_cast<std::size_t>(seq) - 1].data.text == encode(gone));
  CHECK(frames[static_cast<std::size_t>(seq)].data.text == encode(gone));
}

TEST_CASE("deleting is for the author and moderators, and a second time takes no number") {
  House house;
  const auto room = house.room(house.ada, {house.bob, house.cid});
  const auto seq = house.say(house.bob, room, "x");
  CHECK(code_of(house.messages(house.as(house.cid), DeleteMessage{room, seq})) == "forbidden");
  CHECK(code_of(house.messages(house.as(house.cid), DeleteMessage{room, 1000})) == "not_found");
  CHECK(house.put(house.ada, room, house.cid, "moderator"));
  CHECK(house.messages(house.as(house.cid), DeleteMessage{room, seq}));
  const auto count = house.frames(room).size();
  CHECK(house.messages(house.as(house.bob), DeleteMessage{room, seq}));
  CHECK_FALSE(house.live(house.as(house.bob), DeleteNow{room, seq}).value().seq);
  CHECK(house.frames(room).size() == count);
  CHECK(code_of(house.messages(house.as(house.bob), EditMessage{room, seq, "x"})) == "conflict");
  CHECK(last_code(house, house.bob, room, seq, "👍") == "conflict");
}

TEST_CASE("an administrator deletes messages in public rooms") {
  House house;
  const auto open = house.room(house.ada, {}, "public"), closed = house.room(house.ada);
  const auto seq = house.say(house.ada, open, "x"), hidden = house.say(house.ada, closed, "x");
  CHECK(house.messages(house.as(house.dan, {"admin"}), DeleteMessage{open, seq}));
  CHECK(code_of(house.messages(house.as(house.dan, {"admin"}), DeleteMessage{closed, hidden})) == "not_found");
}

TEST_CASE("a reaction is one emoji of one person, once, compared without U+FE0F") {
  House house;
  const auto room = house.room(house.ada, {house.bob});
  const auto seq = house.say(house.ada, room, "x");
  CHECK(house.live(house.as(house.bob), ReactNow{room, seq, "❤️", true}).value().seq == seq + 1);
  CHECK(house.frames(room).back().data.text == "{\"seq\":3,\"emoji\":\"❤️\",\"user_id\":\"" + house.bob.text() + "\"}");
  CHECK_FALSE(house.live(house.as(house.bob), ReactNow{room, seq, "❤", true}).value().seq);
  CHECK(house.messages(house.as(house.ada), AddReaction{room, seq, "❤"}));
  auto reactions = house.messages(house.as(house.ada), GetMessage{room, seq}).value().reactions;
  REQUIRE(reactions.size() == 1);
  CHECK(reactions[0].emoji == "❤️");
  CHECK(reactions[0].count == 2);
  CHECK(reactions[0].users == std::vector<UserId>{house.bob, house.ada});
  CHECK(house.messages(house.as(house.bob), RemoveReaction{room, seq, "❤"}));
  CHECK_FALSE(house.live(house.as(house.bob), ReactNow{room, seq, "❤", false}).value().seq);
  reactions = house.messages(house.as(house.ada), GetMessage{room, seq}).value().reactions;
  CHECK(reactions.at(0).count == 1);
  CHECK(last_code(house, house.bob, room, seq, "no emoji") == "invalid_request");
  CHECK(last_code(house, house.bob, room, 1, "👍") == "not_found");
}

TEST_CASE("a message has at most 50 kinds of reactions") {
  House house;
  const auto room = house.room(house.ada, {house.bob});
  const auto seq = house.say(house.ada, room, "x");
  for (int at = 0; at < 50; ++at) REQUIRE(last_code(house, house.ada, room, seq, std::string(1, static_cast<char>('0' + at))).empty());
  CHECK(last_code(house, house.ada, room, seq, "👍") == "conflict");
  CHECK(last_code(house, house.bob, room, seq, "5") == "");
}

TEST_CASE("moderators pin messages, and a deleted one is pinned no more by an event of its own") {
  House house;
  const auto room = house.room(house.ada, {house.bob});
  const auto one = house.say(house.bob, room, "one"), two = house.say(house.bob, room, "two");
  CHECK(code_of(house.messages(house.as(house.bob), AddPin{room, one})) == "forbidden");
  CHECK(house.messages(house.as(house.ada), AddPin{room, two}));
  CHECK(house.messages(house.as(house.ada), AddPin{room, one}));
  CHECK(house.frames(room).back().data.text == "{\"seq\":3}");
  const auto count = house.frames(room).size();
  CHECK(house.messages(house.as(house.ada), AddPin{room, one}));
  CHECK(house.frames(room).size() == count);
  CHECK(texts(house.messages(house.as(house.bob), ListPins{room}).value()) == std::vector<std::string>{"two", "one"});
  CHECK(house.messages(house.as(house.ada), RemovePin{room, two}));
  CHECK(house.frames(room).back().ev == "pin.removed");
  CHECK(house.messages(house.as(house.ada), DeleteMessage{room, one}));
  const auto kinds = house.kinds(room);
  CHECK(kinds[kinds.size() - 2] == "pin.removed");
  CHECK(kinds.back() == "message.deleted");
  CHECK(house.messages(house.as(house.bob), ListPins{room}).value().items.empty());
}

TEST_CASE("both people of a direct room may pin") {
  House house;
  const auto room = house.rooms(house.as(house.ada), OpenDirect{house.bob}).value().value.id;
  const auto seq = house.say(house.ada, room, "x");
  CHECK(house.messages(house.as(house.bob), AddPin{room, seq}));
  CHECK(code_of(house.messages(house.as(house.bob), DeleteMessage{room, seq})) == "forbidden");
}

TEST_CASE("messages are paged both ways without gap or repeat") {
  House house;
  const auto room = house.room(house.ada);
  for (int at = 0; at < 45; ++at) {
    house.say(house.ada, room, "m" + std::to_string(at));
    if (at % 7 == 0) CHECK(house.messages(house.as(house.ada), AddReaction{room, house.frames(room).back().seq, "👍"}));
  }
  using Seq = std::optional<std::int64_t>;
  const auto page = [&](Seq before, Seq after, Seq middle, std::int64_t limit) {
    return house.messages(house.as(house.ada), ListMessages{room, before, after, middle, limit}).value();
  };
  const auto names = [](int from, int to) {
    std::vector<std::string> out;
    for (int at = from; at < to; ++at) out.push_back("m" + std::to_string(at));
    return out;
  };
  const auto last = page({}, {}, {}, 20);
  CHECK(texts(last) == names(25, 45));
  CHECK(last.more);
  CHECK(last.items.back().reactions.empty());
  CHECK(last.items[3].reactions.size() == 1);
  const auto before = page(last.items[0].seq, {}, {}, 20);
  CHECK(texts(before) == names(5, 25));
  CHECK(texts(page({}, before.items.back().seq, {}, 5)) == names(25, 30));
  CHECK_FALSE(page({}, last.items.back().seq, {}, 5).more);
  CHECK(texts(page({}, {}, before.items[0].seq, 5)) == names(3, 8));
  CHECK(texts(page({}, {}, 1, 5)) == names(0, 5));
  CHECK(texts(page({}, {}, 1000, 5)) == names(40, 45));
  CHECK_FALSE(page({}, {}, 1000, 100).more);
  CHECK(code_of(house.messages(house.as(house.ada), ListMessages{room, 5, 5, std::nullopt, std::nullopt})) == "invalid_request");
}

TEST_CASE("a message sent with an Idempotency-Key gives the first answer again") {
  House house;
  const auto room = house.room(house.ada);
  PostMessage post;
  post.room = room;
  post.text = "once";
  const auto keyed = house.as(house.ada).keyed("k");
  const auto one = house.messages(keyed, post).value(), two = house.messages(keyed, post).value();
  CHECK(encode(one.value) == encode(two.value));
  CHECK(two.created);
  CHECK(house.frames(room).size() == 2);
}
