#include "fixture.hpp"

using namespace loggia;
using namespace loggia::gateway;
using testing::code_of;
using testing::header_of;
using testing::World;

namespace {

const Parameters signed_in{{"authorization", "Bearer member"}};
Parameters with(Parameters headers, std::string name, std::string value) {
  headers.emplace_back(std::move(name), std::move(value));
  return headers;
}
Answer tokens() {
  Answer out;
  out.body = R"({"user":{"id":"x"},"access_token":"a","refresh_token":"secret"})";
  return out;
}
const std::string ours = "http://chat.test:8080";

}  // namespace

TEST_CASE("a request reaches its route with path, query, caller, address and client") {
  World world;
  auto request = World::request("GET", "/users/7", with(signed_in, "user-agent", "curl/8"));
  request.query = {{"limit", "5"}};
  const auto response = world.send(std::move(request));
  CHECK(response.status == 200);
  CHECK(world.call.route == "GET /users/{id}");
  CHECK(world.call.path == Parameters{{"id", "7"}});
  CHECK(world.call.query == Parameters{{"limit", "5"}});
  CHECK(world.call.strict);
  CHECK(world.seen.caller().is("member"));
  CHECK(world.seen.address() == "127.0.0.1");
  CHECK(world.seen.client() == "curl/8");
  CHECK(world.seen.deadline() == world.kernel.clock->moment() + std::chrono::seconds(10));
}

TEST_CASE("what is not there is 404, what is there for others 405 with Allow") {
  World world;
  const auto none = world.send("GET", "/nothing", signed_in);
  CHECK(none.status == 404);
  CHECK(code_of(none) == "not_found");
  CHECK_FALSE(header_of(none, "trace-id").empty());
  const auto wrong = world.send("PUT", "/rooms", signed_in);
  CHECK(wrong.status == 405);
  CHECK(code_of(wrong) == "method_not_allowed");
  CHECK(header_of(wrong, "allow") == "POST, OPTIONS");
}

TEST_CASE("a route for people needs a token that is good") {
  World world;
  for (const auto& headers : {Parameters(), Parameters{{"authorization", "Bearer forged"}}, Parameters{{"authorization", "Basic member"}},
                              Parameters{{"authorization", "Bearer  "}}}) {
    const auto refused = world.send("GET", "/users/7", headers);
    CHECK(refused.status == 401);
    CHECK(code_of(refused) == "unauthenticated");
    CHECK(header_of(refused, "www-authenticate") == "Bearer");
  }
  CHECK(world.send("GET", "/users/7", {{"authorization", "bearer member"}}).status == 200);
}

TEST_CASE("without contact to auth nobody is let in") {
  World world;
  world.verifier->contact = false;
  const auto refused = world.send("GET", "/users/7", signed_in);
  CHECK(refused.status == 503);
  CHECK(code_of(refused) == "unavailable");
  CHECK_FALSE(header_of(refused, "retry-after").empty());
}

TEST_CASE("administrators' routes are for administrators, and a refusal is in the audit log") {
  World world;
  CHECK(world.send("GET", "/admin/users", signed_in).status == 403);
  CHECK(world.administration->recorded == std::vector<std::string>{"admin.refused GET /admin/users"});
  CHECK(world.send("GET", "/admin/users", {{"authorization", "Bearer admin"}}).status == 200);
}

TEST_CASE("a body is JSON or is refused") {
  World world;
  for (const auto* type : {"text/plain", "application/json;charset=latin1", "multipart/form-data", ""}) {
    const auto refused = world.send("POST", "/rooms", with(signed_in, "content-type", type), "{}");
    CHECK(refused.status == 415);
    CHECK(code_of(refused) == "unsupported_media_type");
  }
  CHECK(world.send("POST", "/rooms", with(signed_in, "content-type", "Application/JSON; charset=\"UTF-8\""), "{}").status == 200);
  CHECK(world.send("POST", "/rooms", signed_in).status == 200);
}

TEST_CASE("an Idempotency-Key is 1 to 64 printable ASCII and travels with the call") {
  World world;
  world.send("POST", "/rooms", with(signed_in, "idempotency-key", "k 1"), "{}");
  CHECK(world.seen.idempotency_key() == "k 1");
  for (const auto& bad : {std::string(), std::string(65, 'k'), std::string("\xC3\xA9")})
    CHECK(world.send("POST", "/rooms", with(signed_in, "idempotency-key", bad), "{}").status == 422);
  CHECK(world.send("POST", "/rooms", with(with(signed_in, "idempotency-key", "a"), "idempotency-key", "b"), "{}").status == 422);
}

