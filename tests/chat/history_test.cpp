// Guarantees 2, 7 and 8 on random histories, each from its seed: the events applied to a snapshot give what a fresh snapshot shows.
#include <map>
#include <random>
#include <set>
#include "fixture.hpp"

using namespace loggia;
using namespace loggia::chat;
using namespace loggia::chat::test;

namespace {

/// What a client shows of a room.
struct Picture {
  std::map<std::int64_t, Message> messages;
  std::map<std::int64_t, std::map<std::string, std::set<UserId>>> reactions;
  std::set<std::int64_t> pins;
  std::map<UserId, std::string> members;
  std::string name, topic;
  std::int64_t last_seq = 0;

  void apply(const TimelineFrame& frame) {
    REQUIRE(frame.seq == last_seq + 1);
    last_seq = frame.seq;
    const auto& text = frame.data.text;
    if (frame.ev == "message.created" || frame.ev == "message.edited") take(decode_text<Message>(text, Manner::strict).value());
    else if (frame.ev == "message.deleted") remove(decode_text<MessageGone>(text, Manner::strict).value().seq);
    else if (frame.ev == "pin.added") pins.insert(decode_text<PinMoved>(text, Manner::strict).value().seq);
    else if (frame.ev == "pin.removed") pins.erase(decode_text<PinMoved>(text, Manner::strict).value().seq);
    else if (frame.ev.starts_with("reaction.")) react(frame.ev == "reaction.added", decode_text<ReactionMoved>(text, Manner::strict).value());
    else if (frame.ev == "member.left") members.erase(decode_text<MemberGone>(text, Manner::strict).value().user_id);
    else if (frame.ev.starts_with("member.")) stand(decode_text<MemberStands>(text, Manner::strict).value());
    else if (frame.ev == "room.changed") change(decode_text<RoomChanged>(text, Manner::strict).value());
    else FAIL("an event of unknown type: ", frame.ev);
  }
  void take(Message message) {
    if (message.deleted) reactions.erase(message.seq);
    // An edit tells the reactions of its moment, which were known one by one.
    message.reactions.clear();
    messages[message.seq] = std::move(message);
  }

 private:
  void remove(std::int64_t seq) {
    auto& message = messages.at(seq);
    Message left;
    left.id = message.id;
    left.room = message.room;
    left.seq = seq;
    left.author = message.author;
    left.created_at = message.created_at;
    left.deleted = true;
    message = left;
    reactions.erase(seq);
  }
  void react(bool on, const ReactionMoved& moved) {
    if (messages.at(moved.seq).deleted) return;
    auto& users = reactions[moved.seq][moved.emoji];
    if (on) users.insert(moved.user_id);
    else users.erase(moved.user_id);
    if (users.empty()) reactions[moved.seq].erase(moved.emoji);
    if (reactions[moved.seq].empty()) reactions.erase(moved.seq);
  }
  void stand(const MemberStands& member) { members[member.user_id] = member.role; }
  void change(const RoomChanged& changed) {
    if (changed.name) name = *changed.name;
    if (changed.topic) topic = *changed.topic;
  }
};

/// The room as its lists show it now.
Picture fresh(House& house, const UserId& viewer, const RoomId& id) {
  Picture out;
  const auto room = house.rooms(house.as(viewer), GetRoom{id}).value();
  out.name = room.name.value_or("");
  out.topic = room.topic.value_or("");
  out.last_seq = room.last_seq;
  for (std::int64_t after = 0;;) {
    const auto page = house.messages(house.as(viewer), ListMessages{id, std::nullopt, after, std::nullopt, 200}).value();
    for (const auto& message : page.items) {
      for (const auto& reaction : message.reactions) out.reactions[message.seq][reaction.emoji].insert(reaction.users.begin(), reaction.users.end());
      out.take(message);
    }
    if (!page.more) break;
    after = page.items.back().seq;
  }
  const auto pins = house.messages(house.as(viewer), ListPins{id}).value();
  for (const auto& message : pins.items) out.pins.insert(message.seq);
  const auto members = house.rooms(house.as(viewer), ListMembers{id, 200, std::nullopt}).value();
  for (const auto& member : members.items) out.members[member.user_id] = member.role;
  CHECK(room.member_count == static_cast<std::int64_t>(out.members.size()));
  return out;
}

void check_same(const Picture& applied, const Picture& shown) {
  CHECK(applied.last_seq == shown.last_seq);
  CHECK(applied.name == shown.name);
  CHECK(applied.topic == shown.topic);
  CHECK(applied.pins == shown.pins);
  CHECK(applied.members == shown.members);
  CHECK(applied.reactions == shown.reactions);
  REQUIRE(applied.messages.size() == shown.messages.size());
  for (const auto& [seq, message] : applied.messages) {
    const auto& other = shown.messages.at(seq);
    CHECK(encode(message) == encode(other));
  }
}

/// People who do random things in a public room; `ada` owns it and stays.
struct Walk {
  House& house;
  RoomId room;
  std::mt19937 random;
  std::vector<UserId> people;
  std::map<std::string, std::pair<UserId, std::string>> sent;  // client_id: who, what

