#include <doctest/doctest.h>
#include "public_router.hpp"

using namespace loggia;
using namespace loggia::gateway;

namespace {

struct Routes {
  Metrics metrics;
  PublicRouter router{metrics};
  explicit Routes(std::initializer_list<std::string_view> all) {
    for (const auto text : all) add(text, Access::user);
  }
  void add(std::string_view text, Access access) {
    RouteInfo info;
    info.route = text;
    info.access = access;
    router.on(std::move(info), RouteHandler());
  }
  std::string found(std::string_view method, std::string_view path) const {
    const auto match = router.match(method, path);
    return match.route ? std::string(match.route->info.route) : "none";
  }
};

}  // namespace

TEST_CASE("a literal segment goes before a parameter") {
  const Routes routes{"GET /users/{id}", "GET /users/me", "GET /users/by-name/{username}"};
  CHECK(routes.found("GET", "/users/me") == "GET /users/me");
  CHECK(routes.found("GET", "/users/7") == "GET /users/{id}");
  CHECK(routes.found("GET", "/users/by-name/ada") == "GET /users/by-name/{username}");
}

TEST_CASE("a literal that leads nowhere does not hide a parameter that does") {
  const Routes routes{"GET /users/me/blocks", "GET /users/{id}/rooms"};
  CHECK(routes.found("GET", "/users/me/rooms") == "GET /users/{id}/rooms");
}

TEST_CASE("parameters are given by name in the order of the path") {
  const Routes routes{"PUT /rooms/{room}/messages/{seq}/reactions/{emoji}"};
  const auto match = routes.router.match("PUT", "/rooms/r1/messages/7/reactions/\xF0\x9F\x91\x8D");
  REQUIRE(match.route);
  CHECK(match.path == Parameters{{"room", "r1"}, {"seq", "7"}, {"emoji", "\xF0\x9F\x91\x8D"}});
}

TEST_CASE("an address that is none allows no method; one that is there names those it takes") {
  const Routes routes{"GET /rooms", "POST /rooms"};
  CHECK(routes.router.match("GET", "/room").allow.empty());
  CHECK(routes.router.match("GET", "/rooms/").allow.empty());
  CHECK(routes.router.match("GET", "").allow.empty());
  const auto match = routes.router.match("PUT", "/rooms");
  CHECK_FALSE(match.route);
  CHECK(match.allow == "GET, HEAD, POST, OPTIONS");
}

TEST_CASE("HEAD is asked of the route of GET") {
  const Routes routes{"GET /rooms", "POST /files"};
  CHECK(routes.found("HEAD", "/rooms") == "GET /rooms");
  CHECK(routes.found("HEAD", "/files") == "none");
}

TEST_CASE("what is between modules cannot be reached from outside") {
  Routes routes{"GET /rooms"};
  routes.add("POST /internal/people", Access::internal);
  CHECK(routes.router.match("POST", "/internal/people").allow.empty());
  CHECK(routes.router.routes().size() == 1);
}

TEST_CASE("the same route twice is a mistake of the program") {
  Routes routes{"GET /rooms/{room}"};
  CHECK_THROWS_AS(routes.add("GET /rooms/{id}", Access::user), std::logic_error);
}
