// The frame reader: the same events in whatever pieces the bytes come, whole messages that are UTF-8 and within the limit, and every
// message that a client frames comes out as it went in.
#include "fuzz/target.hpp"
#include "http/deflate.hpp"
#include "http/frame_reader.hpp"

namespace loggia::fuzz::websocket_target {
namespace {

struct Seen {
  std::vector<std::pair<http::FrameReader::Kind, std::string>> events;
  int code = 0;
  bool operator==(const Seen&) const = default;
};

Seen read(std::string bytes, std::size_t step, std::size_t message_max, http::Deflater* deflater) {
  http::FrameReader reader(message_max);
  if (deflater) reader.inflate_with(*deflater);
  Seen seen;
  for (std::size_t at = 0; at < bytes.size(); at += step) {
    std::span<char> part(bytes.data() + at, std::min(step, bytes.size() - at));
    while (true) {
      const auto event = reader.next(part);
      if (event.kind == http::FrameReader::Kind::more) break;
      seen.events.emplace_back(event.kind, event.payload);
      if (event.kind == http::FrameReader::Kind::error || event.kind == http::FrameReader::Kind::close) {
        seen.code = event.code;
        require(event.code >= 1000 && event.code < 5000, "a close has a code");
        return seen;
      }
      require(event.payload.size() <= message_max, "a message is within the limit");
      if (event.kind != http::FrameReader::Kind::text) continue;
      http::Utf8Checker checker;
      require(checker.take(event.payload) && checker.complete(), "a message is UTF-8");
    }
    require(part.empty(), "`more` means that all was taken");
  }
  return seen;
}

/// One message in frames of `size` bytes, as a client sends it, with a ping between them.
std::string framed(std::string_view text, std::size_t size) {
  std::string out;
  bool first = true;
  do {
    const auto piece = text.substr(0, size);
    text.remove_prefix(piece.size());
    out += static_cast<char>((text.empty() ? 0x80 : 0) | (first ? 1 : 0));
    if (piece.size() < 126) {
      out += static_cast<char>(0x80 | piece.size());
    } else {
      out += static_cast<char>(0x80 | 126);
      out += static_cast<char>(piece.size() >> 8);
      out += static_cast<char>(piece.size());
    }
    const char mask[] = {'\x5a', '\x00', '\x7f', '\xff'};
    out.append(mask, 4);
    for (std::size_t i = 0; i < piece.size(); ++i) out += static_cast<char>(piece[i] ^ mask[i & 3]);
    if (!text.empty()) out.append("\x89\x81\x00\x00\x00\x00p", 7);
    first = false;
  } while (!text.empty());
  return out;
}

}  // namespace
}  // namespace loggia::fuzz::websocket_target

LOGGIA_FUZZ(websocket) {
  using namespace loggia;
  using namespace loggia::fuzz;
  using namespace loggia::fuzz::websocket_target;
  static http::Deflater deflater;
  const auto way = choice(input, 6), step = choice(input, 40) + 1;
  if (way >= 4) {
    http::Utf8Checker checker;
    if (input.size() > 65535 || !checker.take(input) || !checker.complete()) return;
    const auto seen = read(framed(input, way == 4 ? 65535 : step), step, 65535, nullptr);
    require(!seen.events.empty() && seen.events.back().second == input && seen.code == 0, "a message comes out as it went in");
    return;
  }
  auto* const inflater = way & 1 ? &deflater : nullptr;
  const std::size_t message_max = way & 2 ? 300 : 64u << 10;
  const auto whole = read(std::string(input), std::max<std::size_t>(input.size(), 1), message_max, inflater);
  require(whole == read(std::string(input), step, message_max, inflater), "frames are the same in whatever pieces they come");
}
