#include <doctest/doctest.h>
#include <algorithm>
#include <mutex>
#include <set>
#include <thread>
#include "kernel/fixtures.hpp"
#include "loggia/kernel/ids.hpp"
#include "support/print.hpp"

using namespace loggia;

TEST_CASE("a time is RFC 3339 UTC with milliseconds, and comes back") {
  const std::pair<std::int64_t, const char*> cases[] = {
      {0, "1970-01-01T00:00:00.000Z"},
      {1769860800123, "2026-01-31T12:00:00.123Z"},
      {1709251199999, "2024-02-29T23:59:59.999Z"},
      {253402300799999, "9999-12-31T23:59:59.999Z"},
  };
  for (const auto& [count, text] : cases) {
    CHECK(to_rfc3339(Time(milliseconds(count))) == text);
    CHECK(parse_rfc3339(text).value() == Time(milliseconds(count)));
  }
}

TEST_CASE("other forms of RFC 3339 are read") {
  const std::pair<const char*, const char*> cases[] = {
      {"2026-01-31T12:00:00Z", "2026-01-31T12:00:00.000Z"},      {"2026-01-31t12:00:00z", "2026-01-31T12:00:00.000Z"},
      {"2026-01-31T12:00:00.1Z", "2026-01-31T12:00:00.100Z"},    {"2026-01-31T12:00:00.123456789Z", "2026-01-31T12:00:00.123Z"},
      {"2026-01-31T12:00:00+01:30", "2026-01-31T10:30:00.000Z"}, {"2026-01-31T23:00:00-02:00", "2026-02-01T01:00:00.000Z"},
  };
  for (const auto& [text, expected] : cases) CHECK(to_rfc3339(parse_rfc3339(text).value()) == expected);
}

TEST_CASE("what is no time is refused") {
  for (const char* text :
       {"", "now", "2026-01-31", "2026-01-31T12:00:00", "2026-01-31 12:00:00Z", "2026-02-30T12:00:00Z", "2026-13-01T12:00:00Z",
        "2026-01-31T24:00:00Z", "2026-01-31T12:60:00Z", "2026-01-31T12:00:61Z", "2026-01-31T12:00:00.Z", "2026-01-31T12:00:00+1:00",
        "2026-01-31T12:00:00Zx", "+026-01-31T12:00:00Z", "2026-01-31T12:00:00+25:00", "1970-01-01T00:00:00+00:01", "9999-12-31T23:18:00-18:00"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_rfc3339(text));
  }
}

TEST_CASE("ids are UUIDs of version 7 that ascend, also inside a millisecond and when the clock steps back") {
  testing::StandingClock clock;
  testing::CountingRandom random;
  Ids ids(clock, random);
  auto last = ids.make<Uuid>();
  CHECK(last.text().substr(0, 13) == "019c13ec-9e7b");
  for (int at = 0; at < 10000; ++at) {
    if (at == 5000) clock.time -= std::chrono::hours(1);
    const auto next = ids.make<Uuid>();
    REQUIRE(last < next);
    REQUIRE(last.text() < next.text());
    REQUIRE((next.bytes()[6] >> 4) == 7);
    REQUIRE((next.bytes()[8] >> 6) == 2);
    last = next;
  }
  clock.time += std::chrono::hours(24);
  const auto later = ids.make<Uuid>();
  CHECK(last < later);
  std::uint64_t stamp = 0;
  for (std::size_t at = 0; at < 6; ++at) stamp = stamp << 8 | later.bytes()[at];
  CHECK(stamp == static_cast<std::uint64_t>(clock.time.time_since_epoch().count()));
}

TEST_CASE("ids of many threads are all different") {
  const auto clock = system_clock();
  const auto random = system_random();
  Ids ids(*clock, *random);
  std::mutex mutex;
  std::set<Uuid> all;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&] {
      std::vector<Uuid> mine;
      for (int at = 0; at < 2000; ++at) mine.push_back(ids.make<Uuid>());
      CHECK(std::is_sorted(mine.begin(), mine.end()));
      const std::lock_guard lock(mutex);
      all.insert(mine.begin(), mine.end());
    });
  for (auto& thread : threads) thread.join();
  CHECK(all.size() == 8000);
}

TEST_CASE("an id is read in either case and written in lower case") {
  const auto id = Uuid::parse("0190A5C4-7E1B-7CC2-9D6F-3F1C2B4A5D60");
  REQUIRE(id);
  CHECK(id->text() == "0190a5c4-7e1b-7cc2-9d6f-3f1c2b4a5d60");
  CHECK_FALSE(id->nil());
  CHECK(Uuid().nil());
  CHECK(Uuid().text() == "00000000-0000-0000-0000-000000000000");
  for (const char* text : {"", "0190a5c4", "0190a5c47e1b7cc29d6f3f1c2b4a5d60", "0190a5c4-7e1b-7cc2-9d6f-3f1c2b4a5d6g",
                           "0190a5c4-7e1b-7cc2-9d6f-3f1c2b4a5d600", "{190a5c4-7e1b-7cc2-9d6f-3f1c2b4a5d6}", "0190a5c4a7e1b-7cc2-9d6f-3f1c2b4a5d60"})
    CHECK_FALSE(Uuid::parse(text));
}

TEST_CASE("a secret is URL-safe text of that many bytes, never twice the same") {
  const auto clock = system_clock();
  const auto random = system_random();
  Ids ids(*clock, *random);
  const auto one = ids.secret(32);
  CHECK(one.size() == 43);
  CHECK(one.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") == one.npos);
  CHECK(one != ids.secret(32));
}

TEST_CASE("chance fills any size and stays below its bound") {
  const auto random = system_random();
  std::string large(1000, '\0');
  random->fill(large.data(), large.size());
  CHECK(std::set<char>(large.begin(), large.end()).size() > 50);
  for (int at = 0; at < 1000; ++at) REQUIRE(random->below(7) < 7);
  CHECK(random->below(0) == 0);
  CHECK(random->number() != random->number());
}

TEST_CASE("a trace is read from traceparent as W3C has it") {
  const char* good = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  const auto trace = Trace::parse(good);
  REQUIRE(trace);
  CHECK(trace->id == "0af7651916cd43dd8448eb211c80319c");
  CHECK(trace->span == "b7ad6b7169203331");
  CHECK(trace->parent() == good);
  CHECK(Trace::parse("01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-later"));
  for (const char* text :
       {"", "00", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331", "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "00-00000000000000000000000000000000-b7ad6b7169203331-01", "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
        "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more",
        "00-0af7651916cd43dd8448eb211c80319c_b7ad6b7169203331-01"}) {
    CAPTURE(text);
    CHECK_FALSE(Trace::parse(text));
  }
}

TEST_CASE("a child keeps the trace and has a span of its own") {
  testing::CountingRandom random;
  const auto trace = new_trace(random);
  CHECK(Trace::parse(trace.parent()));
  const auto child = child_of(trace, random);
  CHECK(child.id == trace.id);
  CHECK(child.span != trace.span);
}
