#include "decision.hpp"
#include <doctest/doctest.h>

using namespace loggia::notification;

namespace {

struct Case {
  Occasion occasion;
  Person person;
  Case& direct() {
    occasion.direct = true;
    return *this;
  }
  Case& mentioned() {
    occasion.mentioned = true;
    return *this;
  }
  Case& own() {
    occasion.own = true;
    return *this;
  }
  Case& standard(Level level) {
    person.standard = level;
    person.chosen = true;
    return *this;
  }
  Case& room(Level level) {
    person.room_level = level;
    return *this;
  }
  Case& blocked() {
    person.blocked = true;
    return *this;
  }
  Case& read() {
    person.has_read = true;
    return *this;
  }
  Case& quiet(int from, int to, int minute) {
    person.quiet.emplace().from = from;
    person.quiet->to = to;
    person.minute = minute;
    return *this;
  }
  std::string kind() const { return decide(occasion, person).kind.value_or("no"); }
};
Case when() { return Case(); }

}  // namespace

TEST_CASE("level and message decide first: none, mentions, all; a direct message is always meant") {
  CHECK(when().kind() == "no");
  CHECK(when().mentioned().kind() == "mention");
  CHECK(when().direct().kind() == "direct");
  CHECK(when().direct().mentioned().kind() == "direct");
  CHECK(when().standard(Level::all).kind() == "message");
  CHECK(when().standard(Level::all).mentioned().kind() == "mention");
  CHECK(when().standard(Level::none).mentioned().kind() == "no");
  CHECK(when().standard(Level::none).direct().kind() == "no");
}

TEST_CASE("a room's own level goes before the default, in both directions") {
  CHECK(when().standard(Level::none).room(Level::all).kind() == "message");
  CHECK(when().standard(Level::all).room(Level::mentions).kind() == "no");
  CHECK(when().standard(Level::all).room(Level::none).mentioned().kind() == "no");
}

TEST_CASE("nobody is told of their own message, of somebody blocked, of what they read, in quiet hours") {
  CHECK(when().direct().own().kind() == "no");
  CHECK(when().direct().blocked().kind() == "no");
  CHECK(when().mentioned().read().kind() == "no");
  CHECK(when().mentioned().quiet(22 * 60, 7 * 60, 23 * 60).kind() == "no");
  CHECK(when().mentioned().quiet(22 * 60, 7 * 60, 12 * 60).kind() == "mention");
}

TEST_CASE("quiet hours hold from the first minute to before the last, also over midnight") {
  Quiet night, noon;
  night.from = 22 * 60;
  night.to = 7 * 60;
  noon.from = 12 * 60;
  noon.to = 13 * 60;
  CHECK(night.covers(22 * 60));
  CHECK(night.covers(0));
  CHECK(night.covers(7 * 60 - 1));
  CHECK_FALSE(night.covers(7 * 60));
  CHECK_FALSE(night.covers(22 * 60 - 1));
  CHECK(noon.covers(12 * 60));
  CHECK_FALSE(noon.covers(13 * 60));
  CHECK_FALSE(noon.covers(0));
}

TEST_CASE("the rules are told in the order in which they were asked, up to the one that decided") {
  const auto names = [](const Case& one) {
    std::string out;
    for (const auto& rule : decide(one.occasion, one.person).rules) (out += out.empty() ? "" : " ") += rule.rule;
    return out;
  };
  CHECK(names(when().own()) == "author");
  CHECK(names(when()) == "author level message");
  CHECK(names(when().mentioned().blocked()) == "author level message block");
  CHECK(names(when().mentioned()) == "author level message block reading quiet_hours");
  CHECK(decide(when().mentioned().occasion, when().quiet(1320, 420, 1395).person).rules.back().result ==
        "22:00 to 07:00 in UTC, and it was 23:15 "
        "there: quiet");
}

TEST_CASE("a time of day is HH:MM") {
  CHECK(parse_clock("00:00") == 0);
  CHECK(parse_clock("23:59") == 1439);
  for (const auto* wrong : {"", "24:00", "7:00", "07:60", "07-00", "07:00:00", "ab:cd", " 7:00"}) CHECK_FALSE(parse_clock(wrong));
  CHECK(clock_text(425) == "07:05");
}
