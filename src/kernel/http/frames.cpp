#include "http/frames.hpp"
#include "loggia/kernel/http.hpp"

namespace loggia {

void append_frame(std::string& out, std::string_view text) {
  out += static_cast<char>(0x81);
  const auto size = text.size();
  if (size < 126) {
    out += static_cast<char>(size);
  } else if (size < 65536) {
    out += static_cast<char>(126);
    out += static_cast<char>(size >> 8);
    out += static_cast<char>(size & 0xFF);
  } else {
    out += static_cast<char>(127);
    for (int shift = 56; shift >= 0; shift -= 8) out += static_cast<char>(static_cast<std::uint64_t>(size) >> shift & 0xFF);
  }
  out += text;
}

std::string frame_text(std::string_view text) {
  std::string out;
  out.reserve(text.size() + 10);
  append_frame(out, text);
  return out;
}

namespace http {

void append_control(std::string& out, Opcode opcode, std::string_view payload) {
  payload = payload.substr(0, 125);
  out += static_cast<char>(0x80 | static_cast<int>(opcode));
  out += static_cast<char>(payload.size());
  out += payload;
}

std::string close_frame(int code, std::string_view reason) {
  std::string payload, out;
  if (code != 1005) {
    payload += static_cast<char>(code >> 8);
    payload += static_cast<char>(code & 0xFF);
    auto cut = reason.substr(0, 123);
    if (cut.size() < reason.size())  // not within a character
      while (!cut.empty() && (static_cast<unsigned char>(reason[cut.size()]) & 0xC0) == 0x80) cut.remove_suffix(1);
    payload += cut;
  }
  append_control(out, Opcode::close, payload);
  return out;
}

FrameView first_frame(std::string_view framed) {
  FrameView out;
  if (framed.size() < 2) return out;
  std::uint64_t size = static_cast<unsigned char>(framed[1]) & 0x7Fu;
  std::size_t head = 2;
  if (size >= 126) {
    const std::size_t digits = size == 126 ? 2 : 8;
    if (framed.size() < head + digits) return out;
    size = 0;
    for (std::size_t i = 0; i < digits; ++i) size = size << 8 | static_cast<unsigned char>(framed[head + i]);
    head += digits;
  }
  if (size > framed.size() - head) return out;
  out.whole = framed.substr(0, head + static_cast<std::size_t>(size));
  out.payload = out.whole.substr(head);
  return out;
}

std::size_t count_frames(std::string_view framed) {
  std::size_t count = 0;
  for (auto frame = first_frame(framed); !frame.whole.empty(); frame = first_frame(framed)) {
    ++count;
    framed.remove_prefix(frame.whole.size());
  }
  return count;
}

}  // namespace http
}  // namespace loggia
