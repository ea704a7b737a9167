#include "http/frame_reader.hpp"
#include <algorithm>
#include <cstring>
#include <utility>
#include "http/deflate.hpp"
#include "loggia/kernel/capacity.hpp"

namespace loggia::http {
namespace {

constexpr std::uint8_t op_continuation = 0, op_text = 1, op_binary = 2, op_close = 8, op_ping = 9, op_pong = 10;
constexpr std::size_t control_max = 125;

bool is_control(std::uint8_t opcode) { return (opcode & 8) != 0; }

/// RFC 6455, 7.4, and the registry of IANA: what a peer may send.
bool may_be_sent(int code) { return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) || (code >= 3000 && code <= 4999); }

}  // namespace

FrameReader::Event FrameReader::fail(int code, std::string_view why) {
  ended_ = true;
  give_back(message_);
  Event event;
  event.kind = Kind::error;
  event.payload = why;
  event.code = code;
  return event;
}

std::size_t FrameReader::header_needed() const {
  if (header_size_ < 2) return 2;
  const auto length = header_[1] & 0x7F;
  return 2u + (length == 126 ? 2u : length == 127 ? 8u : 0u) + ((header_[1] & 0x80) != 0 ? 4u : 0u);
}

/// The header is whole, or its first two bytes are and already wrong.
FrameReader::Event FrameReader::begin() {
  fin_ = (header_[0] & 0x80) != 0;
  opcode_ = header_[0] & 0x0F;
  const unsigned length = header_[1] & 0x7Fu;
  const bool compressed = (header_[0] & 0x40) != 0;
  if ((header_[0] & 0x30) != 0 || (compressed && (!deflater_ || opcode_ != op_text))) return fail(1002, "reserved bits are set");
  if ((header_[1] & 0x80) == 0) return fail(1002, "a client masks its frames");
  if (is_control(opcode_)) {
    if (opcode_ > op_pong) return fail(1002, "unknown control frame");
    if (!fin_) return fail(1002, "a control frame is not fragmented");
    if (length > control_max) return fail(1002, "a control frame has at most 125 bytes");
  } else {
    if (opcode_ > op_binary) return fail(1002, "unknown frame");
    if (opcode_ == op_continuation && !in_message_) return fail(1002, "a continuation without a beginning");
    if (opcode_ != op_continuation && in_message_) return fail(1002, "a message begins within another");
    if (opcode_ == op_binary) return fail(1003, "text messages only");
    if (opcode_ == op_text) compressed_ = compressed;
  }
  if (header_size_ < header_needed()) return Event();
  const std::size_t digits = length == 126 ? 2 : length == 127 ? 8 : 0;
  left_ = length;
  if (digits > 0) {
    left_ = 0;
    for (std::size_t i = 0; i < digits; ++i) left_ = left_ << 8 | header_[2 + i];
    if (left_ >> 63 != 0) return fail(1002, "a length has its top bit set");
    if (left_ < (digits == 2 ? 126u : 65536u)) return fail(1002, "a length is not in its shortest form");
  }
  std::memcpy(mask_.data(), header_.data() + 2 + digits, mask_.size());
  if (!is_control(opcode_) && left_ > message_max_ - std::min(message_max_, message_.size())) return fail(1009, "the message is too large");
  mask_at_ = 0;
  in_payload_ = true;
  if (!is_control(opcode_)) in_message_ = true;
  return Event();
}

void FrameReader::unmask(std::span<char> bytes) {
  std::size_t i = 0;
  for (; i < bytes.size() && mask_at_ != 0; ++i, mask_at_ = (mask_at_ + 1) & 3) bytes[i] = static_cast<char>(bytes[i] ^ mask_[mask_at_]);
  std::uint64_t key = 0, word = 0;
  std::memcpy(&key, mask_.data(), 4);
  key |= key << 32;
  for (; i + sizeof word <= bytes.size(); i += sizeof word) {
    std::memcpy(&word, bytes.data() + i, sizeof word);
    word ^= key;
    std::memcpy(bytes.data() + i, &word, sizeof word);
  }
  for (; i < bytes.size(); ++i, mask_at_ = (mask_at_ + 1) & 3) bytes[i] = static_cast<char>(bytes[i] ^ mask_[mask_at_]);
}

