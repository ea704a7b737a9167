#include "http/target.hpp"
#include <algorithm>

namespace loggia::http {
namespace {

constexpr std::size_t parameters_max = 100;

int hex(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

bool control(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }

Error refused(std::string detail) { return Error(Errc::malformed, std::move(detail)); }

Result<std::string> parse_path(std::string_view raw) {
  std::string path = "/";
  std::string_view rest = raw.substr(1);
  while (!rest.empty()) {
    const auto slash = rest.find('/');
    const auto segment = rest.substr(0, slash);
    if (segment.empty()) return refused("The path has an empty segment (//): leave it out.");
    auto text = percent_decoded(segment, false);
    if (!text) return refused("The path has a broken escape: % takes two hex digits.");
    if (*text == "." || *text == "..") return refused("The path has a dot segment: send the path that is meant.");
    if (text->find('/') != std::string::npos || text->find('\\') != std::string::npos)
      return refused("The path has an escaped slash: a segment holds none.");
    if (std::any_of(text->begin(), text->end(), control)) return refused("The path has an escaped control character: leave it out.");
    path += *text;
    if (slash == std::string_view::npos) break;
    path += '/';
    rest.remove_prefix(slash + 1);
  }
  return path;
}

}  // namespace

std::optional<std::string> percent_decoded(std::string_view text, bool plus) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%') {
      const int high = i + 2 < text.size() ? hex(text[i + 1]) : -1;
      const int low = high < 0 ? -1 : hex(text[i + 2]);
      if (low < 0) return std::nullopt;
      out += static_cast<char>(high * 16 + low);
      i += 2;
    } else {
      out += plus && text[i] == '+' ? ' ' : text[i];
    }
  }
  return out;
}

Result<Target> parse_target(std::string_view target) {
  if (target.empty() || target.front() != '/') return refused("The target of a request begins with a slash.");
  for (char c : target) {
    if (control(c) || c == ' ' || static_cast<unsigned char>(c) >= 0x80) return refused("The target has a character that must be percent-encoded.");
    if (c == '#') return refused("The target has a fragment (#): clients keep that for themselves.");
  }
  const auto mark = target.find('?');
  const auto raw = target.substr(0, mark);
  if (raw.find('\\') != std::string_view::npos) return refused("The path has a backslash: use a slash.");
  Target out;
  auto path = parse_path(raw);
  if (!path) return path.error();
  out.path = std::move(*path);
  if (mark == std::string_view::npos) return out;
  auto rest = target.substr(mark + 1);
  while (!rest.empty()) {
    const auto end = rest.find('&');
    const auto pair = rest.substr(0, end);
    rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
    if (pair.empty()) continue;
    const auto equals = pair.find('=');
    auto name = percent_decoded(pair.substr(0, equals), true);
    auto value = percent_decoded(equals == std::string_view::npos ? std::string_view() : pair.substr(equals + 1), true);
    if (!name || !value) return refused("The query has a broken escape: % takes two hex digits.");
    if (out.query.size() == parameters_max) return refused("The query has more than 100 parameters.");
    out.query.emplace_back(std::move(*name), std::move(*value));
  }
  return out;
}

}  // namespace loggia::http
