#include "loggia/gateway/module.hpp"
#include <algorithm>
#include "edge.hpp"
#include "loggia/kernel/log.hpp"
#include "loggia/kernel/openapi.hpp"
#include "pages.hpp"
#include "settings.hpp"
#include "status.hpp"

namespace loggia::gateway {
namespace {

std::vector<ConfigKey> keys() {
  using Kind = ConfigKey::Kind;
  const auto key = [](std::string_view name, Kind kind, std::string_view standard, std::string_view help) {
    ConfigKey out;
    out.name = name;
    out.kind = kind;
    out.standard = standard;
    out.help = help;
    return out;
  };
  std::vector<ConfigKey> out{
      key("http.listen", Kind::address, "127.0.0.1:8080", "the public listener"),
      key("http.public_url", Kind::text, "", "the address under which people reach it, such as https://chat.example"),
      key("http.allowed_origins", Kind::list, "", "further web origins that may call and open sockets"),
      key("http.trusted_proxies", Kind::list, "", "networks whose X-Forwarded-* headers count"),
      key("http.tls.certificate", Kind::text, "", "PEM file; TLS on the public listener"),
      key("http.tls.private_key", Kind::text, "", "PEM file of its key"),
      key("gateway.rate_limit", Kind::flag, "true", "false switches every limit off, for tests"),
  };
  out[1].alike = true;  // who issues tokens, and where links in mails lead
  return out;
}

std::chrono::seconds session_lifetime(const Config& config) {
  return config.declares("auth.session_lifetime") ? std::chrono::duration_cast<std::chrono::seconds>(config.duration("auth.session_lifetime"))
                                                  : std::chrono::hours(24 * 30);
}

class GatewayModule final : public Module {
 public:
  explicit GatewayModule(Kernel& kernel) : kernel_{kernel} {}

  Result<bool> start() override {
    auto trusted = Networks::parse(kernel_.config.list("http.trusted_proxies"));
    if (!trusted) return trusted.error();
    auto origins = Origins::make(kernel_.config.text("http.public_url"), kernel_.config.list("http.allowed_origins"), std::move(*trusted));
    if (!origins) return origins.error();
    make_edge(std::move(*origins));
    make_pages();
    HttpServerOptions options;
    options.listen = kernel_.config.text("http.listen");
    options.certificate = kernel_.config.text("http.tls.certificate");
    options.private_key = kernel_.config.text("http.tls.private_key");
    options.name = "public";
    options.on_calm = kernel_.return_memory;
    HttpHandlers handlers;
    handlers.request = [this](HttpRequest request) { return answer(std::move(request)); };
    handlers.upgrade = [this](std::shared_ptr<Upgrade> upgrade) { return enter(std::move(upgrade)); };
    handlers.refusal = [this](int status, std::string_view detail) { return refusal(status, detail); };
    const bool tls = !options.certificate.empty();
    server_ = http_server(std::move(options), kernel_.shards, kernel_.clock, *kernel_.metrics, std::move(handlers));
    if (auto started = server_->start(); !started) return started;
    kernel_.public_address = (tls ? "https://" : "http://") + server_->address();
    return true;
  }

  void drain() override {
    if (server_) server_->drain();
  }
  bool drained() const override { return !server_ || server_->drained(); }

  void reload(const Config& config) override {
    edge_->set_limited(config.flag("gateway.rate_limit"));
    if (auto loaded = server_->reload_certificate(); !loaded) log::error("gateway.certificate_not_loaded", Field("why", loaded.error().detail));
  }

  void stop() override {
    if (server_) server_->stop();
  }

