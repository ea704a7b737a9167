#include "loggia/kernel/id.hpp"

namespace loggia {
namespace {

int digit_of(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}
constexpr bool dash_at(std::size_t at) { return at == 8 || at == 13 || at == 18 || at == 23; }

}  // namespace

Result<Bytes16> parse_uuid(std::string_view text) {
  const auto bad = [] { return Error(Errc::invalid_request, "is a UUID, such as 0190a5c4-7e1b-7cc2-9d6f-3f1c2b4a5d60"); };
  if (text.size() != 36) return bad();
  Bytes16 bytes{};
  std::size_t nibble = 0;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (dash_at(at)) {
      if (text[at] != '-') return bad();
      continue;
    }
    const int digit = digit_of(text[at]);
    if (digit < 0) return bad();
    auto& byte = bytes[nibble++ / 2];
    byte = static_cast<std::uint8_t>(byte << 4 | digit);
  }
  return bytes;
}

std::string format_uuid(const Bytes16& bytes) {
  constexpr char digits[] = "0123456789abcdef";
  std::string out(36, '-');
  std::size_t at = 0;
  for (const auto byte : bytes) {
    if (dash_at(at)) ++at;
    out[at++] = digits[byte >> 4];
    out[at++] = digits[byte & 15];
  }
  return out;
}

}  // namespace loggia
