// What a WebSocket client may send and what not (RFC 6455), without a socket.
#include "http/frame_reader.hpp"
#include <doctest/doctest.h>
#include <vector>
#include "client_frames.hpp"
#include "http/frames.hpp"
#include "http/utf8.hpp"
#include "loggia/kernel/http.hpp"

namespace loggia::http::of_frame_reader {
namespace {

using Kind = FrameReader::Kind;

struct Seen {
  Kind kind;
  std::string payload;
  int code;
  bool operator==(const Seen&) const = default;
};

/// Fed in pieces of `step` bytes.
std::vector<Seen> read(FrameReader& reader, std::string bytes, std::size_t step) {
  std::vector<Seen> out;
  for (std::size_t at = 0; at < bytes.size(); at += step) {
    std::span<char> part(bytes.data() + at, std::min(step, bytes.size() - at));
    while (true) {
      const auto event = reader.next(part);
      if (event.kind == Kind::more) break;
      out.push_back(Seen{event.kind, std::string(event.payload), event.code});
    }
  }
  return out;
}

/// The same whatever the pieces.
std::vector<Seen> read(const std::string& bytes, std::size_t message_max = 1000) {
  FrameReader whole(message_max);
  auto expected = read(whole, bytes, bytes.size());
  for (std::size_t step : {1, 2, 3, 5, 7, 8, 64}) {
    FrameReader pieces(message_max);
    CHECK(read(pieces, bytes, step) == expected);
  }
  return expected;
}

int refused(const std::string& bytes, std::size_t message_max = 1000) {
  const auto seen = read(bytes, message_max);
  return !seen.empty() && seen.back().kind == Kind::error ? seen.back().code : 0;
}

ClientFrame frame(int opcode, bool fin = true) {
  ClientFrame out;
  out.opcode = opcode;
  out.fin = fin;
  return out;
}

TEST_CASE("a text frame is a message, of every length form") {
  for (std::size_t size : {0, 1, 5, 125, 126, 127, 65535, 65536, 70000}) {
    const std::string text(size, 'x');
    const auto seen = read(client_frame(text), 100000);
    REQUIRE(seen.size() == 1);
    CHECK(seen[0] == Seen{Kind::text, text, 0});
  }
}

TEST_CASE("fragments are one message, with control frames between them") {
  const auto seen = read(client_frame("a\xC3", frame(1, false)) + client_frame("p", frame(9)) + client_frame("\xA4", frame(0, false)) +
                         client_frame("", frame(10)) + client_frame("b", frame(0)) + client_frame("next"));
  REQUIRE(seen.size() == 4);
  CHECK(seen[0] == Seen{Kind::ping, "p", 0});
  CHECK(seen[1] == Seen{Kind::pong, "", 0});
  CHECK(seen[2] == Seen{Kind::text,
                        "a\xC3\xA4"
                        "b",
                        0});
  CHECK(seen[3] == Seen{Kind::text, "next", 0});
}

TEST_CASE("a message may be empty, in fragments too") {
  const auto seen = read(client_frame("", frame(1, false)) + client_frame("", frame(0)) + client_frame(""));
  REQUIRE(seen.size() == 2);
  CHECK(seen[0] == Seen{Kind::text, "", 0});
}

TEST_CASE("between messages the reader holds nothing") {
  FrameReader reader(1000);
  read(reader, client_frame("a", frame(1, false)), 100);
  CHECK(reader.partial());
  read(reader, client_frame("b", frame(0)), 2);
  CHECK_FALSE(reader.partial());
}

TEST_CASE("what the protocol forbids is 1002") {
  ClientFrame unmasked, reserved, longer, longest;
  unmasked.masked = false;
  reserved.reserved = 4;
  longer.length_bytes = 2;
  longest.length_bytes = 8;
  CHECK(refused(client_frame("a", unmasked)) == 1002);
  CHECK(refused(client_frame("a", reserved)) == 1002);
  CHECK(refused(client_frame("a", longer)) == 1002);
  CHECK(refused(client_frame("a", longest)) == 1002);
  for (int opcode : {3, 4, 5, 6, 7, 11, 12, 13, 14, 15}) CHECK(refused(client_frame("", frame(opcode))) == 1002);
  CHECK(refused(client_frame("a", frame(0))) == 1002);
  CHECK(refused(client_frame("a", frame(1, false)) + client_frame("b")) == 1002);
  for (int opcode : {8, 9, 10}) {
    CHECK(refused(client_frame("", frame(opcode, false))) == 1002);
    CHECK(refused(client_frame(std::string(126, 'x'), frame(opcode))) == 1002);
  }
  CHECK(refused(std::string("\x81\xFF\x80\0\0\0\0\0\0\0\1\2\3\4", 14)) == 1002);
}

TEST_CASE("binary is 1003, in the first two bytes") { CHECK(refused(client_frame("a", frame(2))) == 1003); }

TEST_CASE("a message beyond the limit is 1009, by its declared length, alone or in sum") {
  CHECK(refused(client_frame(std::string(10, 'x')), 10) == 0);
  CHECK(refused(client_frame(std::string(11, 'x')), 10) == 1009);
  CHECK(refused(client_frame(std::string(11, 'x')).substr(0, 6), 10) == 1009);
  CHECK(refused(client_frame(std::string(6, 'x'), frame(1, false)) + client_frame(std::string(5, 'x'), frame(0)), 10) == 1009);
  CHECK(refused(std::string("\x81\xFF\x7F\xFF\xFF\xFF\xFF\xFF\xFF\xFF\1\2\3\4", 14)) == 1009);
}

TEST_CASE("what is not UTF-8 is 1007, as soon as it is certain") {
  CHECK(refused(client_frame("\xC3")) == 1007);
  CHECK(refused(client_frame("\xC3", frame(1, false)) + client_frame("x", frame(0))) == 1007);
  CHECK(refused(client_frame("\xED\xA0\x80")) == 1007);
  CHECK(refused(client_frame("\xF4\x90\x80\x80")) == 1007);
  CHECK(refused(client_frame("\xC0\xAF")) == 1007);
  CHECK(refused(client_frame("\x80")) == 1007);
  CHECK(refused(client_frame("\xFF and more to come", frame(1, false))) == 1007);
  CHECK(refused(client_frame("\xF0\x9F\x98\x80 \xE2\x82\xAC \xC3\xA4 \xED\x9F\xBF \xEE\x80\x80 \xF4\x8F\xBF\xBF")) == 0);
}

TEST_CASE("a close frame has no payload, or a code that may be sent and a reason in UTF-8") {
  const auto plain = read(client_frame("", frame(8)) + client_frame("ignored"));
  REQUIRE(plain.size() == 1);
  CHECK(plain[0] == Seen{Kind::close, "", 1005});
  for (int code : {1000, 1001, 1002, 1003, 1007, 1011, 3000, 3999, 4000, 4999}) {
    const auto seen = read(client_frame(close_payload(code, "bye"), frame(8)));
    REQUIRE(seen.size() == 1);
    CHECK(seen[0] == Seen{Kind::close, "bye", code});
  }
  for (int code : {0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535})
    CHECK(refused(client_frame(close_payload(code), frame(8))) == 1002);
  CHECK(refused(client_frame("x", frame(8))) == 1002);
  CHECK(refused(client_frame(close_payload(1000, "\xFF"), frame(8))) == 1007);
}

TEST_CASE("nothing is read after an error") {
  FrameReader reader(1000);
  ClientFrame unmasked;
  unmasked.masked = false;
  CHECK(read(reader, client_frame("a", unmasked) + client_frame("b"), 100).size() == 1);
  CHECK(read(reader, client_frame("c"), 100).empty());
}

TEST_CASE("the server's frames are unmasked and as short as they may be") {
  CHECK(frame_text("hi") == std::string("\x81\x02hi"));
  CHECK(frame_text(std::string(126, 'x')).substr(0, 4) == std::string("\x81\x7E\x00\x7E", 4));
  CHECK(frame_text(std::string(65536, 'x')).substr(0, 10) == std::string("\x81\x7F\0\0\0\0\0\1\0\0", 10));
  std::string many;
  for (std::size_t size : {0, 1, 125, 126, 65535, 65536}) append_frame(many, std::string(size, 'x'));
  CHECK(count_frames(many) == 6);
}

TEST_CASE("a close frame's reason is cut between characters") {
  CHECK(close_frame(1005, "") == std::string("\x88\x00", 2));
  CHECK(close_frame(1000, "ok") == std::string("\x88\x04\x03\xE8ok"));
  std::string reason(122, 'x');
  reason += "\xC3\xA4";
  CHECK(close_frame(1000, reason).size() == 2 + 2 + 122);
}

}  // namespace
}  // namespace loggia::http::of_frame_reader
