#include "http/utf8.hpp"
#include <cstring>

namespace loggia::http {

bool Utf8Checker::first(unsigned char c) {
  low_ = 0x80;
  high_ = 0xBF;
  if (c < 0x80) return true;
  if (c < 0xC2 || c > 0xF4) return false;  // a continuation alone, an overlong form, or beyond U+10FFFF
  if (c < 0xE0) {
    pending_ = 1;
  } else if (c < 0xF0) {
    pending_ = 2;
    if (c == 0xE0) low_ = 0xA0;   // overlong
    if (c == 0xED) high_ = 0x9F;  // surrogates
  } else {
    pending_ = 3;
    if (c == 0xF0) low_ = 0x90;
    if (c == 0xF4) high_ = 0x8F;
  }
  return true;
}

bool Utf8Checker::take(std::string_view bytes) {
  std::size_t i = 0;
  while (i < bytes.size()) {
    if (pending_ == 0) {  // eight at a time while it is ASCII
      std::uint64_t word = 0;
      while (i + sizeof word <= bytes.size()) {
        std::memcpy(&word, bytes.data() + i, sizeof word);
        if ((word & 0x8080808080808080u) != 0) break;
        i += sizeof word;
      }
      if (i == bytes.size()) break;
    }
    const auto c = static_cast<unsigned char>(bytes[i++]);
    if (pending_ == 0) {
      if (!first(c)) return false;
      continue;
    }
    if (c < low_ || c > high_) return false;
    low_ = 0x80;
    high_ = 0xBF;
    --pending_;
  }
  return true;
}

}  // namespace loggia::http
