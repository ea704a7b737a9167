#include "http/frame_ends.hpp"
#include <algorithm>

namespace loggia::http {

std::size_t FrameEnds::head_size() const {
  if (have_ < 2) return 2;
  const int length = head_[1] & 0x7F;
  return 2 + (length == 126 ? 2 : length == 127 ? 8 : 0) + ((head_[1] & 0x80) != 0 ? 4 : 0);
}

std::size_t FrameEnds::pass(std::string_view bytes, bool one) {
  std::size_t at = 0;
  while (at < bytes.size()) {
    if (left_ > 0) {
      const auto part = std::min<std::uint64_t>(left_, bytes.size() - at);
      at += part;
      left_ -= part;
    } else {
      head_[have_++] = static_cast<unsigned char>(bytes[at++]);
      if (have_ < head_size()) continue;
      left_ = head_[1] & 0x7F;
      const int digits = left_ == 126 ? 2 : left_ == 127 ? 8 : 0;
      if (digits > 0) left_ = 0;
      for (int i = 0; i < digits; ++i) left_ = left_ << 8 | head_[2 + i];
      closed_ = closed_ || (head_[0] & 0x0F) == 8;
      have_ = 0;
    }
    if (one && between()) break;
  }
  return at;
}

}  // namespace loggia::http
