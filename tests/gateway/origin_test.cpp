#include "fixture.hpp"
#include "loggia/gateway/module.hpp"
#include "settings.hpp"

using namespace loggia;
using namespace loggia::gateway;
using testing::World;

namespace {

HttpRequest from(std::string remote, Parameters headers) {
  HttpRequest out;
  out.remote = std::move(remote);
  out.headers = std::move(headers);
  return out;
}
Networks networks(std::vector<std::string> entries) { return Networks::parse(entries).value(); }

}  // namespace

TEST_CASE("an origin is scheme and host in lower case, without the port that is standard") {
  CHECK(origin_of("https://Chat.Example:443/rooms?x#y") == "https://chat.example");
  CHECK(origin_of("http://chat.example:8080") == "http://chat.example:8080");
  CHECK(origin_of("http://[::1]:80") == "http://[::1]");
  for (const auto* none :
       {"", "null", "ftp://x", "https://", "https:///x", "https://a b", "https://user@host", "https://:443", "http://a:80:80",
        "http://a:", "http://a:x", "http://a:123456", "http://[::1", "http://[]", "http://[::1]a", "http://a]", "http://[a.example]"})
    CHECK(origin_of(none).empty());
  for (const auto* some : {"http://a", "http://a:1", "http://[::1]", "http://[::1]:8080", "https://a-b_c.d:65535"}) CHECK(origin_of(some) == some);
}

TEST_CASE("our own origin is that of http.public_url, else scheme and Host of the request") {
  const auto open = Origins::make("", {}, networks({})).value();
  CHECK(open.of(from("127.0.0.1", {{"host", "chat.test:8080"}, {"origin", "http://chat.test:8080"}})) == Origin::own);
  CHECK(open.of(from("127.0.0.1", {{"host", "chat.test:8080"}, {"origin", "http://chat.test"}})) == Origin::foreign);
  const auto named = Origins::make("https://chat.example/", {}, networks({})).value();
  CHECK(named.of(from("127.0.0.1", {{"host", "10.0.0.7"}, {"origin", "https://chat.example"}})) == Origin::own);
  CHECK(named.of(from("127.0.0.1", {{"host", "10.0.0.7"}, {"origin", "http://10.0.0.7"}})) == Origin::foreign);
}

TEST_CASE("no Origin is none, null is foreign, allowed ones are allowed") {
  const auto origins = Origins::make("", {"https://other.example"}, networks({})).value();
  CHECK(origins.of(from("127.0.0.1", {{"host", "a"}})) == Origin::none);
  CHECK(origins.of(from("127.0.0.1", {{"host", "a"}, {"origin", "null"}})) == Origin::foreign);
  CHECK(origins.of(from("127.0.0.1", {{"host", "a"}, {"origin", "https://other.example"}})) == Origin::allowed);
  CHECK(origins.of(from("127.0.0.1", {{"host", "a"}, {"origin", "http://a"}, {"origin", "https://evil.example"}})) == Origin::foreign);
}

TEST_CASE("an Origin has no path, and an answer names the canonical one") {
  const auto origins = Origins::make("", {"https://other.example"}, networks({})).value();
  for (const auto* more : {"https://other.example/", "https://other.example:443/x\x01", "https://other.example?", "https://other.example#x"})
    CHECK(origins.of(from("127.0.0.1", {{"host", "a"}, {"origin", more}})) == Origin::foreign);
  const auto request = from("127.0.0.1", {{"host", "a"}, {"origin", "https://Other.example:443"}});
  REQUIRE(origins.of(request) == Origin::allowed);
  CHECK(cors_headers(request, Origin::allowed)[0].second == "https://other.example");
  CHECK(preflight_headers(request, Origin::allowed, "GET")[0].second == "https://other.example");
}

TEST_CASE("X-Forwarded-Proto and -Host count from trusted proxies alone") {
  const auto origins = Origins::make("", {}, networks({"10.0.0.0/8"})).value();
  const Parameters headers{
      {"host", "inner:8080"}, {"x-forwarded-proto", "https"}, {"x-forwarded-host", "chat.example"}, {"origin", "https://chat.example"}};
  CHECK(origins.of(from("10.1.2.3", headers)) == Origin::own);
  CHECK(origins.secure(from("10.1.2.3", headers)));
  CHECK(origins.of(from("192.0.2.1", headers)) == Origin::foreign);
  CHECK_FALSE(origins.secure(from("192.0.2.1", headers)));
}

