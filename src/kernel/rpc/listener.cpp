// The answering side: routes by their declared form on our own HTTP server.
#include "http/listener.hpp"
#include <algorithm>
#include <atomic>
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

  void on(RouteInfo info, RouteHandler handler) override { add(info, std::move(handler), false); }
  Router& always() override { return always_; }

  void add(const RouteInfo& info, RouteHandler handler, bool always) {
    const std::string route(info.route);
    if (server_) throw std::logic_error("the route \"" + route + "\" comes after the start");
    Route made;
    made.in_path = names_in(route);
    made.takes_bytes = info.takes_bytes;
    made.handler = std::move(handler);
    made.always = always;
    if (!routes_.emplace(route, std::move(made)).second) throw std::logic_error("the route \"" + route + "\" is there twice");
  }

  void on_upgrade(std::string path, UpgradeHandler handler) override {
    if (server_) throw std::logic_error("upgrades on \"" + path + "\" come after the start");
    if (!upgrades_.emplace(path, std::move(handler)).second) throw std::logic_error("upgrades on \"" + path + "\" are there twice");
  }

  Result<bool> start() override {
    const auto endpoint = http::parse_listen(options_.listen);
    if (!endpoint) return endpoint.error();
    if (!options_.tls && !endpoint->address().is_loopback())
      return Error(Errc::invalid_request,
                   "The listener for other modules believes who they say they are: without mTLS it listens on loopback only, not on " +
                       options_.listen +
                       ". Set rpc.tls.certificate, rpc.tls.private_key and rpc.tls.ca (`loggia certs DIR` makes them for development).");
    if (options_.tls && !options_.permits) return Error(Errc::internal, "The listener for other modules was not told who may call what.");
    HttpServerOptions options;
    options.listen = options_.listen;
    options.body_max = options_.body_max;
    options.header_max = 64u << 10;
    options.target_max = 32u << 10;
    options.name = "rpc";
    options.takes_identity = true;
    options.mutual = options_.tls;
    HttpHandlers handlers;
    handlers.request = [this](HttpRequest request) { return answer(std::move(request)); };
    if (std::any_of(routes_.begin(), routes_.end(), [](const auto& one) { return one.second.takes_bytes; }))
      handlers.streams = [this](const HttpRequest& request) {
        const auto found = routes_.find(route_in(request));
        return found != routes_.end() && found->second.takes_bytes;
      };
    if (!upgrades_.empty()) handlers.upgrade = [this](std::shared_ptr<Upgrade> upgrade) { return enter(std::move(upgrade)); };
    handlers.refusal = [](int status, std::string_view detail) { return problem(status, detail, Trace()); };
    // There from the start, so that a watcher sees the first one.
    for (const char* reason : {"plain", "version", "no_certificate", "foreign", "expired", "other", "by_peer", "module", "topic", "identity"})
      if (options_.tls) refused(*metrics_, reason);
    if (options_.tls) handlers.tls_refused = [this](std::string_view reason, const std::string& remote) { refuse(Context(), reason, remote, ""); };
    auto server = http_server(std::move(options), shards_, clock_, *metrics_, std::move(handlers));
    auto started = server->start();
    if (started) server_ = std::move(server);
    return started;
  }
  std::string address() const override { return server_ ? server_->address() : options_.listen; }
  Result<bool> reload() override { return options_.tls ? options_.tls->reload() : Result<bool>(true); }
  void drain() override {
    if (server_) server_->drain();
  }
  std::size_t calls() const override { return calls_; }
  bool drained() const override { return !server_ || server_->drained(); }
  void stop() override {
    if (server_) server_->stop();
  }

 private:
  struct Route {
    std::vector<std::string> in_path;
    bool takes_bytes = false;
    RouteHandler handler;
    bool always = false;
  };

  class Always final : public Router {
   public:
    explicit Always(InnerListener& of) : of_{of} {}
    void on(RouteInfo info, RouteHandler handler) override { of_.add(info, std::move(handler), true); }

   private:
    InnerListener& of_;
  };

  /// A call of a module, while it is answered.
  class UnderWay {
   public:
    explicit UnderWay(std::atomic<std::size_t>* calls) : calls_{calls} {
      if (calls_) ++*calls_;
    }
    UnderWay(const UnderWay&) = delete;
    ~UnderWay() {
      if (calls_) --*calls_;
    }

   private:
    std::atomic<std::size_t>* const calls_;
  };

  struct Admitted {
    RpcPermission permission = RpcPermission::refused;
    std::string module;
  };

  /// Of the modules that the caller's certificate names, the one that may most; among equals the one that it says it is.
  Admitted admit(const HttpRequest& request, std::string_view claimed, std::string_view route) const {
    Admitted out;
    if (!request.peer) return out;
    for (const auto& name : *request.peer) {
      const auto permission = options_.permits(name, route);
      if (permission > out.permission || (permission == out.permission && (out.module.empty() || name == claimed))) out = {permission, name};
    }
    return out;
  }

  /// What the context says of the caller is from here on what is believed; or the answer to who may not call that.
  std::optional<HttpResponse> check_caller(const HttpRequest& request, Context& context, std::string_view route) {
    if (!options_.tls) return std::nullopt;
    const auto admitted = admit(request, context.caller().module, route);
    if (admitted.permission == RpcPermission::refused) {
      refuse(context, "module", request.remote, admitted.module, route);
      return response_of(Error(Errc::forbidden, "this module may not call that"), context.trace());
    }
    Caller caller;
    if (admitted.permission == RpcPermission::believed) caller = context.caller();
    else if (names_a_person(request)) refuse(context, "identity", request.remote, admitted.module, route);
    if (admitted.permission == RpcPermission::itself) context = context.from(std::string(), std::string());
    caller.module = admitted.module;
    context = context.as(std::move(caller));
    return std::nullopt;
  }

  /// Counted always; a crowd of them is not allowed to fill the log.
  void refuse(const Context& context, std::string_view reason, const std::string& remote, const std::string& module, std::string_view route = "") {
    refused(*metrics_, std::string(reason)).add();
    const auto now = clock_->moment().time_since_epoch().count(), pause = std::chrono::nanoseconds(milliseconds(100)).count();
    auto last = said_.load(std::memory_order_relaxed);
    if ((last != 0 && now - last < pause) || !said_.compare_exchange_strong(last, now, std::memory_order_relaxed)) return;
    log::warn(context, "rpc.refused", Field("reason", std::string(reason)), Field("remote", remote), Field("module", module),
              Field("route", std::string(route)));
  }

  static std::string route_in(const HttpRequest& request) {
    return request.path.starts_with(base) ? request.method + ' ' + request.path.substr(base.size()) : std::string();
  }

  boost::asio::awaitable<HttpResponse> answer(HttpRequest request) {
    auto context = context_of(request, clock_->moment());
    if (!context) co_return response_of(context.error(), Trace());
    const auto trace = context->trace();
    const auto route = route_in(request);
    const auto found = routes_.find(route);
    if (found == routes_.end()) co_return unknown(*context, request);
    if (auto refusal = check_caller(request, *context, route)) co_return std::move(*refusal);
    const bool always = found->second.always;
    if (!always && options_.serving && !options_.serving()) co_return turned_away(trace);
    Call call;
    call.route = route;
    call.body = std::move(request.body);
    call.bytes = std::move(request.bytes);
    call.peer = request.peer;
    const auto& names = found->second.in_path;
    for (auto& parameter : request.query) {
      const bool in_path = std::find(names.begin(), names.end(), parameter.first) != names.end();
      (in_path ? call.path : call.query).push_back(std::move(parameter));
    }
    const auto deadline = context->deadline();
    const UnderWay counted(always ? nullptr : &calls_);
    const auto caller = always ? *context : Context();
    auto answer = co_await ask(found->second, std::move(*context), std::move(call));
    // The kernel's own routes know callers by their certificates alone: what they forbid is forbidden to the module.
    if (always && !answer && answer.error().code == Errc::forbidden) refuse(caller, "topic", request.remote, caller.caller().module, route);
    co_return response_of(std::move(answer), trace, deadline);
  }

  boost::asio::awaitable<std::optional<HttpResponse>> enter(std::shared_ptr<Upgrade> upgrade) {
    const auto& request = upgrade->request();
    auto context = context_of(request, clock_->moment());
    if (!context) co_return response_of(context.error(), Trace());
    const auto found = upgrades_.find(request.path.starts_with(base) ? request.path.substr(base.size()) : std::string());
    if (found == upgrades_.end()) co_return unknown(*context, request);
    if (auto refusal = check_caller(request, *context, "GET " + found->first)) co_return std::move(refusal);
    co_return co_await found->second(std::move(upgrade), std::move(*context));
  }

  static HttpResponse turned_away(const Trace& trace) {
    Error why(Errc::unavailable, "the module is starting or stopping; try again in a moment");
    why.retry_after = 1;
    auto response = response_of(std::move(why), trace);
    response.headers.emplace_back(turned_away_header, "1");
    return response;
  }

  /// Never not_found: that would be the module's answer.
  static HttpResponse unknown(const Context& context, const HttpRequest& request) {
    log::warn(context, "rpc.unknown_route", Field("method", request.method), Field("path", request.path));
    return response_of(Error(Errc::internal, "this process does not answer that request"), context.trace());
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
  Always always_{*this};
  std::atomic<std::size_t> calls_{0};
  std::map<std::string, Route, std::less<>> routes_;
  std::map<std::string, UpgradeHandler, std::less<>> upgrades_;  // by path
  std::atomic<std::int64_t> said_{0};
  std::shared_ptr<HttpServer> server_;  // last: its handlers use the others
};

}  // namespace
}  // namespace rpc

std::shared_ptr<RpcListener> rpc_listener(RpcListenerOptions options, std::shared_ptr<Shards> shards, std::shared_ptr<Clock> clock,
                                          std::shared_ptr<Metrics> metrics) {
  return std::make_shared<rpc::InnerListener>(std::move(options), std::move(shards), std::move(clock), std::move(metrics));
}

}  // namespace loggia
