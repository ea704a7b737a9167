#include "loggia/kernel/permissions.hpp"
#include <doctest/doctest.h>
#include "loggia/kernel/module.hpp"

using namespace loggia;

namespace {

struct Mounted final : Router {
  std::vector<std::string> routes;
  void on(RouteInfo info, RouteHandler) override { routes.emplace_back(info.route); }
};

ModuleDescriptor module_of(const char* name, std::vector<std::string> needs, bool speaks) {
  ModuleDescriptor out;
  out.name = name;
  out.needs = std::move(needs);
  out.speaks_for_people = speaks;
  return out;
}

}  // namespace

TEST_CASE("a module may call the routes of those that it needs, and of nobody else") {
  RpcTable table({module_of("store", {}, false), module_of("desk", {"store"}, false), module_of("front", {"store", "desk"}, true)});
  Mounted router;
  for (const auto& [module, route] : {std::pair("store", "GET /books/{id}"), std::pair("desk", "POST /orders")}) {
    RouteInfo info;
    info.route = route;
    table.noting(module, router)->on(info, RouteHandler());
  }
  CHECK(router.routes == std::vector<std::string>{"GET /books/{id}", "POST /orders"});
  using enum RpcPermission;
  CHECK(table.of("desk", "GET /books/{id}") == itself);
  CHECK(table.of("front", "GET /books/{id}") == believed);
  CHECK(table.of("front", "POST /orders") == believed);
  CHECK(table.of("store", "POST /orders") == refused);
  CHECK(table.of("store", "GET /books/{id}") == refused);  // its own: it calls itself directly
  CHECK(table.of("desk", "POST /orders") == refused);
  CHECK(table.of("nobody", "GET /books/{id}") == refused);
  CHECK(table.of("", "GET /books/{id}") == refused);
  CHECK(table.of("front", "GET /books") == refused);
  CHECK(table.of("front", "POST /books/{id}") == refused);
  CHECK(table.of("front", "") == refused);
}

TEST_CASE("the kernel's own routes are for every module, as itself") {
  RpcTable table({module_of("store", {}, false), module_of("front", {"store"}, true)});
  using enum RpcPermission;
  CHECK(table.of("store", "POST /bus/read") == itself);
  CHECK(table.of("front", "POST /bus/read") == itself);
  CHECK(table.of("nobody", "POST /bus/read") == refused);
  CHECK(table.of("store", "POST /busy") == refused);
}

TEST_CASE(
    "of a log a module may read what it hears or produces, and what a stand-in for its owner follows; it may send signals of what it produces") {
  auto store = module_of("store", {}, false), desk = module_of("desk", {"store"}, false), front = module_of("front", {"store"}, true);
  Topic books, doors;
  books.name = "books";
  doors.name = "doors";
  store.topics = {books, doors};
  store.stand_in_follows = {"doors"};
  desk.hears = {"books"};
  const RpcTable table({store, desk, front, module_of("guest", {}, false)});
  CHECK(table.may_read("desk", "store", "books"));
  CHECK(table.may_read("desk", "store", "doors"));
  CHECK(table.may_read("front", "store", "doors"));
  CHECK(table.may_read("store", "store", "books"));
  CHECK(table.may_read("store", "other", "books"));
  CHECK_FALSE(table.may_read("store", "store", "letters"));
  CHECK_FALSE(table.may_read("front", "store", "books"));
  CHECK_FALSE(table.may_read("front", "nobody", "doors"));
  CHECK_FALSE(table.may_read("guest", "store", "doors"));
  CHECK_FALSE(table.may_read("nobody", "store", "books"));
  CHECK_FALSE(table.may_read("", "store", "doors"));
  CHECK(table.may_say("store", "books"));
  CHECK_FALSE(table.may_say("store", "letters"));
  CHECK_FALSE(table.may_say("desk", "books"));
  CHECK_FALSE(table.may_say("nobody", "books"));
}
