// A setting becomes a value: one function a kind.
#include <arpa/inet.h>
#include <algorithm>
#include <charconv>
#include "config/settings.hpp"

namespace loggia::settings {
namespace {

using Kind = ConfigKey::Kind;
using Complaint = std::optional<std::string>;

std::optional<std::int64_t> whole_number(std::string_view text) {
  std::int64_t number = 0;
  const auto* end = text.data() + text.size();
  const auto [rest, problem] = std::from_chars(text.data(), end, number);
  if (problem != std::errc() || rest != end) return std::nullopt;
  return number;
}

Complaint text_value(const ConfigKey& key, Entry& entry) {
  if (key.values.empty()) return std::nullopt;
  const auto allowed = split(key.values, '|');
  if (std::find(allowed.begin(), allowed.end(), entry.text) != allowed.end()) return std::nullopt;
  const auto meant = nearest(entry.text, allowed);
  return "is one of " + joined(allowed) + (meant ? "; did you mean \"" + *meant + "\"?" : "");
}

Complaint flag_value(Entry& entry) {
  if (entry.text != "true" && entry.text != "false") return "is true or false";
  entry.flag = entry.text == "true";
  return std::nullopt;
}

Complaint number_value(const ConfigKey& key, Entry& entry) {
  const auto number = whole_number(entry.text);
  std::string what = key.kind == Kind::bytes ? "is a number of bytes" : "is a whole number";
  if (!number) return what;
  if (*number < key.min || *number > key.max)
    return what +
           (key.max == INT64_MAX ? ", at least " + std::to_string(key.min) : " from " + std::to_string(key.min) + " to " + std::to_string(key.max));
  entry.number = *number;
  return std::nullopt;
}

Complaint duration_value(const ConfigKey& key, Entry& entry) {
  if (entry.text == "off" && (key.standard == "off" || key.standard.empty())) {
    entry.number = 0;
    return std::nullopt;
  }
  const auto duration = parse_duration(entry.text);
  if (!duration) return duration.error().detail;
  if (duration->count() < key.min || duration->count() > key.max)
    return "is a duration from " + std::to_string(key.min) + "ms" + (key.max == INT64_MAX ? " on" : " to " + std::to_string(key.max) + "ms");
  entry.number = duration->count();
  return std::nullopt;
}

/// ADDR:PORT with the address in figures, as a listener needs it; IPv6 in brackets.
bool sound_address(std::string_view text) {
  const auto colon = text.rfind(':');
  if (colon == text.npos) return false;
  const auto port = whole_number(text.substr(colon + 1));
  if (!port || *port < 0 || *port > 65535) return false;
  auto host = std::string(text.substr(0, colon));
  unsigned char bytes[16];
  if (host.starts_with('[') && host.ends_with(']') && host.size() > 2)
    return ::inet_pton(AF_INET6, host.substr(1, host.size() - 2).c_str(), bytes) == 1;
  return ::inet_pton(AF_INET, host.c_str(), bytes) == 1;
}

}  // namespace

std::optional<std::string> apply(const Setting& setting, Entry& entry) {
  const auto& key = *setting.key;
  if (key.kind == Kind::table) {
    Entry::Named named;
    named.value = setting.is_list ? joined(setting.list, ",") : setting.text;
    named.origin = setting.origin;
    named.hidden = setting.hidden;
    entry.table[setting.name] = std::move(named);
    entry.origin = setting.origin;
    return std::nullopt;
  }
  if (setting.is_list && key.kind != Kind::list) return "is one value, not a list";
  Entry now;
  now.origin = setting.origin;
  now.text = setting.text;
  Complaint complaint;
  // What has no default may be given as nothing.
  const bool none = now.text.empty() && key.standard.empty();
  if (key.kind == Kind::list) {
    now.list = setting.is_list ? setting.list : split(setting.text);
    now.text = joined(now.list, ",");
  } else if (!none) {
    if (key.kind == Kind::text) complaint = text_value(key, now);
    else if (key.kind == Kind::flag) complaint = flag_value(now);
    else if (key.kind == Kind::duration) complaint = duration_value(key, now);
    else if (key.kind == Kind::address)
      complaint = sound_address(now.text) ? Complaint() : Complaint("is ADDR:PORT, such as 127.0.0.1:8080 or [::1]:8080");
    else complaint = number_value(key, now);
  }
  if (!complaint) entry = std::move(now);
  return complaint;
}

}  // namespace loggia::settings
