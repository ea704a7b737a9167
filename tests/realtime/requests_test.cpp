#include "support/captured_log.hpp"
#include "support/fakes.hpp"
#include "world.hpp"

namespace loggia::realtime::test {
using namespace std::chrono_literals;

namespace {

json send(const RoomId& room, int id) {
  return {{"id", id}, {"op", "send"}, {"room", room.text()}, {"text", std::to_string(id)}, {"client_id", "c" + std::to_string(id)}};
}

}  // namespace

TEST_CASE("errors are answers and the connection goes on") {
  World world;
  const auto p = world.user("p"), q = world.user("q");
  const auto room = world.room({p}), strange = world.room({q});
  auto a = world.online(p);
  const auto unknown = a->ask("no-such-op")["error"];
  CHECK(unknown["code"] == "invalid_request");
  CHECK(unknown["retry"] == false);
  CHECK(unknown["detail"].is_string());
  const auto refused = [&](json fields) {
    fields["room"] = room.text();
    return a->ask("send", fields)["error"]["code"] == "invalid_request";
  };
  CHECK(refused({{"text", ""}, {"client_id", "a"}}));
  CHECK(refused({{"client_id", "a"}}));
  CHECK(refused({{"text", "x"}}));
  CHECK(refused({{"text", "x"}, {"client_id", std::string(65, 'a')}}));
  CHECK(refused({{"text", "x"}, {"client_id", "a"}, {"surprise", 1}}));
  CHECK(refused({{"text", 7}, {"client_id", "a"}}));
  const auto detail =
      a->ask("send", {{"room", room.text()}, {"text", "x"}, {"client_id", "a"}, {"surprise", 1}})["error"]["detail"].get<std::string>();
  CHECK(detail.find("/surprise") != std::string::npos);
  CHECK(a->ask("sync", {{"room", strange.text()}, {"after", 0}})["error"]["code"] == "not_found");
  CHECK(a->ask("typing", {{"room", strange.text()}})["error"]["code"] == "not_found");
  CHECK(a->ask("presence", {{"state", "asleep"}})["error"]["code"] == "invalid_request");
  CHECK(a->ask("ping")["ok"]["cursor"] == "c1");
  a->say("no json");
  CHECK(a->code == 4000);
}

TEST_CASE("every request has its answer in the form of the contract") {
  World world;
  const auto p = world.user("p");
  const auto room = world.room({p});
  auto a = world.online(p);
  CHECK(a->ask("send", {{"room", room.text()}, {"text", "x"}, {"client_id", "c"}})["ok"]["seq"] == 2);
  CHECK(a->ask("edit", {{"room", room.text()}, {"seq", 2}, {"text", "y"}})["ok"] == json({{"seq", 7}}));
  CHECK(a->ask("delete", {{"room", room.text()}, {"seq", 2}})["ok"] == json::object());
  CHECK(a->ask("react", {{"room", room.text()}, {"seq", 2}, {"emoji", "👍"}})["ok"] == json::object());
  CHECK(a->ask("unreact", {{"room", room.text()}, {"seq", 2}, {"emoji", "👍"}})["ok"] == json::object());
  CHECK(a->ask("read", {{"room", room.text()}, {"seq", 2}})["ok"] == json::object());
  CHECK(a->ask("typing", {{"room", room.text()}})["ok"] == json::object());
  CHECK(a->ask("presence", {{"state", "away"}})["ok"] == json::object());
  const auto page = a->ask("sync", {{"room", room.text()}, {"after", 0}, {"limit", 1}})["ok"];
  CHECK(page["events"].size() == 1);
  CHECK(page["more"] == true);
  CHECK(a->ask("sync", {{"room", room.text()}, {"after", 2}})["ok"] == json({{"events", json::array()}, {"more", false}}));
  CHECK(a->ask("ping")["ok"]["at"].is_string());
}

TEST_CASE("sends follow each other without waiting, and anything else waits for them") {
  World world;
  const auto p = world.user("p");
  const auto room = world.room({p});
  auto a = world.online(p);
  REQUIRE(a->ask("send", {{"room", room.text()}, {"text", "the first"}, {"client_id", "c"}}).contains("ok"));
  world.asked.clear();
  world.hold = true;
  a->say(send(room, 11).dump());
  a->say(send(room, 12).dump());
  a->say(json({{"id", 13}, {"op", "react"}, {"room", room.text()}, {"seq", 2}, {"emoji", "x"}}).dump());
  a->say(send(room, 14).dump());
  CHECK(world.asked == std::vector<std::string>{"send 11", "send 12"});
  CHECK(a->answer(11).is_null());
  world.hold = false;
  world.release();
  CHECK(world.asked == std::vector<std::string>{"send 11", "send 12", "react x", "send 14"});
  CHECK(a->answer(11)["ok"]["seq"] == 3);
  CHECK(a->answer(12)["ok"]["seq"] == 4);
  CHECK(a->answer(13).contains("ok"));
  CHECK(a->answer(14)["ok"]["seq"] == 5);
}

namespace {

/// Chat is in another process. What is said while a first send is under way gathers.
struct ChatElsewhere : World {
  UserId p = user("p"), q = user("q");
  RoomId at = room({p}), other = room({p}), direct = room({p, q}, "direct");
  std::shared_ptr<Client> a;
  using Asked = std::vector<std::string>;

