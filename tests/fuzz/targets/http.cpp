// The guard, the head reader and the body reader as the connection drives them, over requests one behind the other.
#include "fuzz/requests.hpp"
#include "fuzz/target.hpp"

namespace loggia::fuzz::http_target {
namespace {

bool same(const Stream& a, const Stream& b) {
  // Of two things that are wrong, what is seen first depends on what has come; that something is wrong does not.
  if ((a.status == 0) != (b.status == 0) || (a.status == 0 && a.left != b.left) || a.messages.size() != b.messages.size()) return false;
  for (std::size_t i = 0; i < a.messages.size(); ++i) {
    const auto &x = a.messages[i], &y = b.messages[i];
    if (x.raw_head != y.raw_head || x.body != y.body || x.head.request.path != y.head.request.path) return false;
  }
  return true;
}

/// How often a lenient reader would see a field: it takes any line end, spaces before the colon and any case.
std::size_t leniently(std::string_view head, std::string_view wanted) {
  std::size_t count = 0;
  while (!head.empty()) {
    auto line = part(head, '\n');
    auto name = line.substr(0, line.find(':'));
    std::string plain;
    for (const char c : name)
      if (static_cast<unsigned char>(c) > ' ') plain += static_cast<char>(c >= 'A' && c <= 'Z' ? c + 32 : c);
    count += plain == wanted;
  }
  return count;
}

void check_head(const Message& message) {
  const auto& head = message.head;
  const auto& request = head.request;
  const auto count = [&](std::string_view name) {
    std::size_t out = 0;
    for (const auto& field : request.headers) out += field.first == name;
    return out;
  };
  require(count("host") == 1, "an accepted request has exactly one Host");
  const auto lengths = count("content-length"), codings = count("transfer-encoding");
  require(lengths + codings <= 1, "an accepted request has one framing");
  require(leniently(message.raw_head, "content-length") == lengths, "a lenient reader sees the same Content-Length");
  require(leniently(message.raw_head, "transfer-encoding") == codings, "a lenient reader sees the same Transfer-Encoding");
  require(leniently(message.raw_head, "host") == 1, "a lenient reader sees the same Host");
  require(head.chunked == (codings == 1), "chunked is what Transfer-Encoding says");
  require(!(head.http_1_0 && (head.chunked || !head.close)), "HTTP/1.0 is neither chunked nor kept alive");
  require(!(head.websocket && head.has_body), "an upgrade has no body");
  if (!head.chunked) require(message.body.size() == head.content_length, "the body is as long as Content-Length says");
  require(request.path == "*" || request.path.starts_with('/'), "a path begins with a slash");
  for (const auto& [name, value] : request.headers) {
    require(http::is_token(name), "a name is a token");
    for (const char c : name) require(!(c >= 'A' && c <= 'Z'), "names are in lower case");
    require(http::is_field_value(value), "a value has no control character");
    require(http::trimmed(value) == value, "a value has no space around it");
  }
}

void check_again(const Message& message) {
  const auto& request = message.head.request;
  std::string text = request.method + ' ' + request.target + (message.head.http_1_0 ? " HTTP/1.0\r\n" : " HTTP/1.1\r\n");
  for (const auto& [name, value] : request.headers) text += name + ": " + value + "\r\n";
  text += "\r\n";
  auto limits = stream_limits();
  limits.header_max *= 2;  // a space behind each colon, where there was none
  const auto again = http::read_head(text, limits);
  require(again.head.has_value(), "what was read and written is read again");
  require(again.head->request.headers == request.headers && again.head->request.path == request.path && again.head->request.query == request.query,
          "what was read and written says the same");
  require(again.head->content_length == message.head.content_length && again.head->chunked == message.head.chunked, "its framing is the same");
}

}  // namespace
}  // namespace loggia::fuzz::http_target

LOGGIA_FUZZ(http) {
  using namespace loggia::fuzz;
  const auto step = choice(input, 64) + 1;
  const auto whole = read_stream(input, input.size());
  for (const auto& message : whole.messages) {
    http_target::check_head(message);
    http_target::check_again(message);
  }
  require(http_target::same(whole, read_stream(input, step)), "requests are the same in whatever pieces they come");
}
