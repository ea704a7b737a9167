// Targets taken apart, and problem documents.
#include "http/target.hpp"
#include <doctest/doctest.h>
#include "http/response.hpp"
#include "loggia/kernel/json.hpp"
#include "loggia/kernel/json_value.hpp"

namespace loggia::http {
namespace {

TEST_CASE("a path is percent-decoded, segment by segment") {
  const auto target = parse_target("/rooms/%F0%9F%98%80/a+b?x=1+2%2B&y&x=%C3%A4");
  REQUIRE(target.has_value());
  CHECK(target->path == "/rooms/\xF0\x9F\x98\x80/a+b");
  REQUIRE(target->query.size() == 3);
  CHECK(target->query[0] == std::pair<std::string, std::string>("x", "1 2+"));
  CHECK(target->query[1] == std::pair<std::string, std::string>("y", ""));
  CHECK(target->query[2].second == "\xC3\xA4");
}

TEST_CASE("the root and a slash at the end are paths") {
  CHECK(parse_target("/")->path == "/");
  CHECK(parse_target("/docs/")->path == "/docs/");
  CHECK(parse_target("/?")->query.empty());
}

TEST_CASE("a target that two readers could read differently is refused") {
  for (const std::string target :
       {"",       "a",         "*",      "//",     "//a",    "/a//b",  "/.",      "/..",   "/a/../b", "/a/./b", "/%2e%2e/etc",
        "/a/%2E", "/..%2fetc", "/a%2Fb", "/a%2fb", "/a%5cb", "/a\\b",  "/a%00",   "/a%0a", "/a%7f",   "/a%",    "/a%4",
        "/a%zz",  "/a#b",      "/a b",   "/\x01",  "/\x80",  "/a?b=%", "/a?b=%x1"}) {
    CAPTURE(target);
    CHECK_FALSE(parse_target(target).has_value());
  }
}

TEST_CASE("a query has at most 100 parameters") {
  std::string target = "/?";
  for (int i = 0; i < 100; ++i) target += "a=b&";
  CHECK(parse_target(target).has_value());
  CHECK_FALSE(parse_target(target + "a=b").has_value());
}

TEST_CASE("an error becomes a problem document of RFC 9457") {
  Trace trace;
  trace.id = "0123456789abcdef0123456789abcdef";
  const auto response = problem(wrong_field("/text", "has \"1\" to 8000 characters"), trace);
  CHECK(response.status == 422);
  CHECK(response.headers.front() == std::pair<std::string, std::string>("content-type", "application/problem+json"));
  const auto body = json::parse(response.body);
  CHECK(body["status"] == 422);
  CHECK(body["code"] == "invalid_request");
  CHECK(body["title"] == "Unprocessable Content");
  CHECK(body["trace_id"] == trace.id);
  CHECK(body["errors"][0]["pointer"] == "/text");
  CHECK(body["errors"][0]["detail"] == "has \"1\" to 8000 characters");
}

TEST_CASE("429 and 503 say when to come again") {
  Error error(Errc::rate_limited, "Too many.");
  error.retry_after = 7;
  CHECK(problem(error, Trace()).headers.at(1) == std::pair<std::string, std::string>("retry-after", "7"));
  CHECK(problem(Error(Errc::unavailable, "Away."), Trace()).headers.at(1).second == "1");
  CHECK(json::parse(problem(431, "Too long.", Trace()).body)["code"] == "too_large");
}

TEST_CASE("a head of a response has its length, and no field can smuggle another") {
  HttpResponse response;
  response.headers.emplace_back("Content-Length", "99");
  response.headers.emplace_back("x", "y");
  CHECK(response_head(response, 3, true) == "HTTP/1.1 200 OK\r\nx: y\r\ncontent-length: 3\r\nconnection: close\r\n\r\n");
  response.status = 204;
  CHECK(response_head(response, 0, false) == "HTTP/1.1 204 No Content\r\nx: y\r\n\r\n");
  CHECK(headers_are_safe(response.headers));
  response.headers.emplace_back("location", "/a\r\nset-cookie: b");
  CHECK_FALSE(headers_are_safe(response.headers));
}

}  // namespace
}  // namespace loggia::http
