// The parts that know of no connection: frames, the index, the pace.
#include <algorithm>
#include <set>
#include "description.hpp"
#include "frames.hpp"
#include "index.hpp"
#include "loggia/kernel/json_value.hpp"
#include "pace.hpp"
#include "protocol.hpp"
#include "world.hpp"

namespace loggia::realtime::test {
using namespace std::chrono_literals;

TEST_CASE("the head of a timeline frame is found whatever its data holds and in whatever order its members stand") {
  const auto quick = head_of(R"({"ev":"message.created","room":"r","seq":41,"by":"u","at":"t","data":{"seq":7,"text":"\"seq\":9"}})");
  REQUIRE(quick);
  CHECK(quick->ev == "message.created");
  CHECK(quick->seq == 41);
  const auto slow = head_of(R"({"data":{"seq":7},"seq":5,"ev":"pin.added"})");
  REQUIRE(slow);
  CHECK(slow->ev == "pin.added");
  CHECK(slow->seq == 5);
  CHECK(!head_of("nonsense"));
  CHECK(!head_of(R"({"ev":"typing","data":{}})"));
}

TEST_CASE("an error answer says whether the same request may succeed later") {
  Error error(Errc::rate_limited, "slowly");
  error.retry_after = 2;
  CHECK(answer_error(3, error) == R"({"re":3,"error":{"code":"rate_limited","detail":"slowly","retry":true,"retry_after":2}})");
  const auto wrong = json::parse(answer_error(4, wrong_field("/text", "is missing")));
  CHECK(wrong["error"]["retry"] == false);
  CHECK(wrong["error"]["code"] == "invalid_request");
}

TEST_CASE("a request is decoded strictly, and its id is found where anything else is wrong") {
  const auto good = parse_request(R"({"id":5,"op":"read","room":"0197c9a0-0000-7000-8000-000000000001","seq":3})");
  REQUIRE(std::holds_alternative<Request>(good));
  CHECK(std::get<Request>(good).id == 5);
  for (const auto* text : {R"({"id":5,"op":"read"})", R"({"id":5})", R"({"id":5,"op":7})", R"({"id":5,"op":"ping","x":1})"}) {
    const auto refused = parse_request(text);
    REQUIRE(std::holds_alternative<Refusal>(refused));
    CHECK(std::get<Refusal>(refused).id == 5);
  }
  for (const auto* text : {"", "{", "7", "null", R"({"op":"ping"})", R"({"id":1.5,"op":"ping"})", R"({"id":1,"id":2,"op":"ping"})"}) {
    const auto refused = parse_request(text);
    REQUIRE(std::holds_alternative<Refusal>(refused));
    CHECK(!std::get<Refusal>(refused).id);
  }
}

TEST_CASE("every request and every frame of the contract is described") {
  const auto protocol = description();
  std::set<std::string_view> ops, pushes;
  for (const auto& one : protocol.requests) {
    ops.insert(one.op);
    CHECK(json::parse(one.in())["type"] == "object");
    CHECK(json::parse(one.ok())["type"] == "object");
  }
  for (const auto& one : protocol.pushes) {
    pushes.insert(one.ev);
    CHECK(json::parse(one.data())["type"] == "object");
  }
  CHECK(ops ==
        std::set<std::string_view>{"hello", "auth", "send", "edit", "delete", "react", "unreact", "read", "typing", "presence", "sync", "ping"});
  CHECK(pushes == std::set<std::string_view>{"receipt", "typing", "presence", "room.added", "room.removed", "room.reset", "replay.done",
                                             "notification", "auth.expiring", "server.draining"});
  CHECK(json::parse(protocol.requests[0].in())["properties"]["resume"]["properties"]["rooms"]["maxProperties"] == 1000);
}

TEST_CASE("whoever comes and goes, seats and readers know each other") {
  World world;
  Index index;
  std::vector<RoomId> ids;
  for (int n = 0; n < 5; ++n) ids.push_back(world.room({}));
  std::vector<std::unique_ptr<Seat>> seats;
  for (int n = 0; n < 7; ++n) {
    seats.push_back(std::make_unique<Seat>());
    seats.back()->user = world.user("u");
    index.sit(*seats.back());
  }
  std::uint64_t chance = 12345;
  for (int step = 0; step < 500; ++step) {
    chance = chance * 6364136223846793005ull + 1442695040888963407ull;
    auto& seat = *seats[(chance >> 33) % seats.size()];
    auto& room = index.room(ids[(chance >> 40) % ids.size()]);
    if (index.reader(seat, room)) {
      if (!index.leave(seat, room)) index.forget(room.id);
    } else {
      index.enter(seat, room, step, step, Reader::State::live);
    }
    for (const auto& one : seats)
      for (std::size_t at = 0; at < one->places.size(); ++at) {
        const auto& reader = one->places[at].room->readers.at(one->places[at].reader);
        REQUIRE(reader.seat == one.get());
        REQUIRE(reader.place == at);
      }
  }
  for (const auto& seat : seats) {
    while (!seat->places.empty()) {
      auto* room = seat->places.back().room;
      if (!index.leave(*seat, *room)) index.forget(room->id);
    }
    index.stand(*seat);
  }
  CHECK(index.rooms() == 0);
}

TEST_CASE("at most one a second, and the last one wins") {
  World world;
  const auto p = world.user("p"), q = world.user("q");
  Pace<int> pace;
  const Moment start{1h};
  CHECK(pace.offer(p, 1, start) == 1);
  CHECK(!pace.offer(p, 2, start + 10ms));
  CHECK(!pace.offer(p, 3, start + 20ms));
  CHECK(pace.offer(q, 9, start + 20ms) == 9);
  CHECK(pace.next() == start + 1s);
  CHECK(pace.due(start + 500ms).empty());
  const auto due = pace.due(start + 1s);
  REQUIRE(due.size() == 1);
  CHECK(due[0].second == 3);
  CHECK(!pace.next());
  CHECK(!pace.offer(p, 4, start + 1500ms));
  CHECK(pace.due(start + 2s).size() == 1);
  pace.due(start + 5s);
  CHECK(pace.empty());
}

}  // namespace loggia::realtime::test
