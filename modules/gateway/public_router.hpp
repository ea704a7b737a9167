#pragma once
// The routes that can be reached from outside, found by path: literals before parameters, so that /users/me is not a user's id.
// Filled before serving starts; afterwards read only, from every shard.
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>
#include "loggia/kernel/metrics.hpp"
#include "loggia/kernel/router.hpp"

namespace loggia::gateway {

struct Route {
  RouteInfo info;
  RouteHandler handler;
  std::string method;
  std::vector<std::string> names;  // of the path's parameters, in order
  // By class of status: 1xx to 5xx.
  Counter* answers[5]{};
  Histogram* duration = nullptr;
};

struct Match {
  const Route* route = nullptr;  // none: no route there (allow empty), or none for this method
  Parameters path;
  std::string allow;  // the methods there: "GET, HEAD, PATCH"
};

class PublicRouter final : public Router {
 public:
  explicit PublicRouter(Metrics& metrics);
  ~PublicRouter() override;
  /// Access::internal is not taken.
  void on(RouteInfo info, RouteHandler handler) override;
  /// `path` below /api/v1, percent-decoded: "/users/me".
  Match match(std::string_view method, std::string_view path) const;
  std::vector<RouteInfo> routes() const;

 private:
  struct Node {
    std::map<std::string, std::unique_ptr<Node>, std::less<>> literals;
    std::unique_ptr<Node> parameter;
    std::map<std::string, Route, std::less<>> methods;
  };
  static const Node* find(const Node& from, std::string_view rest, std::vector<std::string>& values);
  Metrics& metrics_;
  Node root_;
  std::vector<RouteInfo> routes_;
};

}  // namespace loggia::gateway
