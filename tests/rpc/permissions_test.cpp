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
