#include <algorithm>
#include "time_zone.hpp"

namespace loggia::notification {
namespace {

using std::chrono::seconds;
constexpr std::int64_t day_length = 86400;

std::int64_t days_of(int year, int month, int day) {
  const std::chrono::year_month_day date{std::chrono::year(year), std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day))};
  return std::chrono::sys_days(date).time_since_epoch().count();
}
bool leap(int year) { return std::chrono::year(year).is_leap(); }

std::optional<int> number(std::string_view& rest, int max) {
  int out = 0;
  std::size_t used = 0;
  for (; used < rest.size() && used < 4 && rest[used] >= '0' && rest[used] <= '9'; ++used) out = out * 10 + (rest[used] - '0');
  rest.remove_prefix(used);
  if (used == 0 || out > max) return std::nullopt;
  return out;
}
bool skip(std::string_view& rest, char c) {
  if (!rest.starts_with(c)) return false;
  rest.remove_prefix(1);
  return true;
}

/// An abbreviation: letters, or anything in angle brackets.
bool name(std::string_view& rest) {
  if (skip(rest, '<')) {
    const auto end = rest.find('>');
    if (end == rest.npos) return false;
    rest.remove_prefix(end + 1);
    return true;
  }
  const auto letters = std::find_if_not(rest.begin(), rest.end(), [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); });
  const auto size = static_cast<std::size_t>(letters - rest.begin());
  rest.remove_prefix(size);
  return size >= 3;
}

/// [+-]hh[:mm[:ss]]
std::optional<seconds> time_of(std::string_view& rest) {
  const bool minus = skip(rest, '-');
  if (!minus) skip(rest, '+');
  const auto hours = number(rest, 167);
  if (!hours) return std::nullopt;
  seconds out = std::chrono::hours(*hours);
  for (const int unit : {60, 1}) {
    if (!skip(rest, ':')) break;
    const auto part = number(rest, 59);
    if (!part) return std::nullopt;
    out += seconds(*part * unit);
  }
  return minus ? -out : out;
}

}  // namespace

std::int64_t PosixRule::Change::at(int year) const {
  std::int64_t date = 0;
  if (kind == Kind::weekday) {
    const auto first = days_of(year, month, 1);
    const auto weekday = ((first % 7) + 11) % 7;  // 1970-01-01 was a Thursday
    date = first + (day - weekday + 7) % 7 + std::int64_t{week - 1} * 7;
    const auto end = month == 12 ? days_of(year + 1, 1, 1) : days_of(year, month + 1, 1);
    while (date >= end) date -= 7;
  } else {
    date = days_of(year, 1, 1) + day;
    if (kind == Kind::julian) date += leap(year) && day >= 60 ? 0 : -1;
  }
  return date * day_length + time.count();
}

std::optional<PosixRule::Change> PosixRule::parse_change(std::string_view& rest) {
  Change out;
  std::optional<int> part;
  if (skip(rest, 'M')) {
    part = number(rest, 12);
    if (!part || *part < 1 || !skip(rest, '.')) return std::nullopt;
    out.month = *part;
    part = number(rest, 5);
    if (!part || *part < 1 || !skip(rest, '.')) return std::nullopt;
    out.week = *part;
    part = number(rest, 6);
  } else {
    out.kind = skip(rest, 'J') ? Change::Kind::julian : Change::Kind::day;
    part = number(rest, 365);
  }
  if (!part) return std::nullopt;
  out.day = *part;
  if (skip(rest, '/')) {
    const auto time = time_of(rest);
    if (!time) return std::nullopt;
    out.time = *time;
  }
  return out;
}

std::optional<PosixRule> PosixRule::parse(std::string_view rest) {
  PosixRule out;
  if (!name(rest)) return std::nullopt;
  const auto west = time_of(rest);
  if (!west) return std::nullopt;
  out.standard_ = -*west;
  out.summer_ = out.standard_ + std::chrono::hours(1);
  if (rest.empty()) return out;
  if (!name(rest)) return std::nullopt;
  if (!rest.starts_with(',')) {
    const auto summer = time_of(rest);
    if (!summer) return std::nullopt;
    out.summer_ = -*summer;
  }
  if (!skip(rest, ',')) return std::nullopt;
  out.begin_ = parse_change(rest);
  if (!out.begin_ || !skip(rest, ',')) return std::nullopt;
  out.end_ = parse_change(rest);
  if (!out.end_ || !rest.empty()) return std::nullopt;
  return out;
}

seconds PosixRule::offset_at(std::int64_t unix_seconds) const {
  if (!begin_) return standard_;
  const auto local = std::chrono::floor<std::chrono::days>(std::chrono::sys_seconds(seconds(unix_seconds) + standard_));
  const int year = static_cast<int>(std::chrono::year_month_day(local).year());
  // Each change is told in the time that was valid before it.
  const auto begin = begin_->at(year) - standard_.count(), end = end_->at(year) - summer_.count();
  const bool summer = begin < end ? unix_seconds >= begin && unix_seconds < end : unix_seconds >= begin || unix_seconds < end;
  return summer ? summer_ : standard_;
}

}  // namespace loggia::notification
