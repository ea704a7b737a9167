// What the gateway reads out of header fields: cookies, the addresses that proxies name, origins, a client's name, an offer of compression.
// The input is lines of `name: value`; the first is the peer's address.
#include "fuzz/target.hpp"
#include "gateway/client_address.hpp"
#include "gateway/cookies.hpp"
#include "gateway/origin.hpp"
#include "http/deflate.hpp"
#include "http/head.hpp"
#include "http/utf8.hpp"

namespace loggia::fuzz::headers_target {
namespace {

void check_value(std::string_view value) {
  const auto origin = gateway::origin_of(value);
  if (!origin.empty()) {
    require(origin.starts_with("http://") || origin.starts_with("https://"), "an origin is of the web");
    require(gateway::origin_of(origin) == origin, "an origin is its own");
  }
  const auto name = gateway::client_name(value);
  http::Utf8Checker checker;
  require(checker.take(name) && checker.complete(), "a client's name is UTF-8");
  require(gateway::client_name(name) == name, "a client's name stays");
  for (const char c : name) require(static_cast<unsigned char>(c) >= 0x20 && c != 0x7f, "and has no control characters");
  if (const auto address = gateway::Address::parse(value)) {
    const auto again = gateway::Address::parse(address->text());
    require(again && again->bytes == address->bytes, "an address written again is the same");
    require(!address->network().empty(), "an address has a network");
  }
  const auto networks = gateway::Networks::parse({std::string(value)});
  if (networks && value.find('/') == value.npos) require(networks->contains(value), "a network of one address holds it");
  if (http::is_field_value(value) && value.find(';') == value.npos && !value.empty()) {
    HttpRequest request;
    request.headers.emplace_back("cookie", "a=b; " + gateway::set_cookie(value, true, std::chrono::seconds(5)));
    require(gateway::cookie_token(request, true) == std::string(value), "a cookie that was set is read");
    require(!gateway::cookie_token(request, false), "under its own name");
  }
}

}  // namespace
}  // namespace loggia::fuzz::headers_target

LOGGIA_FUZZ(headers) {
  using namespace loggia;
  using namespace loggia::fuzz;
  static const auto trusted = gateway::Networks::parse({"10.0.0.0/8", "::1", "127.0.0.1"}).value();
  static const auto origins = gateway::Origins::make("", {"https://app.example"}, trusted).value();
  HttpRequest request;
  request.method = "GET";
  request.remote = part(input, '\n');
  while (!input.empty() && request.headers.size() < 32) {
    auto line = part(input, '\n');
    std::string name(part(line, ':'));
    line = http::trimmed(line);
    headers_target::check_value(line);
    request.headers.emplace_back(std::move(name), line);
  }
  const bool believed = trusted.contains(std::string_view(request.remote));
  const auto client = gateway::client_address(request, trusted);
  if (!believed && gateway::Address::parse(request.remote))
    require(client == gateway::Address::parse(request.remote)->text(), "who is no proxy speaks for himself alone");
  if (!believed) require(gateway::forwarded(request, trusted, "x-forwarded-proto").empty(), "and sets no X-Forwarded");
  const auto origin = origins.of(request);
  if (origin == gateway::Origin::foreign) require(gateway::cors_headers(request, origin).empty(), "a foreign page gets no CORS");
  require(origin != gateway::Origin::none || !request.has("origin"), "an Origin is looked at");
  const auto set = gateway::cors_headers(request, origin);
  for (const auto& field : set) require(http::is_field_value(field.second), "an answer's header has no control character");
  http::accept_deflate(request);
  if (const auto token = gateway::cookie_token(request, false)) require(!token->empty(), "a token is not empty");
}
