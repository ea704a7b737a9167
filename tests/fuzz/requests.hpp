#pragma once
// Requests one behind the other, read as HttpConnection reads them: for the two targets of HTTP.
#include <algorithm>
#include <string>
#include <string_view>
#include <vector>
#include "http/body.hpp"
#include "http/head.hpp"

namespace loggia::fuzz {

struct Message {
  http::Head head;
  std::string raw_head, body;
  std::size_t end = 0;  // in the input, behind its last byte
};
struct Stream {
  std::vector<Message> messages;
  int status = 0;  // what the first refused one got
  std::string left;
};

/// Small, so that short inputs reach them.
inline http::Limits stream_limits() {
  http::Limits limits;
  limits.header_max = 2048;
  limits.target_max = 256;
  limits.body_max = 1024;
  limits.fields_max = 16;
  return limits;
}

/// `step`: how many bytes come at a time.
inline Stream read_stream(std::string_view input, std::size_t step) {
  const auto limits = stream_limits();
  Stream out;
  std::size_t at = 0, there = 0;
  const auto more = [&] {
    if (there == input.size()) return false;
    there += std::min(std::max<std::size_t>(step, 1), input.size() - there);
    return true;
  };
  const auto bytes = [&] { return input.substr(at, there - at); };
  while (out.messages.size() < 16) {
    int blank = 0;
    while (bytes().starts_with("\r\n") || bytes() == "\r" || bytes().empty()) {
      if (!bytes().starts_with("\r\n")) {
        if (!more()) return out;
        continue;
      }
      if (++blank > 2) return out.status = 400, out;
      at += 2;
    }
    http::HeadScanner scanner;
    auto state = scanner.scan(bytes(), limits);
    while (state == http::HeadScanner::State::more) {
      if (!more()) return out;
      state = scanner.scan(bytes(), limits);
    }
    if (state == http::HeadScanner::State::refused) return out.status = scanner.refusal().status, out;
    Message message;
    message.raw_head = bytes().substr(0, scanner.size());
    auto verdict = http::read_head(message.raw_head, limits);
    if (!verdict.head) return out.status = verdict.refusal.status, out;
    message.head = std::move(*verdict.head);
    at += scanner.size();
    http::BodyReader body(message.head, limits.body_max);
    while (message.head.has_body) {
      auto in = bytes();
      const auto before = in.size();
      const auto read = body.read(in, message.body);
      at += before - in.size();
      if (read == http::BodyReader::State::complete) break;
      if (read == http::BodyReader::State::refused) return out.status = body.refusal().status, out;
      if (!more()) return out;
    }
    message.end = at;
    const bool last = message.head.close || message.head.websocket;
    out.messages.push_back(std::move(message));
    if (last) break;
  }
  out.left = input.substr(at);
  return out;
}

}  // namespace loggia::fuzz