TEST_CASE("what is no address or origin in the configuration is refused by name") {
  CHECK(Origins::make("chat.example", {}, networks({})).has_error());
  CHECK(Origins::make("", {"*"}, networks({})).has_error());
  for (const auto* wrong : {"10.0.0.0/33", "10.0.0/8", "x", "::1/129", "10.0.0.1:80", "10.0.0.0/"}) CHECK(Networks::parse({wrong}).has_error());
}

TEST_CASE("config check tells every mistake that the kinds of the keys do not show") {
  const auto told = [](loggia::test::FakeKernel::Settings settings) {
    const loggia::test::FakeKernel fake(module().keys, std::move(settings));
    std::string out;
    for (const auto& mistake : mistakes(fake.kernel.config)) out += mistake.pointer + ' ';
    return out;
  };
  CHECK(told({}) == "");
  CHECK(told({{"http.public_url", "https://chat.example"},
              {"http.allowed_origins", "https://a.example,http://b.example:81"},
              {"http.trusted_proxies", "10.0.0.0/8,::1"}}) == "");
  CHECK(told({{"http.public_url", "chat.example"}}) == "http.public_url ");
  CHECK(told({{"http.allowed_origins", "a.example,https://b.example,null"}, {"http.trusted_proxies", "10.0.0.0/33,proxy,10.0.0.1"}}) ==
        "http.allowed_origins http.allowed_origins http.trusted_proxies http.trusted_proxies ");
  CHECK(told({{"http.tls.certificate", "/nowhere/cert.pem"}}) == "http.tls.private_key http.tls.certificate ");
}

TEST_CASE("a network holds its addresses and no others, IPv4 also in its IPv6 form") {
  const auto some = networks({"10.1.0.0/17", "2001:db8::/33", "192.0.2.7"});
  CHECK(some.contains("10.1.127.255"));
  CHECK_FALSE(some.contains("10.1.128.0"));
  CHECK(some.contains("::ffff:10.1.0.1"));
  CHECK(some.contains("2001:db8:7fff::1"));
  CHECK_FALSE(some.contains("2001:db8:8000::1"));
  CHECK(some.contains("192.0.2.7"));
  CHECK_FALSE(some.contains("192.0.2.8"));
  CHECK_FALSE(some.contains("not an address"));
}

TEST_CASE("the client is the rightmost address that is no trusted proxy") {
  const auto trusted = networks({"10.0.0.0/8"});
  CHECK(client_address(from("10.0.0.1", {{"x-forwarded-for", "6.6.6.6, 192.0.2.1, 10.0.0.2"}}), trusted) == "192.0.2.1");
  CHECK(client_address(from("10.0.0.1", {{"x-forwarded-for", "192.0.2.1"}, {"x-forwarded-for", "10.0.0.2:4711"}}), trusted) == "192.0.2.1");
  CHECK(client_address(from("10.0.0.1", {{"x-forwarded-for", "[2001:db8::1]:80"}}), trusted) == "2001:db8::1");
  CHECK(client_address(from("192.0.2.9", {{"x-forwarded-for", "6.6.6.6"}}), trusted) == "192.0.2.9");
  CHECK(client_address(from("10.0.0.1", {}), trusted) == "10.0.0.1");
  CHECK(client_address(from("10.0.0.1", {{"x-forwarded-for", "6.6.6.6, nonsense, 10.0.0.2"}}), trusted) == "10.0.0.2");
}

TEST_CASE("a client's name is short, printable and UTF-8, whatever was sent") {
  CHECK(client_name("curl/8") == "curl/8");
  CHECK(client_name("a\x07\xFF\xC3\xA9\xC2\x85z") == "a\xC3\xA9z");
  CHECK(client_name(std::string(500, 'x')).size() == 200);
  CHECK(client_name("\xED\xA0\x80\xF4\x90\x80\x80\xC0\xAF") == "");
}

TEST_CASE("an IPv6 host is counted by its /64") {
  CHECK(Address::parse("2001:db8:1:2:3:4:5:6")->network() == "2001:db8:1:2::/64");
  CHECK(Address::parse("192.0.2.1")->network() == "192.0.2.1");
}
