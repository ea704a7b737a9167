#pragma once
// Where the frames of a server end in a stream of them that is passed on (RFC 6455, 5.2): between two of them another may be put. Pure.
#include <cstdint>
#include <string_view>

namespace loggia::http {

class FrameEnds {
 public:
  /// Goes over what comes next; with `one`, to the end of the first frame that ends in it. How far it came.
  std::size_t pass(std::string_view bytes, bool one);
  /// Nothing of a frame has passed whose rest has not.
  bool between() const { return left_ == 0 && have_ == 0; }
  /// A close frame has passed, or its beginning.
  bool closed() const { return closed_; }

 private:
  std::size_t head_size() const;
  std::uint64_t left_ = 0;  // of the payload
  std::uint8_t have_ = 0;   // bytes of the head
  unsigned char head_[14] = {};
  bool closed_ = false;
};

}  // namespace loggia::http
