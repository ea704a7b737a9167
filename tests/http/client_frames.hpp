#pragma once
// Frames as a WebSocket client sends them: masked. For the tests of the reader and of the server.
#include <string>
#include <string_view>

namespace loggia::http {

struct ClientFrame {
  int opcode = 1;
  bool fin = true;
  int reserved = 0;
  bool masked = true;
  int length_bytes = 0;  // 2 or 8: a longer form than needed
};

inline std::string client_frame(std::string_view payload, ClientFrame how = ClientFrame()) {
  static constexpr char mask[] = {0x12, static_cast<char>(0x9A), 0x55, 0x07};
  std::string out;
  out += static_cast<char>((how.fin ? 0x80 : 0) | how.reserved << 4 | how.opcode);
  const int flag = how.masked ? 0x80 : 0;
  int digits = payload.size() < 126 ? 0 : payload.size() < 65536 ? 2 : 8;
  if (how.length_bytes > digits) digits = how.length_bytes;
  out += static_cast<char>(flag | (digits == 0 ? static_cast<int>(payload.size()) : digits == 2 ? 126 : 127));
  for (int i = digits - 1; i >= 0; --i) out += static_cast<char>(static_cast<unsigned long long>(payload.size()) >> (8 * i) & 0xFF);
  if (how.masked) out.append(mask, 4);
  for (std::size_t i = 0; i < payload.size(); ++i) out += how.masked ? static_cast<char>(payload[i] ^ mask[i % 4]) : payload[i];
  return out;
}

inline std::string close_payload(int code, std::string_view reason = {}) {
  std::string out;
  out += static_cast<char>(code >> 8);
  out += static_cast<char>(code & 0xFF);
  return out += reason;
}

}  // namespace loggia::http
