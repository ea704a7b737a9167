#pragma once
// What a WebSocket client sends, taken apart (RFC 6455, 5): a state machine without a socket. Fed bytes in any pieces, it yields whole
// text messages and control frames, or the close code with which the connection must end. Used by the WebSocket; one thread.
#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include "http/utf8.hpp"

namespace loggia::http {

class Deflater;

class FrameReader {
 public:
  enum class Kind {
    more,  // nothing whole is left in the bytes
    text,  // `payload` is a message
    ping,  // `payload` is to be sent back
    pong,
    close,  // `code` and `payload` as the peer sent them; 1005 without a code. Nothing is read after it
    error,  // `code` is the one to close with, `payload` says why. Nothing is read after it
  };
  struct Event {
    Kind kind = Kind::more;
    std::string_view payload;  // valid until the next call, and as long as the bytes
    int code = 0;
  };
  explicit FrameReader(std::size_t message_max) : message_max_{message_max} {}

  /// Takes from the front of `bytes`, which it unmasks in place. Call until it says `more`.
  Event next(std::span<char>& bytes);
  void set_message_max(std::size_t bytes) { message_max_ = bytes; }
  /// permessage-deflate was agreed on. `deflater` outlives the reader.
  void inflate_with(Deflater& deflater) { deflater_ = &deflater; }
  /// In the middle of a frame or message.
  bool partial() const { return header_size_ > 0 || in_payload_ || in_message_; }

 private:
  Event fail(int code, std::string_view why);
  Event begin();
  Event finish(std::span<char> last);
  Event finish_control(std::string_view payload);
  Event finish_compressed(std::string_view rest);
  std::size_t header_needed() const;
  void unmask(std::span<char> bytes);

  std::size_t message_max_;
  std::string message_;  // of fragments, or of a frame that came in pieces; empty otherwise
  std::string control_;  // a control frame that came in pieces
  std::uint64_t left_ = 0;
  std::array<unsigned char, 14> header_{};
  std::array<char, 4> mask_{};
  std::uint8_t header_size_ = 0, mask_at_ = 0, opcode_ = 0;
  bool fin_ = false, in_payload_ = false, in_message_ = false, ended_ = false, delivered_ = false;
  bool compressed_ = false;  // the message that is being read
  Deflater* deflater_ = nullptr;
  Utf8Checker utf8_;
};

}  // namespace loggia::http
