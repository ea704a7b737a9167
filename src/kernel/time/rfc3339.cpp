#include <cstdio>
#include "loggia/kernel/time.hpp"

namespace loggia {
namespace {

/// `count` digits at `at`, or -1.
int digits(std::string_view text, std::size_t at, std::size_t count) {
  int value = 0;
  if (at + count > text.size()) return -1;
  for (std::size_t end = at + count; at < end; ++at) {
    if (text[at] < '0' || text[at] > '9') return -1;
    value = value * 10 + (text[at] - '0');
  }
  return value;
}

void put(char* out, unsigned value, int count) {
  for (int at = count - 1; at >= 0; --at, value /= 10) out[at] = static_cast<char>('0' + value % 10);
}

}  // namespace

std::string to_rfc3339(Time time) {
  using namespace std::chrono;
  const auto day = floor<days>(time);
  const year_month_day date(day);
  const hh_mm_ss clock(time - day);
  std::string out("0000-00-00T00:00:00.000Z");
  put(&out[0], static_cast<unsigned>(static_cast<int>(date.year())), 4);
  put(&out[5], static_cast<unsigned>(date.month()), 2);
  put(&out[8], static_cast<unsigned>(date.day()), 2);
  put(&out[11], static_cast<unsigned>(clock.hours().count()), 2);
  put(&out[14], static_cast<unsigned>(clock.minutes().count()), 2);
  put(&out[17], static_cast<unsigned>(clock.seconds().count()), 2);
  put(&out[20], static_cast<unsigned>(clock.subseconds().count()), 3);
  return out;
}

Result<Time> parse_rfc3339(std::string_view text) {
  using namespace std::chrono;
  const auto bad = [] { return Error(Errc::invalid_request, "is a time such as 2026-01-31T12:00:00.123Z"); };
  const int y = digits(text, 0, 4), mo = digits(text, 5, 2), d = digits(text, 8, 2), h = digits(text, 11, 2), mi = digits(text, 14, 2),
            s = digits(text, 17, 2);
  if (y < 1970 || mo < 0 || d < 0 || h < 0 || h > 23 || mi < 0 || mi > 59 || s < 0 || s > 59) return bad();
  if (text[4] != '-' || text[7] != '-' || (text[10] != 'T' && text[10] != 't') || text[13] != ':' || text[16] != ':') return bad();
  const year_month_day date(year(y), month(static_cast<unsigned>(mo)), day(static_cast<unsigned>(d)));
  if (!date.ok()) return bad();
  std::size_t at = 19;
  int fraction = 0, places = 0;
  if (at < text.size() && text[at] == '.') {
    for (++at; at < text.size() && text[at] >= '0' && text[at] <= '9'; ++at, ++places)
      if (places < 3) fraction = fraction * 10 + (text[at] - '0');
    if (places == 0) return bad();
    for (; places < 3; ++places) fraction *= 10;
  }
  minutes offset(0);
  const auto zone = text.substr(std::min(at, text.size()));
  if (zone.size() == 6 && (zone[0] == '+' || zone[0] == '-') && zone[3] == ':') {
    const int oh = digits(zone, 1, 2), om = digits(zone, 4, 2);
    if (oh < 0 || oh > 23 || om < 0 || om > 59) return bad();
    offset = minutes(oh * 60 + om) * (zone[0] == '-' ? -1 : 1);
  } else if (zone != "Z" && zone != "z") return bad();
  const Time time = Time(sys_days(date)) + hours(h) + minutes(mi) + seconds(s) + milliseconds(fraction) - offset;
  // In UTC it may be another year, and one that is written with four digits no more.
  const Time end(sys_days(year(10000) / 1 / 1));
  if (time < Time() || time >= end) return bad();
  return time;
}

}  // namespace loggia