  ChatElsewhere() {
    hub->options.chat_here = false;
    hub->limited = false;
    a = online(p);
    REQUIRE(a->ask("send", {{"room", at.text()}, {"text", "the first"}, {"client_id", "c"}}).contains("ok"));
  }
  void say_text(const RoomId& to, int id, const std::string& text) {
    a->say(json({{"id", id}, {"op", "send"}, {"room", to.text()}, {"text", text}, {"client_id", "c"}}).dump());
  }
  /// What chat is asked after that first one.
  Asked during_the_first(const std::function<void()>& say) {
    asked.clear();
    a->frames.clear();
    hold = true;
    a->say(send(at, 10).dump());
    say();
    CHECK(asked == Asked{"send 10"});
    hold = false;
    release();
    CHECK(a->answer(10).contains("ok"));
    asked.erase(asked.begin());
    return asked;
  }
  std::string error(int id) { return a->answer(id)["error"]["code"].get<std::string>(); }
};

}  // namespace

TEST_CASE("with chat in another process what gathers while a send is under way goes in one call, in its order, and each has its answer") {
  ChatElsewhere world;
  const auto three = world.during_the_first([&] {
    world.a->say(send(world.at, 11).dump());
    world.say_text(world.at, 12, "");
    world.a->say(send(world.at, 13).dump());
  });
  CHECK(three == ChatElsewhere::Asked{"together 3", "send 11", "send ", "send 13"});
  CHECK(world.a->answer(13)["ok"]["seq"] == world.a->answer(11)["ok"]["seq"].get<int>() + 1);
  CHECK(world.error(12) == "invalid_request");
  CHECK(world.a->answer(12)["error"]["detail"] == "/text has 1 to 8000 characters; /text has 1 to 8000 characters");

  // Whatever else there is keeps its place.
  const auto mixed = world.during_the_first([&] {
    world.a->say(send(world.at, 21).dump());
    world.a->say(send(world.at, 22).dump());
    world.a->say(send(world.other, 23).dump());
    world.a->say(json({{"id", 24}, {"op", "react"}, {"room", world.at.text()}, {"seq", 2}, {"emoji", "x"}}).dump());
    world.a->say(send(world.at, 25).dump());
    world.a->say(send(world.at, 26).dump());
  });
  CHECK(mixed == ChatElsewhere::Asked{"together 2", "send 21", "send 22", "send 23", "react x", "together 2", "send 25", "send 26"});
  for (const int id : {21, 22, 23, 24, 25, 26}) CHECK(world.a->answer(id).contains("ok"));

  // At most 64, so that no answer waits for a crowd.
  const auto many = world.during_the_first([&] {
    for (int id = 100; id < 170; ++id) world.a->say(send(world.at, id).dump());
  });
  CHECK(many.front() == "together 64");
  CHECK(many.at(65) == "together 6");
  CHECK(world.a->answer(169).contains("ok"));
  const auto large = world.during_the_first([&] {
    for (int id = 200; id < 204; ++id) world.say_text(world.at, id, std::string(100000, 'x'));
  });
  CHECK(large.front() == "together 2");
}

TEST_CASE("a send for which chat must ask somebody first goes by itself also to another process") {
  ChatElsewhere world;
  const auto asked = world.during_the_first([&] {
    for (const int id : {11, 12}) world.say_text(world.direct, id, "direct");
    for (const int id : {13, 14}) world.say_text(world.at, id, std::string(17, '@'));
  });
  CHECK(asked == ChatElsewhere::Asked{"send direct", "send direct", "send " + std::string(17, '@'), "send " + std::string(17, '@')});
}

TEST_CASE("what got no answer together is sent each by itself: by whoever knows only that, or in another instance's place") {
  ChatElsewhere world;
  const auto three = [&] {
    return world.during_the_first([&] {
      world.a->say(send(world.at, 11).dump());
      world.say_text(world.at, 12, "");
      world.a->say(send(world.at, 13).dump());
    });
  };
  for (const auto code : {Errc::internal, Errc::unavailable}) {
    world.together_fails = Error(code, "not together");
    CHECK(three() == ChatElsewhere::Asked{"together 3", "send 11", "send ", "send 13"});
    CHECK(world.a->answer(11).contains("ok"));
    CHECK(world.error(12) == "invalid_request");
    CHECK(world.a->answer(13).contains("ok"));
  }
  // It may have been sent then: whoever is refused now is not told that it was not.
  for (const auto code : {Errc::outcome_unknown, Errc::timeout}) {
    world.together_fails = Error(code, "lost");
    CHECK(three() == ChatElsewhere::Asked{"together 3", "send 11", "send ", "send 13"});
    CHECK(world.a->answer(11).contains("ok"));
    CHECK(world.error(12) == fault(code).code);
    CHECK(world.a->answer(13).contains("ok"));
  }
}

TEST_CASE("where nobody answers one by itself either, the others are not asked for, and each is told") {
  ChatElsewhere world;
  for (const auto code : {Errc::unavailable, Errc::outcome_unknown}) {
    world.down = false;
    world.together_fails = Error(code, "gone");
    const auto asked = world.during_the_first([&] {
      for (const int id : {11, 12, 13}) world.a->say(send(world.at, id).dump());
      world.down = true;
    });
    CHECK(asked == ChatElsewhere::Asked{"together 3", "send 11"});
    for (const int id : {11, 12, 13}) CHECK(world.error(id) == fault(code).code);
  }
}

TEST_CASE("a connection that ends while its sends go each by itself sends no more") {
  ChatElsewhere world;
  world.together_fails = Error(Errc::unavailable, "not together");
  world.asked.clear();
  world.hold = true;
  for (const int id : {10, 11, 12, 13}) world.a->say(send(world.at, id).dump());
  world.release();
  CHECK(world.asked == ChatElsewhere::Asked{"send 10", "together 3", "send 11"});
  world.a->cut();
  world.hold = false;
  world.release();
  CHECK(world.asked == ChatElsewhere::Asked{"send 10", "together 3", "send 11"});
}

TEST_CASE("a stop ends what is under way, and the log has no error of it") {
  static const loggia::test::FakeClock clock;
  World world;
  const auto p = world.user("p");
  const auto room = world.room({p});
  auto a = world.online(p);
  world.hold = true;
  a->say(send(room, 11).dump());
  REQUIRE(world.hub->tasks.size() > 0);
  const loggia::test::CapturedLog captured(log::Level::info, log::Format::text, clock);
  world.hub->tasks.cancel();
  world.run();
  CHECK(world.hub->tasks.size() == 0);
  CHECK(a->answer(11).contains("error"));
  CHECK(captured.text() == "");
}

TEST_CASE("a send for which chat must ask somebody first is waited for") {
  World world;
  const auto p = world.user("p"), q = world.user("q");
  const auto room = world.room({p}), direct = world.room({p, q}, "direct");
  auto a = world.online(p);
  world.hold = true;
  const auto first = [&](const RoomId& id, const std::string& text) {
    world.asked.clear();
    a->say(json({{"id", 50}, {"op", "send"}, {"room", id.text()}, {"text", text}, {"client_id", "x"}}).dump());
    a->say(json({{"id", 51}, {"op", "send"}, {"room", id.text()}, {"text", "next"}, {"client_id", "y"}}).dump());
    const auto begun = world.asked.size();
    world.release();
    world.release();
    CHECK(world.asked.size() == 2);
    a->frames.clear();
    return begun;
  };
  CHECK(first(room, "the room's first") == 1);
  CHECK(first(room, "another") == 2);
  CHECK(first(room, "hello @somebody") == 2);
  CHECK(first(room, std::string(17, '@')) == 1);
  CHECK(first(direct, "hello") == 1);
  CHECK(first(direct, "hello again") == 1);
}

TEST_CASE("beyond 128 requests in flight the server stops reading") {
  World world;
  world.hub->limited = false;
  const auto p = world.user("p");
  const auto room = world.room({p});
  auto a = world.online(p);
  world.hold = true;
  for (int id = 11; id < 11 + 127; ++id) a->say(send(room, id).dump());
  CHECK(!a->paused);
  a->say(send(room, 500).dump());
  CHECK(a->paused);
  world.hold = false;
  world.release();
  CHECK(!a->paused);
  CHECK(a->answer(500)["ok"]["seq"] == 129);
}

TEST_CASE("requests are limited to 200 at once and 100 a second, and far beyond that the connection ends") {
  World world;
  const auto p = world.user("p");
  auto a = world.online(p);
  int good = 0;
  json refused;
  for (int n = 0; n < 250; ++n) {
    const auto answer = a->ask("ping");
    answer.contains("ok") ? void(++good) : void(refused = answer["error"]);
  }
  CHECK(good == 199);
  CHECK(refused["code"] == "rate_limited");
  CHECK(refused["retry"] == true);
  CHECK(refused["retry_after"] == 1);
  world.advance(1s);
  CHECK(a->ask("ping").contains("ok"));
  for (int n = 0; n < 1200 && a->code == 0; ++n) a->ask("ping");
  CHECK(a->code == 4029);
  world.hub->limited = false;
  auto b = world.online(p);
  for (int n = 0; n < 500; ++n) REQUIRE(b->ask("ping").contains("ok"));
}

TEST_CASE("a connection lives as long as its token, and auth prolongs it") {
  World world;
  world.token_lifetime = 120s;
  const auto p = world.user("p"), q = world.user("q");
  auto a = world.online(p), b = world.online(p);
  world.advance(58s);
  a->pong();
  b->pong();
  CHECK(a->pushed("auth.expiring").empty());
  world.advance(4s);
  REQUIRE(a->pushed("auth.expiring").size() == 1);
  CHECK(a->pushed("auth.expiring")[0]["data"]["expires_at"] == "2026-01-31T12:02:00.000Z");
  CHECK(a->ask("auth", {{"token", p.text() + "/2"}})["error"]["code"] == "forbidden");
  CHECK(a->ask("auth", {{"token", q.text()}})["error"]["code"] == "forbidden");
  CHECK(a->ask("auth", {{"token", "nonsense"}})["error"]["code"] == "unauthenticated");
  CHECK(a->ask("auth", {{"token", p.text() + "/fresh"}})["ok"]["expires_at"] == to_rfc3339(world.now() + 120s));
  for (int n = 0; n < 3; ++n) {
    world.advance(20s);
    if (a->code == 0) a->pong();
    if (b->code == 0) b->pong();
  }
  CHECK(b->code == 4003);
  CHECK(a->code == 0);
}

TEST_CASE("two pings without any sign of life end the connection") {
  World world;
  const auto p = world.user("p");
  auto quiet = world.online(p), alive = world.online(p);
  for (int second = 0; second < 60; ++second) {
    world.advance(1s);
    alive->pong();
  }
  CHECK(quiet->pings == 2);
  CHECK(alive->pings == 2);
  world.advance(20s);
  CHECK(quiet->code == 1001);
  CHECK(alive->code == 0);
}

TEST_CASE("a cursor is not given out before what it stands for has been pushed") {
  World world;
  const auto p = world.user("p");
  auto a = world.online(p);
  world.advance(10s);
  CHECK(a->ask("ping")["ok"]["cursor"] == "c1");
  world.advance(1s);
  CHECK(a->ask("ping")["ok"]["cursor"] == "c1");
  world.advance(5s);
  CHECK(a->ask("ping")["ok"]["cursor"] == "c2");
  auto later = world.online(p);
  CHECK(later->ask("ping")["ok"]["cursor"] == "c1");
}

}  // namespace loggia::realtime::test
