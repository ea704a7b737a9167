#pragma once
// Control frames as the server sends them; data frames are frame_text() of kernel/http.hpp. Pure.
#include <cstdint>
#include <string>
#include <string_view>

namespace loggia::http {

enum class Opcode : std::uint8_t { close = 8, ping = 9, pong = 10 };
/// At most 125 bytes of payload; the rest is cut off.
void append_control(std::string& out, Opcode opcode, std::string_view payload);
/// Code 1005 stands for none.
std::string close_frame(int code, std::string_view reason);
/// The frame with which these bytes, made by us, begin; empty where none is whole.
struct FrameView {
  std::string_view whole, payload;
};
FrameView first_frame(std::string_view framed);
/// How many frames these bytes, made by us, hold.
std::size_t count_frames(std::string_view framed);

}  // namespace loggia::http
