#include <algorithm>
#include <cctype>
#include <charconv>
#include <numeric>
#include "config/settings.hpp"

namespace loggia {
namespace {

/// Edits between two words: insert, drop, change, or swap neighbours (optimal string alignment); `limit` where it is that many or more.
std::size_t distance(std::string_view a, std::string_view b, std::size_t limit = SIZE_MAX) {
  if (std::max(a.size(), b.size()) - std::min(a.size(), b.size()) >= limit) return limit;  // so many are inserted or dropped at least
  std::vector<std::size_t> before(b.size() + 1), last(b.size() + 1), now(b.size() + 1);
  std::iota(last.begin(), last.end(), std::size_t(0));
  for (std::size_t i = 1; i <= a.size(); ++i) {
    now[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      now[j] = std::min({last[j] + 1, now[j - 1] + 1, last[j - 1] + (a[i - 1] != b[j - 1])});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) now[j] = std::min(now[j], before[j - 2] + 1);
    }
    std::swap(before, last);
    std::swap(last, now);
  }
  return std::min(last[b.size()], limit);
}

}  // namespace

Result<milliseconds> parse_duration(std::string_view text) {
  const auto bad = [] { return Error(Errc::invalid_request, "is a duration such as 250ms, 10s, 5m, 24h or 7d"); };
  std::int64_t count = 0;
  const auto* end = text.data() + text.size();
  const auto [rest, problem] = std::from_chars(text.data(), end, count);
  if (problem != std::errc() || count < 0) return bad();
  const std::string_view unit(rest, static_cast<std::size_t>(end - rest));
  const std::int64_t scale = unit == "ms" ? 1 : unit == "s" ? 1000 : unit == "m" ? 60'000 : unit == "h" ? 3'600'000 : unit == "d" ? 86'400'000 : 0;
  // A hundred years is beyond every use, and far from an overflow in any clock's unit.
  if (scale == 0 || count > std::int64_t(36'525) * 86'400'000 / scale) return bad();
  return milliseconds(count * scale);
}

std::string variable_of(std::string_view key) {
  std::string out("LOGGIA_");
  for (const char c : key) out += c == '.' || c == '-' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return out;
}

std::string settings::closest(std::string_view word, const std::vector<std::string>& candidates) {
  std::string best;
  std::size_t least = SIZE_MAX;
  for (const auto& candidate : candidates) {
    const auto edits = distance(word, candidate, least);
    if (edits < least) {
      least = edits;
      best = candidate;
    }
  }
  return best;
}

std::optional<std::string> nearest(std::string_view word, const std::vector<std::string>& candidates) {
  auto best = settings::closest(word, candidates);
  const auto most = std::max<std::size_t>(2, word.size() / 3);
  if (best.empty() || distance(word, best, most + 1) > most) return std::nullopt;
  return best;
}

std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> out;
  while (!text.empty()) {
    const auto end = std::min(text.find(separator), text.size());
    auto item = text.substr(0, end);
    while (item.starts_with(' ')) item.remove_prefix(1);
    while (item.ends_with(' ')) item.remove_suffix(1);
    if (!item.empty()) out.emplace_back(item);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return out;
}

std::string joined(const std::vector<std::string>& items, std::string_view between) {
  std::string out;
  for (const auto& item : items) (out += out.empty() ? std::string_view() : between) += item;
  return out;
}

std::string no_module(const std::string& name, const std::vector<std::string>& modules) {
  const auto near = nearest(name, modules);
  return "there is no module \"" + name + "\"" + (near ? "; did you mean \"" + *near + "\"?" : "") + " The modules are " + joined(modules) + ".";
}

}  // namespace loggia
