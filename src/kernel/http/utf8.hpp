#pragma once
// Whether bytes that come bit by bit are UTF-8 (RFC 3629). Pure; used by the frame reader.
#include <cstdint>
#include <string_view>

namespace loggia::http {

class Utf8Checker {
 public:
  /// False as soon as no continuation could make it valid.
  bool take(std::string_view bytes);
  /// At the end: no character is cut off.
  bool complete() const { return pending_ == 0; }
  void reset() { *this = Utf8Checker(); }

 private:
  bool first(unsigned char c);

  std::uint8_t pending_ = 0;               // continuation bytes to come
  std::uint8_t low_ = 0x80, high_ = 0xBF;  // what the next one may be
};

}  // namespace loggia::http
