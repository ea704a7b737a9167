#include "loggia/kernel/log.hpp"
#include <doctest/doctest.h>
#include <thread>
#include "kernel/fixtures.hpp"
#include "loggia/kernel/json.hpp"
#include "loggia/kernel/json_value.hpp"
#include "support/captured_log.hpp"

using namespace loggia;

namespace {

const testing::StandingClock clock_of_tests;

class Captured : public test::CapturedLog {
 public:
  Captured(log::Level level, log::Format format) : CapturedLog{level, format, clock_of_tests} {}
};

}  // namespace

TEST_CASE("a line of text has time, level, event and fields") {
  const Captured captured(log::Level::info, log::Format::text);
  log::info("message.posted", Field("room", Uuid()), Field("took_ms", 3), Field("first", true));
  log::warn("disk.low", Field("why", "only 5% left"), Field("empty", ""), Field("equals", "a=b"));
  log::error("task.failed", Field("why", "line\nbreak \"x\""));
  CHECK(captured.text() ==
        "2026-01-31T12:00:00.123Z info  message.posted room=00000000-0000-0000-0000-000000000000 took_ms=3 first=true\n"
        "2026-01-31T12:00:00.123Z warn  disk.low why=\"only 5% left\" empty=\"\" equals=\"a=b\"\n"
        "2026-01-31T12:00:00.123Z error task.failed why=\"line\\nbreak \\\"x\\\"\"\n");
}

TEST_CASE("a line of JSON is one object, with the trace of its call") {
  const Captured captured(log::Level::debug, log::Format::json);
  Trace trace;
  trace.id = "0af7651916cd43dd8448eb211c80319c";
  const Context context(trace);
  log::debug(context, "user.registered", Field("name", "Ann \xff"), Field("count", 3), Field("ratio", 0.5), Field("none", 0.0 / 0.0));
  const auto text = captured.text();
  CHECK(text.ends_with("}\n"));
  const auto line = parse_untrusted(text);
  REQUIRE(line.has_value());
  CHECK((*line)["time"] == "2026-01-31T12:00:00.123Z");
  CHECK((*line)["level"] == "debug");
  CHECK((*line)["event"] == "user.registered");
  CHECK((*line)["trace_id"] == trace.id);
  CHECK((*line)["name"] == "Ann \xEF\xBF\xBD");
  CHECK((*line)["count"] == 3);
  CHECK((*line)["ratio"] == 0.5);
  CHECK((*line)["none"].is_string());
}

TEST_CASE("what is below the level is not written") {
  const Captured captured(log::Level::warn, log::Format::text);
  CHECK_FALSE(log::enabled(log::Level::info));
  log::debug("a");
  log::info("b");
  log::warn("c");
  CHECK(captured.text() == "2026-01-31T12:00:00.123Z warn  c\n");
}

TEST_CASE("lines of many threads stay whole") {
  const Captured captured(log::Level::info, log::Format::json);
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([] {
      for (int at = 0; at < 200; ++at) log::info("x", Field("long", std::string(300, 'y')));
    });
  for (auto& thread : threads) thread.join();
  std::istringstream lines(captured.text());
  std::string line;
  int count = 0;
  for (; std::getline(lines, line); ++count) REQUIRE(parse_untrusted(line).has_value());
  CHECK(count == 800);
}

TEST_CASE("when standard error is gone the process goes on") {
  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  const Captured captured(log::Level::info, log::Format::text);
  const int kept = ::dup(2);
  ::dup2(ends[1], 2);
  ::close(ends[0]);
  ::close(ends[1]);
  log::info("nobody.reads");
  ::close(2);
  log::info("closed");
  ::dup2(kept, 2);
  ::close(kept);
  log::info("back");
  CHECK(captured.text() == "2026-01-31T12:00:00.123Z info  back\n");
}