FrameReader::Event FrameReader::finish_control(std::string_view payload) {
  Event event;
  event.payload = payload;
  event.kind = opcode_ == op_ping ? Kind::ping : opcode_ == op_pong ? Kind::pong : Kind::close;
  if (opcode_ != op_close) return event;
  ended_ = true;
  event.code = 1005;
  if (payload.empty()) return event;
  if (payload.size() == 1) return fail(1002, "a close code has two bytes");
  event.code = static_cast<unsigned char>(payload[0]) << 8 | static_cast<unsigned char>(payload[1]);
  event.payload = payload.substr(2);
  Utf8Checker reason;
  if (!may_be_sent(event.code)) return fail(1002, "no such close code");
  if (!reason.take(event.payload) || !reason.complete()) return fail(1007, "the reason is not UTF-8");
  return event;
}

FrameReader::Event FrameReader::finish_compressed(std::string_view rest) {
  if (!message_.empty()) rest = message_ += rest;
  std::string text;
  switch (deflater_->inflate(rest, message_max_, text)) {
    case Deflater::State::ok:
      break;
    case Deflater::State::broken:
      return fail(1007, "the message cannot be decompressed");
    case Deflater::State::too_large:
      return fail(1009, "the message is too large");
  }
  Utf8Checker checker;
  if (!checker.take(text) || !checker.complete()) return fail(1007, "the message is not UTF-8");
  message_ = std::move(text);
  delivered_ = true;
  Event event;
  event.kind = Kind::text;
  event.payload = message_;
  return event;
}

/// The frame's last bytes are there, unmasked.
FrameReader::Event FrameReader::finish(std::span<char> last) {
  in_payload_ = false;
  header_size_ = 0;
  const std::string_view rest(last.data(), last.size());
  if (is_control(opcode_)) {
    if (control_.empty()) return finish_control(rest);
    control_ += rest;
    delivered_ = true;
    return finish_control(control_);
  }
  if (!fin_) {
    message_ += rest;
    return Event();
  }
  in_message_ = false;
  if (compressed_) return finish_compressed(rest);
  if (!utf8_.complete()) return fail(1007, "the message is not UTF-8");
  utf8_.reset();
  Event event;
  event.kind = Kind::text;
  event.payload = rest;
  if (!message_.empty()) {
    message_ += rest;
    event.payload = message_;
    delivered_ = true;
  }
  return event;
}

FrameReader::Event FrameReader::next(std::span<char>& bytes) {
  if (std::exchange(delivered_, false)) {  // an idle connection holds no buffer
    if (!in_message_) give_back(message_);
    give_back(control_);
  }
  while (!ended_) {
    if (!in_payload_) {
      while (header_size_ < header_needed() && !bytes.empty()) {
        header_[header_size_++] = static_cast<unsigned char>(bytes.front());
        bytes = bytes.subspan(1);
        if (header_size_ != 2) continue;
        if (auto event = begin(); event.kind == Kind::error) return event;
      }
      if (header_size_ < header_needed()) return Event();
      if (!in_payload_)
        if (auto event = begin(); event.kind == Kind::error) return event;
      if (left_ > 0 && bytes.empty()) return Event();
    }
    const auto part = bytes.first(std::min<std::uint64_t>(left_, bytes.size()));
    bytes = bytes.subspan(part.size());
    left_ -= part.size();
    unmask(part);
    const std::string_view text(part.data(), part.size());
    if (!is_control(opcode_) && !compressed_ && !utf8_.take(text)) return fail(1007, "the message is not UTF-8");
    if (left_ > 0) {
      (is_control(opcode_) ? control_ : message_) += text;
      return Event();
    }
    if (auto event = finish(part); event.kind != Kind::more) return event;
  }
  bytes = bytes.last(0);
  return Event();
}

}  // namespace loggia::http
