// permessage-deflate (RFC 7692): what is agreed on, and what a message is before and after.
#include "http/deflate.hpp"
#include <doctest/doctest.h>
#include "client_frames.hpp"
#include "http/frame_reader.hpp"
#include "http/frames.hpp"

namespace loggia::http::of_deflate {
namespace {

std::string answer(std::string_view offers) {
  HttpRequest request;
  request.headers.emplace_back("sec-websocket-extensions", std::string(offers));
  return accept_deflate(request).value_or("none");
}

const std::string plain = "permessage-deflate; server_no_context_takeover; client_no_context_takeover";

/// A payload as a client compresses it: what the server's own frame holds.
std::string compressed(const std::string& text) {
  Deflater deflater;
  const auto frame = deflater.frames(frame_text(text));
  REQUIRE((frame.at(0) & 0x40) != 0);
  return std::string(first_frame(frame).payload);
}

std::string repeated(std::size_t count) {
  std::string out;
  for (std::size_t i = 0; i < count; ++i) out += "Grüße an alle, ";
  return out;
}

/// What a reader that takes compressed messages makes of these bytes: the texts, and the code of an error.
std::pair<std::vector<std::string>, int> read(std::string bytes, std::size_t step, std::size_t max = 10000) {
  Deflater deflater;
  FrameReader reader(max);
  reader.inflate_with(deflater);
  std::pair<std::vector<std::string>, int> out;
  for (std::size_t at = 0; at < bytes.size(); at += step) {
    std::span<char> part(bytes.data() + at, std::min(step, bytes.size() - at));
    for (auto event = reader.next(part); event.kind != FrameReader::Kind::more; event = reader.next(part)) {
      if (event.kind == FrameReader::Kind::text) out.first.emplace_back(event.payload);
      if (event.kind == FrameReader::Kind::error) out.second = event.code;
    }
  }
  return out;
}

ClientFrame frame(int opcode, bool fin = true, int reserved = 0) {
  ClientFrame out;
  out.opcode = opcode;
  out.fin = fin;
  out.reserved = reserved;
  return out;
}
constexpr int rsv1 = 4;

}  // namespace

TEST_CASE("the first offer that can be honoured is taken, without context takeover") {
  CHECK(answer("permessage-deflate") == plain);
  CHECK(answer("permessage-deflate; client_max_window_bits") == plain);
  CHECK(answer("permessage-deflate;client_max_window_bits=10 ; server_no_context_takeover") == plain);
  CHECK(answer("permessage-deflate; server_max_window_bits=\"15\"") == plain + "; server_max_window_bits=15");
  CHECK(answer("permessage-deflate; server_max_window_bits=10, permessage-deflate") == plain);
  CHECK(answer("x-other; a=b, permessage-deflate") == plain);
  for (const std::string_view offers :
       {"", "x-other", "permessage-deflate; unknown", "permessage-deflate; server_max_window_bits=9",
        "permessage-deflate; server_no_context_takeover=1", "permessage-deflate; client_max_window_bits=16",
        "permessage-deflate; client_max_window_bits; client_max_window_bits", "permessage-deflate; server_max_window_bits"})
    CHECK_MESSAGE(answer(offers) == "none", offers);
  CHECK_FALSE(accept_deflate(HttpRequest()));
}

TEST_CASE("frames are compressed where that saves something, and nothing else of them changes") {
  Deflater deflater;
  const auto text = repeated(100);
  std::string noise;
  for (unsigned i = 0, x = 7; i < 200; ++i, x = x * 1103515245 + 12345) noise += static_cast<char>(' ' + (x >> 16) % 95);
  auto framed = frame_text("short") + frame_text(text);
  append_control(framed, Opcode::ping, "p");
  const auto out = deflater.frames(framed);
  CHECK(out.starts_with(frame_text("short")));
  CHECK(out.ends_with(std::string("\x89\x01p")));
  CHECK(count_frames(out) == 3);
  CHECK(out.size() < framed.size() / 5);
  CHECK(deflater.frames(out.substr(0, 1)) == out.substr(0, 1));
  // The next one starts anew: the same text is the same bytes.
  CHECK(deflater.frames(framed) == out);
  CHECK(read(client_frame(first_frame(deflater.frames(frame_text(noise))).payload, frame(1, true, rsv1)), 5).first.size() <= 1);
}

TEST_CASE("a compressed message is read in any pieces, in fragments, and beside others") {
  const auto text = repeated(50);
  const auto body = compressed(text);
  auto bytes = client_frame(body, frame(1, true, rsv1)) + client_frame("plain");
  bytes += client_frame(body.substr(0, 7), frame(1, false, rsv1)) + client_frame("beat", frame(9)) + client_frame(body.substr(7), frame(0));
  for (const std::size_t step : {std::size_t(1), std::size_t(3), std::size_t(64), bytes.size()}) {
    const auto seen = read(bytes, step);
    CHECK(seen.second == 0);
    CHECK(seen.first == std::vector<std::string>{text, "plain", text});
  }
  // RFC 7692, 7.2.3: the examples.
  CHECK(read(client_frame("\xF2\x48\xCD\xC9\xC9\x07" + std::string(1, '\0'), frame(1, true, rsv1)), 2).first == std::vector<std::string>{"Hello"});
  CHECK(read(client_frame("\xF3\x48\xCD\xC9\xC9\x07" + std::string(2, '\0'), frame(1, true, rsv1)), 2).first == std::vector<std::string>{"Hello"});
}

TEST_CASE("what cannot be a compressed message ends the connection with its code") {
  const auto body = compressed(repeated(1000));  // 17,000 bytes of some hundred
  CHECK(read(client_frame(body, frame(1, true, rsv1)), 4096).second == 1009);
  CHECK(read(client_frame(body, frame(1, true, rsv1)), 4096, 20000).second == 0);
  CHECK(read(client_frame("\xFF\xFF\xFF\xFF nonsense", frame(1, true, rsv1)), 4096).second == 1007);
  CHECK(read(client_frame(body.substr(0, body.size() / 2), frame(1, true, rsv1)), 4096, 20000).second == 1007);
  CHECK(read(client_frame(compressed(std::string(200, '\xC3')), frame(1, true, rsv1)), 4096).second == 1007);
  CHECK(read(client_frame("p", frame(9, true, rsv1)), 4096).second == 1002);
  CHECK(read(client_frame(body, frame(1, false, rsv1)) + client_frame("x", frame(0, true, rsv1)), 4096).second == 1002);
  CHECK(read(client_frame("x", frame(1, true, 2)), 4096).second == 1002);
  FrameReader reader(1000);  // not agreed on
  auto bytes = client_frame(body, frame(1, true, rsv1));
  std::span<char> rest(bytes);
  CHECK(reader.next(rest).code == 1002);
}

}  // namespace loggia::http::of_deflate
