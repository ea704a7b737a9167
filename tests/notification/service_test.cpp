#include "fixture.hpp"

using namespace loggia;
using namespace loggia::notification;
using testing::World;

namespace {

QuietHours quiet(std::string from, std::string to) {
  QuietHours out;
  out.from = std::move(from);
  out.to = std::move(to);
  return out;
}
std::string last_rule(const Result<Explanation>& explanation) {
  return explanation && !explanation->rules.empty() ? explanation->rules.back().rule : "none";
}

}  // namespace

TEST_CASE("settings are the standard until they are chosen, and then what was chosen") {
  World world;
  const auto standard = world.ask(world.reader, GetSettings());
  REQUIRE(standard);
  CHECK(standard->default_ == "mentions");
  CHECK(standard->rooms.empty());
  CHECK_FALSE(standard->quiet_hours);
  const auto chosen = world.choose(world.reader, "none", {{world.room.text(), "all"}}, quiet("22:00", "07:30"));
  REQUIRE(chosen);
  CHECK(encode(*chosen) == encode(*world.ask(world.reader, GetSettings())));
  CHECK(chosen->quiet_hours->to == "07:30");
  CHECK(world.ask(world.other, GetSettings())->default_ == "mentions");
}

TEST_CASE("settings outlive a restart") {
  World world;
  CHECK(world.choose(world.reader, "all", {{world.room.text(), "none"}}, quiet("22:00", "07:30")));
  const auto read = world.parts->database->read_now(
      [](Query& query) -> Result<std::vector<std::pair<UserId, std::shared_ptr<Chosen>>>> { return store::all_settings(query); });
  REQUIRE(read);
  REQUIRE(read->size() == 1);
  const auto& [who, chosen] = read->front();
  CHECK(who == world.reader);
  CHECK(chosen->level == Level::all);
  CHECK(chosen->rooms.at(world.room) == Level::none);
  CHECK(chosen->quiet->from == 22 * 60);
}

TEST_CASE("settings that mean nothing are refused by their field") {
  World world;
  const auto pointer = [](const Result<Settings>& refused) { return refused ? std::string("accepted") : refused.error().fields.at(0).pointer; };
  CHECK(pointer(world.choose(world.reader, "all", {}, quiet("25:00", "07:00"))) == "/quiet_hours/from");
  CHECK(pointer(world.choose(world.reader, "all", {}, quiet("22:00", "7"))) == "/quiet_hours/to");
  CHECK(pointer(world.choose(world.reader, "all", {}, quiet("22:00", "22:00"))) == "/quiet_hours/to");
  CHECK(pointer(world.choose(world.reader, "all", {{"lobby", "none"}})) == "/rooms/lobby");
}

TEST_CASE("notifications come newest first, in pages without gap or repeat") {
  World world;
  CHECK(world.choose(world.reader, "all"));
  for (int seq = 1; seq <= 5; ++seq) world.post(seq);
  std::vector<std::int64_t> seen;
  ListNotifications request;
  request.limit = 2;
  for (;;) {
    const auto page = world.ask(world.reader, request);
    REQUIRE(page);
    for (const auto& one : page->items) seen.push_back(*one.seq);
    if (!page->next) break;
    request.cursor = page->next;
  }
  CHECK(seen == std::vector<std::int64_t>{5, 4, 3, 2, 1});
  request.cursor = "nonsense";
  CHECK(world.ask(world.reader, request).error().fields.at(0).pointer == "/cursor");
}

TEST_CASE("some or all are marked as read, one's own only, and one of the two has to be said") {
  World world;
  CHECK(world.choose(world.reader, "all"));
  CHECK(world.choose(world.other, "all"));
  for (int seq = 1; seq <= 3; ++seq) world.post(seq);
  const auto unread = [&](const UserId& who) {
    const auto all = world.of(who);
    return std::count_if(all.begin(), all.end(), [](const Notification& one) { return !one.read; });
  };
  MarkNotificationsRead some;
  some.ids = {world.of(world.reader)[0].id, world.of(world.other)[0].id};
  CHECK(world.ask(world.reader, some));
  CHECK(unread(world.reader) == 2);
  CHECK(unread(world.other) == 3);
  MarkNotificationsRead all;
  all.all = true;
  CHECK(world.ask(world.reader, all));
  CHECK(unread(world.reader) == 0);
  CHECK(unread(world.other) == 3);
  CHECK(world.ask(world.reader, MarkNotificationsRead()).has_error());
  all.ids = some.ids;
  CHECK(world.ask(world.reader, all).has_error());
}

TEST_CASE("an explanation is what was decided then, also when the settings are others now") {
  World world;
  CHECK(world.choose(world.reader, "all"));
  world.post(2);
  const auto told = world.explain(world.reader, 2);
  REQUIRE(told);
  CHECK(told->notified);
  CHECK(told->rules.at(told->rules.size() - 2).rule == "quiet_hours");
  CHECK(last_rule(told) == "mail");
  CHECK(world.choose(world.reader, "none"));
  CHECK(world.explain(world.reader, 2)->notified);
}

TEST_CASE("for whom nothing was written down it is decided again") {
  World world;
  world.post(2);
  const auto quiet = world.explain(world.reader, 2);
  REQUIRE(quiet);
  CHECK_FALSE(quiet->notified);
  CHECK(last_rule(quiet) == "message");
  CHECK(world.choose(world.reader, "all"));
  const auto changed = world.explain(world.reader, 2);
  CHECK_FALSE(changed->notified);
  CHECK(last_rule(changed) == "record");
  CHECK(last_rule(world.explain(world.author, 2)) == "author");
}

TEST_CASE("who may not see a message is told nothing about it") {
  World world;
  CHECK(world.explain(id<UserId>(4), 2).error().code == Errc::not_found);
  world.audiences->recipients = Error(Errc::not_found, "the message is gone");
  CHECK(world.explain(world.reader, 2).error().code == Errc::not_found);
}
