#include <iostream>
#include "cli/commands.hpp"
#include "loggia/kernel/json.hpp"
#include "loggia/kernel/openapi.hpp"

namespace loggia::cli {
namespace {

/// The descriptions need the routes, not the services: every port is a proxy to nowhere.
class Nowhere final : public Transport {
 public:
  Async<Answer> send(Context, Call) override { co_return Error(Errc::unavailable, "there is no server behind this"); }
};
class Collector final : public Router {
 public:
  void on(RouteInfo info, RouteHandler) override { routes.push_back(info); }
  std::vector<RouteInfo> routes;
};

}  // namespace

int print_openapi(Shell& shell) {
  Nowhere nowhere;
  Kernel kernel;
  kernel.version = version();
  Collector collector;
  for (const auto& module : shell.modules)
    if (module.connect) module.connect(nowhere, kernel.ports);
  for (const auto& module : shell.modules)
    if (module.mount) module.mount(collector, kernel);
  std::cout << openapi_document(collector.routes, version()).dump(2) << '\n';
  return 0;
}

int print_asyncapi(Shell& shell) {
  std::vector<Topic> topics;
  std::vector<SocketProtocol> protocols;
  for (const auto& module : shell.modules) {
    topics.insert(topics.end(), module.topics.begin(), module.topics.end());
    protocols.insert(protocols.end(), module.protocols.begin(), module.protocols.end());
  }
  std::cout << asyncapi_document(topics, protocols, version()).dump(2) << '\n';
  return 0;
}

}  // namespace loggia::cli
