#include "http/deflate.hpp"
#include <zlib.h>
#include <algorithm>
#include <array>
#include <new>
#include <set>
#include "http/frames.hpp"
#include "http/head.hpp"

namespace loggia::http {
namespace {

constexpr std::size_t worthwhile = 128;  // bytes of a message
constexpr std::string_view tail("\x00\x00\xFF\xFF", 4);

/// Takes what is before the next separator off; no value of this extension holds one.
std::string_view next_part(std::string_view& rest, char separator) {
  const auto end = std::min(rest.find(separator), rest.size());
  const auto part = trimmed(rest.substr(0, end));
  rest.remove_prefix(std::min(end + 1, rest.size()));
  return part;
}

/// 8 to 15, also in quotes.
std::optional<int> window_bits(std::string_view value) {
  if (value.size() >= 2 && value.front() == '"' && value.back() == '"') value = value.substr(1, value.size() - 2);
  if (value == "8" || value == "9") return value.front() - '0';
  if (value.size() == 2 && value[0] == '1' && value[1] >= '0' && value[1] <= '5') return 10 + (value[1] - '0');
  return std::nullopt;
}

/// The answer to an offer of which every parameter is known, there once, and can be honoured (RFC 7692, 7.1).
std::optional<std::string> answer_to(std::string_view parameters) {
  std::string out = "permessage-deflate; server_no_context_takeover; client_no_context_takeover";
  std::set<std::string_view> seen;
  while (!parameters.empty()) {
    const auto part = next_part(parameters, ';');
    const auto equals = part.find('=');
    const auto name = trimmed(part.substr(0, equals));
    const bool valued = equals != part.npos;
    const auto bits = valued ? window_bits(trimmed(part.substr(equals + 1))) : std::nullopt;
    if (!seen.insert(name).second) return std::nullopt;
    if (name == "server_no_context_takeover" || name == "client_no_context_takeover") {
      if (valued) return std::nullopt;
    } else if (name == "client_max_window_bits") {
      if (valued && !bits) return std::nullopt;
    } else if (name == "server_max_window_bits") {
      if (bits != 15) return std::nullopt;  // ours is of that size
      out += "; server_max_window_bits=15";
    } else {
      return std::nullopt;
    }
  }
  return out;
}

}  // namespace

std::optional<std::string> accept_deflate(const HttpRequest& request) {
  for (const auto& [name, value] : request.headers) {
    if (name != "sec-websocket-extensions") continue;
    for (std::string_view offers = value; !offers.empty();) {
      auto offer = next_part(offers, ',');
      if (next_part(offer, ';') != "permessage-deflate") continue;
      if (auto answer = answer_to(offer)) return answer;
    }
  }
  return std::nullopt;
}

struct Deflater::Streams {
  z_stream out{}, in{};
  Streams() {
    if (::deflateInit2(&out, Z_BEST_SPEED, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY) != Z_OK) throw std::bad_alloc();
    if (::inflateInit2(&in, -15) == Z_OK) return;
    ::deflateEnd(&out);
    throw std::bad_alloc();
  }
  ~Streams() {
    ::deflateEnd(&out);
    ::inflateEnd(&in);
  }
  Streams(const Streams&) = delete;
  Streams& operator=(const Streams&) = delete;
};

Deflater::Deflater() : streams_{std::make_unique<Streams>()} {}
Deflater::~Deflater() = default;

/// False where it would not be shorter.
bool Deflater::deflate(std::string_view text, std::string& out) {
  auto& stream = streams_->out;
  ::deflateReset(&stream);
  out.resize(::deflateBound(&stream, text.size()) + 16);
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  if (::deflate(&stream, Z_SYNC_FLUSH) != Z_OK || stream.avail_in > 0 || stream.avail_out == 0) return false;
  out.resize(out.size() - stream.avail_out);
  if (!out.ends_with(tail)) return false;
  out.resize(out.size() - tail.size());
  return out.size() < text.size();
}

std::string Deflater::frames(std::string_view framed) {
  std::string out, body;
  while (!framed.empty()) {
    const auto frame = first_frame(framed);
    if (frame.whole.empty()) return out += framed;
    if (frame.payload.size() >= worthwhile && deflate(frame.payload, body)) {
      const auto at = out.size();
      append_frame(out, body);
      out[at] = static_cast<char>(out[at] | 0x40);  // RSV1: compressed
    } else {
      out += frame.whole;
    }
    framed.remove_prefix(frame.whole.size());
  }
  return out;
}

Deflater::State Deflater::inflate(std::string_view payload, std::size_t max, std::string& out) {
  auto& stream = streams_->in;
  ::inflateReset(&stream);
  std::array<char, 16384> piece;
  for (const auto part : {payload, tail}) {
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(part.data()));
    stream.avail_in = static_cast<uInt>(part.size());
    bool full = true;  // the piece was: there may be more
    while (stream.avail_in > 0 || full) {
      stream.next_out = reinterpret_cast<Bytef*>(piece.data());
      stream.avail_out = static_cast<uInt>(piece.size());
      const auto done = ::inflate(&stream, Z_SYNC_FLUSH);
      if (done != Z_OK && done != Z_STREAM_END && done != Z_BUF_ERROR) return State::broken;
      const auto got = piece.size() - stream.avail_out;
      if (got > max - std::min(max, out.size())) return State::too_large;
      out.append(piece.data(), got);
      full = stream.avail_out == 0;
      if (done == Z_STREAM_END) ::inflateReset(&stream);  // a last block does not end a message (RFC 7692, 7.2.3.5)
      else if (done == Z_BUF_ERROR && !full) break;
    }
  }
  constexpr int between_blocks = 128;
  return (stream.data_type & between_blocks) != 0 ? State::ok : State::broken;
}

}  // namespace loggia::http