 private:
  void make_edge(Origins origins) {
    EdgeParts parts;
    parts.clock = kernel_.clock;
    parts.random = kernel_.random;
    parts.verifier = kernel_.ports.get<auth::Verifier>();
    parts.administration = kernel_.ports.get<auth::Administration>();
    parts.live = kernel_.ports.get<chat::Live>();
    parts.doors = kernel_.ports.get<realtime::Doors>();
    parts.origins = std::move(origins);
    parts.session_lifetime = session_lifetime(kernel_.config);
    parts.router = std::make_shared<PublicRouter>(*kernel_.metrics);
    for (const auto& module : kernel_.modules)
      if (module.mount) module.mount(*parts.router, kernel_);
    routes_ = parts.router->routes();
    edge_ = std::make_unique<Edge>(std::move(parts));
    edge_->set_limited(kernel_.config.flag("gateway.rate_limit"));
  }

  nlohmann::json asyncapi() const {
    std::vector<Topic> topics;
    std::vector<SocketProtocol> protocols;
    for (const auto& module : kernel_.modules) {
      topics.insert(topics.end(), module.topics.begin(), module.topics.end());
      protocols.insert(protocols.end(), module.protocols.begin(), module.protocols.end());
    }
    return asyncapi_document(topics, protocols, kernel_.version);
  }

  void make_pages() {
    PagesParts parts;
    parts.files = web_files();
    parts.openapi_json = [this] { return openapi_document(routes_, kernel_.version).dump(); };
    parts.openapi_yaml = [this] { return to_yaml(openapi_document(routes_, kernel_.version)); };
    parts.asyncapi_json = [this] { return asyncapi().dump(); };
    parts.asyncapi_yaml = [this] { return to_yaml(asyncapi()); };
    parts.jwks = [verifier = kernel_.ports.get<auth::Verifier>()] { return verifier->jwks(); };
    parts.readiness = kernel_.readiness;
    pages_ = std::make_unique<Pages>(std::move(parts));
  }

  boost::asio::awaitable<HttpResponse> answer(HttpRequest request) {
    auto visit = edge_->visit(std::move(request));
    const std::string path = visit.request.path;
    const bool health = path == "/healthz" || path == "/readyz";  // whoever watches is never told to wait
    HttpResponse response;
    if (!health)
      if (auto refusal = edge_->too_many(visit)) co_return std::move(*refusal);
    const bool reads = visit.request.method == "GET" || visit.request.method == "HEAD";
    if (path == "/api/v1/realtime" && reads) {
      response = problem(426, "this address speaks WebSocket, with the subprotocol loggia.v1", visit.trace);
      response.headers.emplace_back("Trace-Id", visit.trace.id);
      response.headers.emplace_back("Upgrade", "websocket");
    } else if (path.starts_with("/api/")) {
      response = co_await edge_->answer(std::move(visit));
    } else if (auto page = pages_->answer(visit.request, visit.trace)) {
      response = std::move(*page);
    } else {
      response = edge_->refuse(visit, Error(Errc::not_found, "there is no such page"));
    }
    if (!path.starts_with("/api/")) secure_page(response);
    co_return response;
  }

  boost::asio::awaitable<std::optional<HttpResponse>> enter(std::shared_ptr<Upgrade> upgrade) { co_return co_await edge_->enter(std::move(upgrade)); }

  HttpResponse refusal(int status, std::string_view detail) const {
    const auto trace = new_trace(*kernel_.random);
    auto response = problem(status, detail, trace);
    response.headers.emplace_back("Trace-Id", trace.id);
    response.headers.emplace_back("Cache-Control", "no-store");
    secure_page(response);
    return response;
  }

  Kernel& kernel_;
  std::vector<RouteInfo> routes_;
  std::unique_ptr<Edge> edge_;
  std::unique_ptr<Pages> pages_;
  std::shared_ptr<HttpServer> server_;  // last: its handlers use the others
};

}  // namespace

ModuleDescriptor module() {
  ModuleDescriptor out;
  out.name = "gateway";
  out.needs = {"auth", "user", "chat", "realtime", "notification"};
  out.speaks_for_people = true;
  out.keys = keys();
  out.check = mistakes;
  out.make = [](Kernel& kernel) -> std::unique_ptr<Module> { return std::make_unique<GatewayModule>(kernel); };
  out.mount = mount;
  return out;
}

}  // namespace loggia::gateway
