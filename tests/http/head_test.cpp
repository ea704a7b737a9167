// The guard before the listener: the 41 raw requests of the smuggling list, and those that came to mind since.
#include "http/head.hpp"
#include <doctest/doctest.h>
#include "http/body.hpp"

namespace loggia::http {
namespace {

/// The status that a whole raw message gets; 0 where it is taken. `left` is what another request would begin with.
struct Outcome {
  int status = 0;
  std::string body, left;
};

Outcome read_head(std::string_view raw) {
  Outcome out;
  const Limits limits;
  while (raw.starts_with("\r\n")) raw.remove_prefix(2);
  HeadScanner scanner;
  const auto state = scanner.scan(raw, limits);
  if (state == HeadScanner::State::refused) {
    out.status = scanner.refusal().status;
    return out;
  }
  if (state == HeadScanner::State::more) {
    out.status = -1;
    return out;
  }
  auto verdict = read_head(raw.substr(0, scanner.size()), limits);
  if (!verdict.head) {
    out.status = verdict.refusal.status;
    return out;
  }
  raw.remove_prefix(scanner.size());
  BodyReader reader(*verdict.head, limits.body_max);
  if (verdict.head->has_body) {
    const auto read = reader.read(raw, out.body);
    if (read == BodyReader::State::refused) out.status = reader.refusal().status;
    if (read == BodyReader::State::more) out.status = -1;
  }
  out.left = raw;
  return out;
}

struct Case {
  std::string name, raw;
  int status;
  std::string body = {};
};

const std::string post = "POST / HTTP/1.1\r\nHost: a\r\n";
const std::string chunked = post + "Transfer-Encoding: chunked\r\n\r\n";

const std::vector<Case> smuggling = {
    {"length and chunked", post + "Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nX", 400},
    {"chunked and length", post + "Transfer-Encoding: chunked\r\nContent-Length: 6\r\n\r\n0\r\n\r\nX", 400},
    {"two lengths that differ", post + "Content-Length: 5\r\nContent-Length: 6\r\n\r\nhelloX", 400},
    {"two lengths alike", post + "Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello", 400},
    {"a list of lengths", post + "Content-Length: 5, 5\r\n\r\nhello", 400},
    {"a length with a sign", post + "Content-Length: +5\r\n\r\nhello", 400},
    {"a length in hexadecimal", post + "Content-Length: 0x5\r\n\r\nhello", 400},
    {"a negative length", post + "Content-Length: -1\r\n\r\nhello", 400},
    {"a length beyond 64 bits", post + "Content-Length: 18446744073709551621\r\n\r\nhello", 400},
    {"an empty length", post + "Content-Length: \r\n\r\nhello", 400},
    {"xchunked", post + "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", 400},
    {"chunked, identity", post + "Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n", 400},
    {"identity and a length", post + "Transfer-Encoding: identity\r\nContent-Length: 5\r\n\r\nhello", 400},
    {"gzip, chunked", post + "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 400},
    {"chunked twice", post + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400},
    {"a tab before chunked", post + "Transfer-Encoding:\tchunked\r\n\r\n0\r\n\r\n", 0},
    {"a vertical tab before chunked",
     post + "Transfer-Encoding: \x0b"
            "chunked\r\n\r\n0\r\n\r\n",
     400},
    {"a space before the colon", post + "Content-Length : 5\r\n\r\nhello", 400},
    {"a folded line", post + "Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n", 400},
    {"lines that end in LF", "POST / HTTP/1.1\nHost: a\nContent-Length: 5\n\nhello", 400},
    {"LF within a field", post + "X: a\nContent-Length: 5\r\n\r\nhello", 400},
    {"CR within a value", post + "X: a\rContent-Length: 5\r\n\r\n", 400},
    {"NUL within a value", post + std::string("X: a\0b\r\n\r\n", 10), 400},
    {"no Host", "GET / HTTP/1.1\r\n\r\n", 400},
    {"two Hosts", "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400},
    {"another host in the target", "GET http://evil/ HTTP/1.1\r\nHost: a\r\n\r\n", 400},
    {"an empty line before", "\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", 0},
    {"HTTP/1.2", "GET / HTTP/1.2\r\nHost: a\r\n\r\n", 505},
    {"HTTP/0.9", "GET /\r\n\r\n", 400},
    {"a chunk size beyond 64 bits", chunked + "FFFFFFFFFFFFFFFFF\r\n", 400},
    {"a negative chunk size", chunked + "-1\r\nx\r\n0\r\n\r\n", 400},
    {"a chunk size with 0x", chunked + "0x5\r\nhello\r\n0\r\n\r\n", 400},
    {"chunks that end in LF", chunked + "5\nhello\n0\n\n", 400},
    {"LF in a chunk extension", chunked + "5;a\nb\r\nhello\r\n0\r\n\r\n", 400},
    {"a chunk longer than its size", chunked + "5\r\nhelloXX0\r\n\r\n", 400},
    {"a trailer with a length", chunked + "0\r\nContent-Length: 5\r\n\r\n", 400},
    {"chunked in HTTP/1.0", "GET / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400},
    {"a byte beyond ASCII in a name", post + "X\xff: a\r\n\r\n", 400},
    {"CR CR LF at the end", "GET / HTTP/1.1\r\nHost: a\r\r\n\r\n", 400},
    {"a space in the target", "GET /a b HTTP/1.1\r\nHost: a\r\n\r\n", 400},
    {"a method in lower case is the router's matter", "get / HTTP/1.1\r\nHost: a\r\n\r\n", 0},
};

const std::vector<Case> more = {
    {"a plain request", "GET /a?b=c HTTP/1.1\r\nHost: a\r\n\r\n", 0},
    {"a body by length", post + "Content-Length: 5\r\n\r\nhello", 0, "hello"},
    {"a chunked body", chunked + "5\r\nhello\r\n7; x=\"y\"\r\n there!\r\n0\r\n\r\n", 0, "hello there!"},
    {"Chunked in other case", post + "transfer-encoding: Chunked\r\n\r\n0\r\n\r\n", 0},
    {"an empty Transfer-Encoding", post + "Transfer-Encoding: \r\n\r\n", 400},
    {"quoted chunked", post + "Transfer-Encoding: \"chunked\"\r\n\r\n0\r\n\r\n", 400},
    {"chunked;q=1", post + "Transfer-Encoding: chunked;q=1\r\n\r\n0\r\n\r\n", 400},
    {"any trailer", chunked + "0\r\nX: y\r\n\r\n", 400},
    {"a chunk size without digits", chunked + ";x\r\n\r\n", 400},
    {"a chunk size with a space behind", chunked + "0 \r\n\r\n", 400},
    {"chunk extensions of every kind", chunked + "1 ; a;b = c ; d=\"e;\\\"f\" ;g\r\nx\r\n0\r\n\r\n", 0, "x"},
    {"a quote in a chunk extension that is not closed", chunked + "1;a=\"b\r\nx\r\n0\r\n\r\n", 400},
    {"a quote that an escape keeps open", chunked + "1;a=\"b\\\"\r\nx\r\n0\r\n\r\n", 400},
    {"a quote where a name should be", chunked + "1;\"a\"\r\nx\r\n0\r\n\r\n", 400},
    {"a chunk extension without a name", chunked + "1;\r\nx\r\n0\r\n\r\n", 400},
    {"a chunk extension without a value", chunked + "1;a=\r\nx\r\n0\r\n\r\n", 400},
    {"something behind a quote", chunked + "1;a=\"b\"c\r\nx\r\n0\r\n\r\n", 400},
    {"a chunk size beyond the limit", chunked + "FFFFFFFFFFFFFFFF\r\n", 413},
    {"a length beyond the limit", post + "Content-Length: 1048577\r\n\r\n", 413},
    {"a length with leading spaces only", post + "Content-Length:   5  \r\n\r\nhello", 0, "hello"},
    {"an upgrade with a body", post + "Connection: upgrade\r\nUpgrade: websocket\r\nContent-Length: 1\r\n\r\nx", 400},
    {"HTTP/1.0 keep-alive", "GET / HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n\r\n", 400},
    {"HTTP/1.0", "GET / HTTP/1.0\r\nHost: a\r\n\r\n", 0},
    {"HTTP/2.0", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505},
    {"HTTP/1.10", "GET / HTTP/1.10\r\nHost: a\r\n\r\n", 400},
    {"http/1.1", "GET / http/1.1\r\nHost: a\r\n\r\n", 400},
    {"the same host in the target", "GET http://A:80/x HTTP/1.1\r\nHost: a:80\r\n\r\n", 0},
    {"a user in the target", "GET http://u@a/ HTTP/1.1\r\nHost: a\r\n\r\n", 400},
    {"another scheme", "GET ftp://a/ HTTP/1.1\r\nHost: a\r\n\r\n", 400},
    {"a fragment", "GET /a#b HTTP/1.1\r\nHost: a\r\n\r\n", 400},
    {"a control character in the target", "GET /a\x01 HTTP/1.1\r\nHost: a\r\n\r\n", 400},
    {"two spaces", "GET  / HTTP/1.1\r\nHost: a\r\n\r\n", 400},
    {"a tab in the request line", "GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n", 400},
    {"an empty Host", "GET / HTTP/1.1\r\nHost:\r\n\r\n", 400},
    {"a Host with a path", "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", 400},
    {"two Hosts in one", "GET / HTTP/1.1\r\nHost: a, b\r\n\r\n", 400},
    {"a line without a colon", post + "nothing\r\n\r\n", 400},
    {"an empty name", post + ": a\r\n\r\n", 400},
    {"a folded first field", "GET / HTTP/1.1\r\n Host: a\r\n\r\n", 400},
    {"CONNECT", "CONNECT a:80 HTTP/1.1\r\nHost: a:80\r\n\r\n", 501},
    {"OPTIONS *", "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", 0},
    {"GET *", "GET * HTTP/1.1\r\nHost: a\r\n\r\n", 400},
    {"another expectation", post + "Expect: 200-ok\r\nContent-Length: 1\r\n\r\nx", 417},
    {"a TLS greeting", std::string("\x16\x03\x01\x02\x00\x01", 6), 400},
    {"a bad Host with brackets is read", "GET / HTTP/1.1\r\nHost: [::1]:8080\r\n\r\n", 0},
};

TEST_CASE("the 41 requests of the smuggling list are refused, or read in the one way") {
  CHECK(smuggling.size() == 41);
  for (const auto& one : smuggling) {
    CAPTURE(one.name);
    const auto outcome = read_head(one.raw);
    CHECK(outcome.status == one.status);
    if (one.status == 0) CHECK(outcome.left.empty());
  }
}

TEST_CASE("what is doubtful is refused with a status of its own, the rest is read") {
  for (const auto& one : more) {
    CAPTURE(one.name);
    const auto outcome = read_head(one.raw);
    CHECK(outcome.status == one.status);
    if (one.status == 0) CHECK(outcome.body == one.body);
  }
}

TEST_CASE("a head is the same whatever the pieces in which it comes") {
  for (const auto* table : {&smuggling, &more}) {
    for (const auto& one : *table) {
      CAPTURE(one.name);
      const Limits limits;
      HeadScanner whole, pieces;
      const auto expected = whole.scan(one.raw, limits);
      auto state = HeadScanner::State::more;
      for (std::size_t size = 1; size <= one.raw.size() && state == HeadScanner::State::more; ++size)
        state = pieces.scan(std::string_view(one.raw).substr(0, size), limits);
      CHECK(state == expected);
      CHECK(pieces.size() == whole.size());
    }
  }
}

TEST_CASE("a body is the same whatever the pieces in which it comes, and takes nothing of the next request") {
  const std::string raw = "5;a=b\r\nhello\r\n1\r\n!\r\n0\r\n\r\nGET / HTTP/1.1";
  for (std::size_t step = 1; step < raw.size(); ++step) {
    Head head;
    head.chunked = head.has_body = true;
    BodyReader reader(head, 100);
    std::string body;
    std::size_t at = 0;
    auto state = BodyReader::State::more;
    while (state == BodyReader::State::more && at < raw.size()) {
      auto part = std::string_view(raw).substr(at, step);
      const auto before = part.size();
      state = reader.read(part, body);
      at += before - part.size();
    }
    CHECK(state == BodyReader::State::complete);
    CHECK(body == "hello!");
    CHECK(raw.substr(at) == "GET / HTTP/1.1");
  }
}

TEST_CASE("chunks are bounded in sum, in the length of a line and in their extensions") {
  Head head;
  head.chunked = head.has_body = true;
  std::string body;
  SUBCASE("sum") {
    BodyReader reader(head, 8);
    std::string_view raw = "5\r\nhello\r\n4\r\n";
    CHECK(reader.read(raw, body) == BodyReader::State::refused);
    CHECK(reader.refusal().status == 413);
  }
  SUBCASE("line") {
    BodyReader reader(head, 8);
    const std::string text = "1;" + std::string(300, 'x');
    std::string_view raw = text;
    CHECK(reader.read(raw, body) == BodyReader::State::refused);
  }
  SUBCASE("extensions") {
    BodyReader reader(head, 100000);
    std::string text;
    for (int i = 0; i < 100; ++i) text += "1;" + std::string(100, 'x') + "\r\ny\r\n";
    std::string_view raw = text;
    CHECK(reader.read(raw, body) == BodyReader::State::refused);
  }
}

TEST_CASE("a long target is 414, a long head 431, too many fields 431") {
  CHECK(read_head("GET /" + std::string(9000, 'a') + " HTTP/1.1\r\nHost: a\r\n\r\n").status == 414);
  CHECK(read_head("GET /" + std::string(9000, 'a')).status == 414);
  CHECK(read_head("GET /" + std::string(9000, 'a') + " HTTP/1.1\r\nHost: a\r\n").status == 414);  // at once, as when it comes in pieces
  CHECK(read_head("GET / HTTP/1.1\r\nHost: a\r\nX: " + std::string(17000, 'a')).status == 431);
  std::string many = "GET / HTTP/1.1\r\nHost: a\r\n";
  for (int i = 0; i < 101; ++i) many += "x: y\r\n";
  CHECK(read_head(many + "\r\n").status == 431);
}

TEST_CASE("names of fields are in lower case, values without the spaces around them, and Connection is a list") {
  const auto verdict = read_head("GET /x HTTP/1.1\r\nHOST: a\r\nX-Y:  z w\t\r\nConnection: foo, Close\r\n\r\n", Limits());
  REQUIRE(verdict.head);
  CHECK(verdict.head->request.header("host") == "a");
  CHECK(verdict.head->request.header("x-y") == "z w");
  CHECK_FALSE(verdict.head->request.has("X-Y"));
  CHECK(verdict.head->close);
}

TEST_CASE("a WebSocket is asked for with GET, Connection and Upgrade") {
  const std::string_view rest = "Host: a\r\nConnection: keep-alive, Upgrade\r\nUpgrade: WebSocket\r\n\r\n";
  CHECK(read_head("GET / HTTP/1.1\r\n" + std::string(rest), Limits()).head->websocket);
  CHECK_FALSE(read_head("POST / HTTP/1.1\r\n" + std::string(rest), Limits()).head->websocket);
  CHECK_FALSE(read_head("GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n\r\n", Limits()).head->websocket);
}

}  // namespace
}  // namespace loggia::http
