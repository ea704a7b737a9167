#include "config/values.hpp"
#include <algorithm>
#include <charconv>

namespace loggia {
namespace {

std::optional<std::int64_t> whole(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
  return problem == std::errc() && end == text.data() + text.size() && !text.empty() ? std::optional(value) : std::nullopt;
}

bool address(std::string_view text) {
  const auto colon = text.rfind(':');
  if (colon == text.npos || colon == 0) return false;
  const auto port = whole(text.substr(colon + 1));
  const auto host = text.substr(0, colon);
  if (!port || *port < 0 || *port > 65535) return false;
  if (host.front() == '[') return host.back() == ']' && host.size() > 2;
  return host.find(':') == host.npos && std::all_of(host.begin(), host.end(), [](char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '.' || c == '-'; });
}

}  // namespace

Result<milliseconds> parse_duration(std::string_view text) {
  const auto bad = [] { return Error(Errc::invalid_request, "is a duration such as 250ms, 10s, 5m, 24h or 7d"); };
  const auto end = text.find_first_not_of("0123456789");
  if (end == 0 || end == text.npos) return bad();
  const auto count = whole(text.substr(0, end));
  const auto unit = text.substr(end);
  const std::int64_t factor = unit == "ms" ? 1 : unit == "s" ? 1000 : unit == "m" ? 60'000 : unit == "h" ? 3'600'000 : unit == "d" ? 86'400'000 : 0;
  if (!count || factor == 0 || *count > std::int64_t{4'000'000'000'000} / factor) return bad();
  return milliseconds(*count * factor);
}

std::vector<std::string> split_list(std::string_view text) {
  std::vector<std::string> out;
  while (!text.empty()) {
    const auto end = std::min(text.find(','), text.size());
    auto word = text.substr(0, end);
    while (!word.empty() && word.front() == ' ') word.remove_prefix(1);
    while (!word.empty() && word.back() == ' ') word.remove_suffix(1);
    if (!word.empty()) out.emplace_back(word);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return out;
}

std::optional<std::string> check_value(const ConfigKey& key, const std::string& text) {
  switch (key.kind) {
    case ConfigKey::Kind::text: {
      if (key.values.empty()) return std::nullopt;
      std::string allowed(key.values);
      std::replace(allowed.begin(), allowed.end(), '|', ',');
      const auto words = split_list(allowed);
      if (std::find(words.begin(), words.end(), text) != words.end()) return std::nullopt;
      std::string said;
      for (const auto& word : words) said += (said.empty() ? "" : ", ") + word;
      const auto near = nearest(text, words);
      return "is one of " + said + ", not \"" + text + "\"" + (near ? "; did you mean \"" + *near + "\"?" : "");
    }
    case ConfigKey::Kind::flag: return text == "true" || text == "false" ? std::nullopt : std::optional<std::string>("is true or false, not \"" + text + "\"");
    case ConfigKey::Kind::integer: {
      const auto value = whole(text);
      if (value && *value >= key.min && *value <= key.max) return std::nullopt;
      return "is a whole number from " + std::to_string(key.min) + (key.max == INT64_MAX ? " on" : " to " + std::to_string(key.max)) + ", not \"" + text + "\"";
    }
    case ConfigKey::Kind::duration: {
      if (text.empty()) return std::nullopt;
      const auto parsed = parse_duration(text);
      return parsed ? std::nullopt : std::optional<std::string>(parsed.error().detail + ", not \"" + text + "\"");
    }
    case ConfigKey::Kind::bytes: {
      const auto value = whole(text);
      if (value && *value >= std::max<std::int64_t>(0, key.min) && *value <= key.max) return std::nullopt;
      return "is a number of bytes, not \"" + text + "\"";
    }
    case ConfigKey::Kind::address:
      if (text.empty() || address(text)) return std::nullopt;
      return "is ADDRESS:PORT such as 127.0.0.1:8080 or [::1]:8080 (port 0: any free one), not \"" + text + "\"";
    case ConfigKey::Kind::list:
    case ConfigKey::Kind::table: return std::nullopt;
  }
  return std::nullopt;
}

std::optional<std::string> nearest(std::string_view word, const std::vector<std::string>& candidates) {
  std::optional<std::string> best;
  std::size_t best_distance = std::max<std::size_t>(2, word.size() / 2) + 1;
  for (const auto& candidate : candidates) {
    std::vector<std::size_t> row(candidate.size() + 1);
    for (std::size_t at = 0; at < row.size(); ++at) row[at] = at;
    for (std::size_t i = 1; i <= word.size(); ++i) {
      std::size_t diagonal = std::exchange(row[0], i);
      for (std::size_t j = 1; j <= candidate.size(); ++j) {
        const auto changed = diagonal + (word[i - 1] != candidate[j - 1]);
        diagonal = row[j];
        row[j] = std::min({changed, row[j] + 1, row[j - 1] + 1});
      }
    }
    if (row.back() < best_distance) {
      best_distance = row.back();
      best = candidate;
    }
  }
  return best;
}

}  // namespace loggia
