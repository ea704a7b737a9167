#include <algorithm>
#include "loggia/kernel/context.hpp"

namespace loggia {
namespace {

std::string hex(std::string_view raw) {
  constexpr char digits[] = "0123456789abcdef";
  std::string out(2 * raw.size(), '0');
  auto at = out.begin();
  for (const char c : raw) {
    *at++ = digits[static_cast<unsigned char>(c) >> 4];
    *at++ = digits[static_cast<unsigned char>(c) & 15];
  }
  return out;
}

bool lower_hex(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}
bool zero(std::string_view text) { return text.find_first_not_of('0') == text.npos; }

}  // namespace

Result<Trace> Trace::parse(std::string_view text) {
  const auto bad = [] { return Error(Errc::malformed, "is no traceparent"); };
  // version "-" trace-id "-" parent-id "-" flags; a later version may have more behind.
  if (text.size() < 55 || text[2] != '-' || text[35] != '-' || text[52] != '-') return bad();
  const auto version = text.substr(0, 2), id = text.substr(3, 32), span = text.substr(36, 16), flags = text.substr(53, 2);
  if (!lower_hex(version) || !lower_hex(id) || !lower_hex(span) || !lower_hex(flags) || version == "ff" || zero(id) || zero(span)) return bad();
  if (text.size() > 55 && (version == "00" || text[55] != '-')) return bad();
  Trace trace;
  trace.id = id;
  trace.span = span;
  return trace;
}

Trace new_trace(Random& random) {
  char raw[24];
  random.fill(raw, sizeof raw);
  Trace trace;
  trace.id = hex({raw, 16});
  trace.span = hex({raw + 16, 8});
  return trace;
}

Trace child_of(const Trace& parent, Random& random) {
  char raw[8];
  random.fill(raw, sizeof raw);
  Trace trace;
  trace.id = parent.id;
  trace.span = hex({raw, sizeof raw});
  return trace;
}

}  // namespace loggia
