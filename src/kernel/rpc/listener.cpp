// The answering side: routes by their declared form on our own HTTP server.
#include "http/listener.hpp"
#include <algorithm>
#include <boost/system/system_error.hpp>
#include <map>
#include <stdexcept>
#include "loggia/kernel/http.hpp"
#include "loggia/kernel/log.hpp"
#include "loggia/kernel/rpc.hpp"
#include "rpc/form.hpp"

namespace loggia {
namespace rpc {
namespace {

class InnerListener final : public RpcListener {
 public:
  InnerListener(RpcListenerOptions options, std::shared_ptr<Shards> shards, std::shared_ptr<Clock> clock, std::shared_ptr<Metrics> metrics)
      : options_{std::move(options)}, shards_{std::move(shards)}, clock_{std::move(clock)}, metrics_{std::move(metrics)} {}

  void on(RouteInfo info, RouteHandler handler) override {
    const std::string route(info.route);
    if (server_) throw std::logic_error("the route \"" + route + "\" comes after the start");
    Route made;
    made.in_path = names_in(route);
    made.handler = std::move(handler);
    if (!routes_.emplace(route, std::move(made)).second) throw std::logic_error("the route \"" + route + "\" is there twice");
  }

  Result<bool> start() override {
    const auto endpoint = http::parse_listen(options_.listen);
    if (!endpoint) return endpoint.error();
    if (!endpoint->address().is_loopback())
      return Error(
          Errc::invalid_request,
          "The listener for other modules believes who they say they are: without mTLS it listens on loopback only, not on " + options_.listen + ".");
    HttpServerOptions options;
    options.listen = options_.listen;
    options.body_max = options_.body_max;
    options.header_max = 64u << 10;
    options.target_max = 32u << 10;
    options.name = "rpc";
    HttpHandlers handlers;
    handlers.request = [this](HttpRequest request) { return answer(std::move(request)); };
    handlers.refusal = [](int status, std::string_view detail) { return problem(status, detail, Trace()); };
    auto server = http_server(std::move(options), shards_, clock_, *metrics_, std::move(handlers));
    auto started = server->start();
    if (started) server_ = std::move(server);
    return started;
  }
  std::string address() const override { return server_ ? server_->address() : options_.listen; }
  void drain() override {
    if (server_) server_->drain();
  }
  void stop() override {
    if (server_) server_->stop();
  }

 private:
  struct Route {
    std::vector<std::string> in_path;
    RouteHandler handler;
  };

  boost::asio::awaitable<HttpResponse> answer(HttpRequest request) {
    auto context = context_of(request, clock_->moment());
    if (!context) co_return response_of(context.error(), Trace());
    const auto trace = context->trace();
    const auto route = request.path.starts_with(base) ? request.method + ' ' + request.path.substr(base.size()) : std::string();
    const auto found = routes_.find(route);
    if (found == routes_.end()) {
      // Never not_found: that would be the module's answer.
      log::warn(*context, "rpc.unknown_route", Field("method", request.method), Field("path", request.path));
      Error unknown(Errc::internal, "this process does not answer that request");
      co_return response_of(std::move(unknown), trace);
    }
    Call call;
    call.route = route;
    call.body = std::move(request.body);
    const auto& names = found->second.in_path;
    for (auto& parameter : request.query) {
      const bool in_path = std::find(names.begin(), names.end(), parameter.first) != names.end();
      (in_path ? call.path : call.query).push_back(std::move(parameter));
    }
    auto answer = co_await ask(found->second, std::move(*context), std::move(call));
    co_return response_of(std::move(answer), trace);
  }

  Async<Answer> ask(const Route& route, Context context, Call call) {
    try {
      co_return co_await route.handler(context, std::move(call));
    } catch (const boost::system::system_error&) {
      throw;  // the connection has ended, and its waits with it
    } catch (const std::exception& problem) {
      log::error(context, "rpc.internal", Field("why", problem.what()));
      co_return Error(Errc::internal, "something went wrong in a module; its log has it under the trace_id");
    }
  }

  const RpcListenerOptions options_;
  const std::shared_ptr<Shards> shards_;
  const std::shared_ptr<Clock> clock_;
  const std::shared_ptr<Metrics> metrics_;
  std::map<std::string, Route, std::less<>> routes_;
  std::shared_ptr<HttpServer> server_;  // last: its handlers use the others
};

}  // namespace
}  // namespace rpc

std::shared_ptr<RpcListener> rpc_listener(RpcListenerOptions options, std::shared_ptr<Shards> shards, std::shared_ptr<Clock> clock,
                                          std::shared_ptr<Metrics> metrics) {
  return std::make_shared<rpc::InnerListener>(std::move(options), std::move(shards), std::move(clock), std::move(metrics));
}

}  // namespace loggia