TEST_CASE("a trace that was begun elsewhere goes on, and every answer names it") {
  World world;
  const std::string id = "0af7651916cd43dd8448eb211c80319c";
  const auto response = world.send("GET", "/users/7", with(signed_in, "traceparent", "00-" + id + "-b7ad6b7169203331-01"));
  CHECK(header_of(response, "trace-id") == id);
  CHECK(world.seen.trace().id == id);
  CHECK(header_of(world.send("GET", "/users/7", with(signed_in, "traceparent", "nonsense")), "trace-id").size() == 32);
}

TEST_CASE("what goes wrong inside stays inside") {
  World world;
  world.next = Error(Errc::internal, "SELECT failed near secret");
  const auto response = world.send("GET", "/users/7", signed_in);
  CHECK(response.status == 500);
  CHECK(response.body.find("SELECT") == response.body.npos);
  CHECK(code_of(response) == "internal");
}

TEST_CASE("answers of the API are stored by nobody") {
  World world;
  const auto response = world.send("GET", "/users/7", signed_in);
  CHECK(header_of(response, "cache-control") == "no-store");
  CHECK(header_of(response, "x-content-type-options") == "nosniff");
}

TEST_CASE("with cookie: true the refresh token is in the cookie and nowhere else") {
  World world;
  world.next = tokens();
  const auto response = world.send("POST", "/auth/login", {}, R"({"login":"a","password":"b","cookie":true})");
  CHECK_FALSE(json::parse(response.body).contains("refresh_token"));
  CHECK(json::parse(response.body)["access_token"] == "a");
  CHECK(header_of(response, "set-cookie") == "loggia=secret; Path=/api/v1/auth; HttpOnly; SameSite=Strict; Max-Age=2592000");
  const auto plain = world.send("POST", "/auth/login", {}, R"({"login":"a","password":"b"})");
  CHECK(json::parse(plain.body)["refresh_token"] == "secret");
  CHECK(header_of(plain, "set-cookie").empty());
}

TEST_CASE("on TLS the cookie is Secure by name and by attribute") {
  World world("https://chat.example");
  world.next = tokens();
  const auto cookie = header_of(world.send("POST", "/auth/register", {}, R"({"cookie":true})"), "set-cookie");
  CHECK(cookie.starts_with("__Secure-loggia=secret;"));
  CHECK(cookie.ends_with("; Secure"));
}

TEST_CASE("a refresh by cookie is taken from our own pages alone, and answered by cookie") {
  World world;
  world.next = tokens();
  const Parameters cookie{{"cookie", "x=1; loggia=old; y=2"}};
  CHECK(world.send("POST", "/auth/refresh", cookie).status == 403);
  for (const auto* origin : {"https://evil.example", "null", "http://chat.test"})
    CHECK(world.send("POST", "/auth/refresh", with(cookie, "origin", origin)).status == 403);
  const auto response = world.send("POST", "/auth/refresh", with(cookie, "origin", ours));
  CHECK(response.status == 200);
  CHECK(json::parse(world.call.body) == json{{"refresh_token", "old"}});
  CHECK(header_of(response, "set-cookie").starts_with("loggia=secret;"));
  CHECK_FALSE(json::parse(response.body).contains("refresh_token"));
}

TEST_CASE("a refresh token in the body is answered in the body, whatever cookies there are") {
  World world;
  world.next = tokens();
  const auto response = world.send("POST", "/auth/refresh", {{"cookie", "loggia=old"}, {"origin", ours}}, R"({"refresh_token":"mine"})");
  CHECK(json::parse(world.call.body)["refresh_token"] == "mine");
  CHECK(header_of(response, "set-cookie").empty());
  CHECK(json::parse(response.body)["refresh_token"] == "secret");
}

TEST_CASE("a logout takes the access token, or the cookie from our own pages, and takes the cookie away") {
  World world;
  world.next = Answer();
  world.next->status = 204;
  const Parameters cookie{{"cookie", "loggia=old"}};
  CHECK(world.send("POST", "/auth/logout", with(cookie, "origin", "https://evil.example")).status == 403);
  const auto by_cookie = world.send("POST", "/auth/logout", with(cookie, "origin", ours));
  CHECK(by_cookie.status == 204);
  CHECK(json::parse(world.call.body)["refresh_token"] == "old");
  CHECK(header_of(by_cookie, "set-cookie").starts_with("loggia=; "));
  CHECK(header_of(by_cookie, "set-cookie").find("Max-Age=0") != std::string::npos);
  const auto by_token = world.send("POST", "/auth/logout", with(with(cookie, "origin", ours), "authorization", "Bearer member"));
  CHECK(by_token.status == 204);
  CHECK(world.call.body.empty());
  CHECK(header_of(by_token, "set-cookie").starts_with("loggia=; "));
  CHECK(world.send("POST", "/auth/logout", {}, R"({"refresh_token":"stolen"})").status == 422);
}

