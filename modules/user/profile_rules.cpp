#include "profile_rules.hpp"
#include <utf8proc.h>
#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <sstream>

namespace loggia::user {
namespace {

struct Release {
  void operator()(utf8proc_uint8_t* text) const { std::free(text); }
};

const utf8proc_uint8_t* bytes(std::string_view text) { return reinterpret_cast<const utf8proc_uint8_t*>(text.data()); }

/// Empty where `text` is not UTF-8 (and not empty itself).
std::string mapped(std::string_view text, int options) {
  utf8proc_uint8_t* out = nullptr;
  const auto size = utf8proc_map(bytes(text), static_cast<utf8proc_ssize_t>(text.size()), &out, static_cast<utf8proc_option_t>(options));
  const std::unique_ptr<utf8proc_uint8_t, Release> held(out);
  if (size < 0) return std::string();
  return std::string(reinterpret_cast<const char*>(out), static_cast<std::size_t>(size));
}
std::string nfc(std::string_view text) { return mapped(text, UTF8PROC_STABLE | UTF8PROC_COMPOSE); }

struct Point {
  utf8proc_int32_t value = -1;
  std::size_t size = 1;
};
Point point_at(std::string_view text, std::size_t at) {
  Point point;
  const auto used = utf8proc_iterate(bytes(text) + at, static_cast<utf8proc_ssize_t>(text.size() - at), &point.value);
  if (used > 0) point.size = static_cast<std::size_t>(used);
  return point;
}

bool control(utf8proc_int32_t point) { return point < 0x20 || (point >= 0x7F && point < 0xA0) || point == 0x2028 || point == 0x2029; }
/// Marks that turn the direction of what follows (UAX #9), with which a name can pose as another.
bool directs(utf8proc_int32_t point) {
  return point == 0x61C || point == 0x200E || point == 0x200F || (point >= 0x202A && point <= 0x202E) || (point >= 0x2066 && point <= 0x2069);
}
bool blank(utf8proc_int32_t point) { return point == ' ' || utf8proc_category(point) == UTF8PROC_CATEGORY_ZS; }

/// Without blanks at both ends.
std::string trimmed(const std::string& text) {
  std::size_t begin = text.size(), end = 0;
  for (std::size_t at = 0; at < text.size();) {
    const auto point = point_at(text, at);
    if (!blank(point.value)) {
      begin = std::min(begin, at);
      end = at + point.size;
    }
    at += point.size;
  }
  return begin < end ? text.substr(begin, end - begin) : std::string();
}

std::string bounds(std::size_t min, std::size_t max) {
  return (min == 0 ? "has at most " : "has " + std::to_string(min) + " to ") + std::to_string(max) + " characters";
}

bool zone_shape(std::string_view name) {
  if (name.empty() || name.size() > 64 || !((name[0] >= 'A' && name[0] <= 'Z') || (name[0] >= 'a' && name[0] <= 'z'))) return false;
  return std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '/' || c == '_' || c == '-' || c == '+';
  });
}

}  // namespace

Result<std::string> normalised_line(std::string_view text, std::size_t min, std::size_t max, std::string_view pointer) {
  const auto whole = nfc(text);
  if (whole.empty() && !text.empty()) return wrong_field(pointer, "is not valid Unicode");
  auto out = trimmed(whole);
  std::size_t count = 0;
  for (std::size_t at = 0; at < out.size(); ++count) {
    const auto point = point_at(out, at);
    if (point.value < 0) return wrong_field(pointer, "is not valid Unicode");
    if (control(point.value) || directs(point.value)) return wrong_field(pointer, "has no control or direction characters");
    at += point.size;
  }
  if (count < min || count > max) return wrong_field(pointer, bounds(min, max));
  return out;
}

Result<std::string> normalised_lines(std::string_view text, std::size_t max, std::string_view pointer) {
  auto out = nfc(text);
  if (out.empty() && !text.empty()) return wrong_field(pointer, "is not valid Unicode");
  std::size_t count = 0;
  for (std::size_t at = 0; at < out.size(); ++count) {
    const auto point = point_at(out, at);
    if (point.value < 0) return wrong_field(pointer, "is not valid Unicode");
    if (control(point.value) && point.value != '\n' && point.value != '\t')
      return wrong_field(pointer, "has no control characters but line feed and tab");
    at += point.size;
  }
  if (count > max) return wrong_field(pointer, bounds(0, max));
  return out;
}

Result<std::string> normalised_display_name(std::string_view text) { return normalised_line(text, 1, 64, "/display_name"); }

std::string folded(std::string_view text) {
  return mapped(text, UTF8PROC_STABLE | UTF8PROC_COMPOSE | UTF8PROC_COMPAT | UTF8PROC_CASEFOLD | UTF8PROC_IGNORE);
}

bool is_locale(std::string_view text) {
  if (text.empty() || text.size() > 35) return false;
  for (std::size_t part = 0; !text.empty(); ++part) {
    const auto end = std::min(text.find('-'), text.size());
    const auto tag = text.substr(0, end);
    if (tag.size() > 8 || tag.size() < (part == 0 ? 2u : 1u)) return false;
    for (const char c : tag) {
      const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
      if (!letter && (part == 0 || c < '0' || c > '9')) return false;
    }
    if (end == text.size()) return true;
    text.remove_prefix(end + 1);
  }
  return false;  // ends in a hyphen
}

TimeZones TimeZones::of_host() {
  std::ifstream file("/usr/share/zoneinfo/tzdata.zi");
  std::ostringstream text;
  text << file.rdbuf();
  return parse(text.str());
}

TimeZones TimeZones::parse(std::string_view database) {
  TimeZones out;
  const auto word = [](std::string_view& line) {
    const auto found = line.substr(0, line.find(' '));
    line.remove_prefix(std::min(found.size() + 1, line.size()));
    return found;
  };
  while (!database.empty()) {
    auto line = database.substr(0, database.find('\n'));
    database.remove_prefix(std::min(line.size() + 1, database.size()));
    const auto kind = word(line), first = word(line);
    if (kind == "Z") out.names_.emplace(first);            // zone NAME …
    else if (kind == "L") out.names_.emplace(word(line));  // link TARGET NAME
  }
  return out;
}

bool TimeZones::known(std::string_view name) const {
  if (name == "UTC") return true;
  return names_.empty() ? zone_shape(name) : names_.contains(name);
}

}  // namespace loggia::user
