#include "http/frame_ends.hpp"
#include <doctest/doctest.h>
#include "client_frames.hpp"
#include "http/frames.hpp"
#include "loggia/kernel/http.hpp"

namespace loggia::http::of_frame_ends {
namespace {

TEST_CASE("the ends of frames are found wherever the stream is cut") {
  const std::string parts[] = {frame_text("a"),        frame_text(""),          frame_text(std::string(125, 'b')), frame_text(std::string(126, 'c')),
                               client_frame("masked"), close_frame(1000, "bye")};
  std::string all;
  for (const auto& part : parts) all += part;
  for (std::size_t step = 1; step <= all.size(); ++step) {
    FrameEnds ends;
    std::string_view rest = all;
    std::vector<std::size_t> found;
    std::size_t at = 0;
    while (!rest.empty()) {
      auto piece = rest.substr(0, step);
      rest.remove_prefix(piece.size());
      while (!piece.empty()) {
        const auto passed = ends.pass(piece, true);
        REQUIRE(passed > 0);
        at += passed;
        piece.remove_prefix(passed);
        if (ends.between()) found.push_back(at);
        else REQUIRE(piece.empty());
      }
    }
    std::vector<std::size_t> expected;
    std::size_t end = 0;
    for (const auto& part : parts) expected.push_back(end += part.size());
    CHECK((found == expected));
    CHECK(ends.closed());
  }
}

TEST_CASE("a long frame is passed over, and only a close frame closes") {
  FrameEnds ends;
  const auto frame = frame_text(std::string(70000, 'x'));
  CHECK(ends.pass(std::string_view(frame).substr(0, 65536), false) == 65536);
  CHECK_FALSE(ends.between());
  CHECK(ends.pass(std::string_view(frame).substr(65536), false) == frame.size() - 65536);
  CHECK(ends.between());
  CHECK_FALSE(ends.closed());
  ends.pass(close_frame(1001, "").substr(0, 2), false);
  CHECK(ends.closed());
  CHECK_FALSE(ends.between());
}

}  // namespace
}  // namespace loggia::http::of_frame_ends