  std::size_t below(std::size_t bound) { return random() % bound; }
  std::int64_t some_seq() { return 1 + static_cast<std::int64_t>(below(60)); }
  void step() {
    static const char* const emoji[] = {"👍", "🦉", "❤️", "❤"};
    const auto who = people[below(people.size())];
    const auto context = house.as(who);
    auto text = "t" + std::to_string(random());
    if (below(3) == 0) text += " @bob";
    if (below(9) == 0) text += " @room";
    switch (below(14)) {
      case 0:
      case 1:
      case 2:
      case 3:
        send(who, text);
        break;
      case 4:
      case 5:
        (void)house.live(context, EditNow{room, some_seq(), text});
        break;
      case 6:
        (void)house.live(context, DeleteNow{room, some_seq()});
        break;
      case 7:
      case 8:
        (void)house.live(context, ReactNow{room, some_seq(), emoji[below(4)], below(3) > 0});
        break;
      case 9:
        (void)house.reading(context, MarkRead{room, some_seq()});
        break;
      case 10:
        (void)house.messages(house.as(house.ada), AddPin{room, some_seq()});
        break;
      case 11:
        (void)house.messages(house.as(house.ada), RemovePin{room, some_seq()});
        break;
      case 12:
        move(who);
        break;
      case 13:
        rename(text);
        break;
    }
  }
  void send(const UserId& who, const std::string& text) {
    const auto client_id = "c" + std::to_string(below(40));
    const auto posted = house.post(who, room, text, client_id + who.text().substr(30));
    if (posted && posted->created) sent[client_id + who.text()] = {who, text};
  }
  void move(const UserId& who) {
    if (who == house.ada) return;
    if (below(2) == 0) (void)house.rooms(house.as(who), JoinRoom{room});
    else if (below(2) == 0) (void)house.remove(who, room, "me");
    else (void)house.put(house.ada, room, who, below(2) == 0 ? "moderator" : "member");
  }
  void rename(const std::string& text) {
    UpdateRoom change;
    change.room = room;
    if (below(2) == 0) change.name = text;
    else change.topic = below(2) == 0 ? std::string() : text;
    (void)house.rooms(house.as(house.ada), change);
  }
};

void check_unread(House& house, const UserId& who, const RoomId& room, const Picture& shown) {
  const auto mine = house.mine(who, room);
  if (!mine.my_role) return;
  std::int64_t unread = 0, mentions = 0;
  for (const auto& [seq, message] : shown.messages) {
    if (seq <= *mine.read_seq || message.author == who || message.deleted) continue;
    ++unread;
    mentions += message.mentions_room || std::find(message.mentions.begin(), message.mentions.end(), who) != message.mentions.end() ? 1 : 0;
  }
  CHECK(mine.unread == unread);
  CHECK(mine.mentions == mentions);
}

}  // namespace

TEST_CASE("the events since a snapshot, applied to it, give what a fresh snapshot shows") {
  for (const std::uint32_t seed : {1u, 2u, 3u, 4u, 5u, 6u}) {
    CAPTURE(seed);
    House house;
    const std::vector<UserId> people = {house.ada, house.bob, house.cid, house.dan};
    Walk walk{house, house.room(house.ada, people, "public"), std::mt19937(seed), people, {}};
    std::vector<Picture> snapshots;
    for (int step = 0; step < 150; ++step) {
      if (step % 30 == 0) snapshots.push_back(fresh(house, house.ada, walk.room));
      walk.step();
    }
    const auto frames = house.frames(walk.room);
    const auto now = fresh(house, house.ada, walk.room);
    REQUIRE(static_cast<std::int64_t>(frames.size()) == now.last_seq);
    CHECK(now.messages.size() == walk.sent.size());
    Picture nothing;
    nothing.name = "plans";
    snapshots.push_back(nothing);
    for (auto picture : snapshots) {
      for (auto at = static_cast<std::size_t>(picture.last_seq); at < frames.size(); ++at) picture.apply(frames[at]);
      check_same(picture, now);
    }
    for (const auto& who : walk.people) check_unread(house, who, walk.room, now);
  }
}
