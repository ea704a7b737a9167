#include "time_zone.hpp"
#include <doctest/doctest.h>

using namespace loggia;
using namespace loggia::notification;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

namespace {

Time at(std::string_view text) { return parse_rfc3339(text).value(); }
seconds offset(std::string_view rule, std::string_view time) {
  const auto parsed = PosixRule::parse(rule);
  REQUIRE(parsed);
  return parsed->offset_at(std::chrono::floor<seconds>(at(time)).time_since_epoch().count());
}

void big_endian(std::string& out, std::int64_t value, int size) {
  for (int shift = (size - 1) * 8; shift >= 0; shift -= 8) out += static_cast<char>(static_cast<std::uint64_t>(value) >> shift);
}
/// A TZif file of version 2: an empty first block, then one transition to +2 h, and a rule behind it.
std::string zone_file(std::int64_t transition, const std::string& rule) {
  const auto header = [](int times, int types) {
    std::string out = "TZif2" + std::string(15, '\0');
    for (const int count : {0, 0, 0, times, types, 4}) big_endian(out, count, 4);
    return out;
  };
  std::string out = header(0, 1) + std::string(6, '\0') + std::string("UTC\0", 4);
  out += header(1, 2);
  big_endian(out, transition, 8);
  out += '\1';
  for (const int offset : {3600, 7200}) {
    big_endian(out, offset, 4);
    out += std::string(2, '\0');
  }
  return out + std::string("CET\0", 4) + '\n' + rule + '\n';
}

}  // namespace

TEST_CASE("a rule of summer time changes at its weekdays, in the time that was valid before") {
  constexpr auto berlin = "CET-1CEST,M3.5.0,M10.5.0/3";
  CHECK(offset(berlin, "2026-01-31T12:00:00.000Z") == hours(1));
  CHECK(offset(berlin, "2026-03-29T00:59:59.000Z") == hours(1));
  CHECK(offset(berlin, "2026-03-29T01:00:00.000Z") == hours(2));
  CHECK(offset(berlin, "2026-10-25T00:59:59.000Z") == hours(2));
  CHECK(offset(berlin, "2026-10-25T01:00:00.000Z") == hours(1));
}

TEST_CASE("south of the equator the year begins in summer time") {
  constexpr auto sydney = "AEST-10AEDT,M10.1.0,M4.1.0/3";
  CHECK(offset(sydney, "2026-01-15T00:00:00.000Z") == hours(11));
  CHECK(offset(sydney, "2026-07-15T00:00:00.000Z") == hours(10));
  CHECK(offset(sydney, "2026-12-15T00:00:00.000Z") == hours(11));
}

TEST_CASE("rules have odd offsets, names in brackets, days of the year, and negative times") {
  CHECK(offset("<+0545>-5:45", "2026-01-01T00:00:00.000Z") == minutes(345));
  CHECK(offset("NST3:30NDT,M3.2.0,M11.1.0", "2026-07-01T00:00:00.000Z") == -minutes(150));
  CHECK(offset("<-02>2<-01>,M3.5.0/-1,M10.5.0/0", "2026-03-29T00:59:59.000Z") == -hours(2));
  CHECK(offset("<-02>2<-01>,M3.5.0/-1,M10.5.0/0", "2026-03-29T01:00:00.000Z") == -hours(1));
  CHECK(offset("AAA0BBB,J60/0,J300/0", "2024-03-01T00:00:00.000Z") == hours(1));
  CHECK(offset("AAA0BBB,J60/0,J300/0", "2026-02-28T23:59:59.000Z") == hours(0));
  CHECK(offset("AAA0BBB,59/0,300/0", "2024-02-29T00:00:00.000Z") == hours(1));
}

TEST_CASE("what is no rule is none") {
  for (const auto* wrong : {"", "CET", "C-1", "CET-1CEST", "CET-1CEST,M13.1.0,M1.1.0", "CET-1CEST,M3.5.0", "CET-1CEST,M3.5.0,M10.5.0/3x", "<CET-1"})
    CHECK_FALSE(PosixRule::parse(wrong));
}

TEST_CASE("a zone file gives the offset of each time: before, from each transition on, and by the rule behind the last") {
  const auto transition = at("2020-01-01T00:00:00.000Z");
  const auto zone = Zone::parse(zone_file(std::chrono::floor<seconds>(transition).time_since_epoch().count(), "CET-1"));
  REQUIRE(zone);
  CHECK(zone->offset_at(at("2019-12-31T23:59:59.999Z")) == hours(1));
  CHECK(zone->offset_at(transition) == hours(1));  // the rule behind the last transition
  const auto without = Zone::parse(zone_file(std::chrono::floor<seconds>(transition).time_since_epoch().count(), ""));
  REQUIRE(without);
  CHECK(without->offset_at(transition) == hours(2));
}

TEST_CASE("a file that is cut off or no zone at all is none") {
  const auto whole = zone_file(0, "CET-1");
  for (std::size_t size = 0; size + 7 < whole.size(); ++size) CHECK_FALSE(Zone::parse(std::string_view(whole).substr(0, size)));
  auto version1 = whole;
  version1[4] = '\0';
  CHECK_FALSE(Zone::parse(version1));
  CHECK_FALSE(Zone::parse(std::string(1000, 'x')));
}

TEST_CASE("a zone that is not known, or a name that leads elsewhere, is UTC") {
  Zones zones("/nowhere/zoneinfo");
  const auto time = at("2026-01-31T23:15:30.000Z");
  for (const auto* name : {"Europe/Berlin", "UTC", "", "../../etc/passwd", "/etc/localtime", "No/Such_Zone"})
    CHECK(zones.minute_of_day(name, time) == 23 * 60 + 15);
}