TEST_CASE("an access token that has ended does not keep a browser from signing out") {
  World world;
  world.next = Answer();
  world.next->status = 204;
  const auto response = world.send("POST", "/auth/logout", {{"cookie", "loggia=old"}, {"origin", ours}, {"authorization", "Bearer forged"}});
  CHECK(response.status == 204);
  CHECK(json::parse(world.call.body)["refresh_token"] == "old");
}

TEST_CASE("guesses of one login are limited before those of others, and told when to come back") {
  World world;
  world.next = Error(Errc::unauthenticated, "no");
  const auto guess = [&](const std::string& login) {
    return world.send("POST", "/auth/login", {}, R"({"login":")" + login + R"(","password":"x"})");
  };
  for (int i = 0; i < 10; ++i) CHECK(guess("Ada").status == 401);
  const auto refused = guess("ada");
  CHECK(refused.status == 429);
  CHECK(code_of(refused) == "rate_limited");
  CHECK(std::stoi(header_of(refused, "retry-after")) >= 1);
  CHECK(header_of(refused, "ratelimit-policy") == "\"login\";q=10;w=60");
  CHECK(guess("bob").status == 401);
  world.edge->set_limited(false);
  const auto open = guess("ada");
  CHECK(open.status == 401);
  CHECK(header_of(open, "ratelimit").empty());
}

TEST_CASE("a person's requests count for the person, not for the house") {
  World world;
  const auto response = world.send("GET", "/users/7", signed_in);
  CHECK(header_of(response, "ratelimit-policy") == "\"read\";q=300;w=10");
  CHECK(header_of(response, "ratelimit") == "\"read\";r=299;t=1");
}

TEST_CASE("an address that asks without end is told to wait before anything is looked at") {
  World world;
  HttpResponse last;
  for (int i = 0; i <= 1000; ++i) last = world.send("GET", "/nothing");
  CHECK(last.status == 429);
  CHECK(header_of(last, "retry-after") == "1");
}

TEST_CASE("CORS is for the allowed origins, never with credentials") {
  World world("", {"https://other.example"});
  const auto preflight = [&](const char* origin) {
    return world.send("OPTIONS", "/rooms", {{"origin", origin}, {"access-control-request-method", "POST"}});
  };
  const auto allowed = preflight("https://other.example");
  CHECK(allowed.status == 204);
  CHECK(header_of(allowed, "access-control-allow-origin") == "https://other.example");
  CHECK(header_of(allowed, "access-control-allow-methods") == "POST, OPTIONS");
  CHECK(header_of(allowed, "access-control-allow-credentials").empty());
  CHECK(header_of(allowed, "vary") == "Origin");
  CHECK(header_of(preflight("https://evil.example"), "access-control-allow-origin").empty());
  const auto answer = world.send("GET", "/users/7", with(signed_in, "origin", "https://other.example"));
  CHECK(header_of(answer, "access-control-allow-origin") == "https://other.example");
  CHECK(header_of(world.send("GET", "/users/7", with(signed_in, "origin", "https://evil.example")), "access-control-allow-origin").empty());
}

TEST_CASE("a guest sees who is in a room with them as a member would, and nobody else") {
  World world;
  const Parameters guest{{"authorization", "Bearer guest"}};
  const std::string friend_id = "00000000-0000-7000-8000-00000000000f";
  world.send("GET", "/users/" + friend_id, guest);
  CHECK(world.seen.caller().is("guest"));
  world.live->audience.ids.push_back(UserId(*parse_uuid(friend_id)));
  world.send("GET", "/users/" + friend_id, guest);
  CHECK_FALSE(world.seen.caller().is("guest"));
  CHECK(world.seen.caller().is("member"));
}

TEST_CASE("a socket is opened from our pages, allowed ones, and by what is no browser; not by a foreign page") {
  World world("", {"https://other.example"}, {"127.0.0.1"});
  const auto enter = [&](Parameters headers) {
    return world.kernel.wait(world.edge->enter(std::make_shared<testing::FakeUpgrade>(World::request("GET", "/realtime", std::move(headers)))));
  };
  CHECK_FALSE(enter({}));
  CHECK_FALSE(enter({{"origin", ours}}));
  CHECK_FALSE(enter({{"origin", "https://other.example"}, {"x-forwarded-for", "192.0.2.1"}}));
  CHECK(world.doors->entered == std::vector<std::string>{"127.0.0.1", "127.0.0.1", "192.0.2.1"});
  const auto refused = enter({{"origin", "https://evil.example"}});
  REQUIRE(refused);
  CHECK(refused->status == 403);
  CHECK(enter({{"origin", "null"}})->status == 403);
  world.doors->refusing = true;
  const auto later = enter({});
  REQUIRE(later);
  CHECK(testing::header_of(*later, "trace-id") == json::parse(later->body).at("trace_id").get<std::string>());
  auto elsewhere = World::request("GET", "/rooms");
  CHECK(world.kernel.wait(world.edge->enter(std::make_shared<testing::FakeUpgrade>(elsewhere)))->status == 404);
}
