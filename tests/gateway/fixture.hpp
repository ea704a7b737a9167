#pragma once
// The edge with fakes around it: a verifier that knows three tokens, ports that answer what a test says, routes that show what came.
#include <doctest/doctest.h>
#include "edge.hpp"
#include "loggia/kernel/json.hpp"
#include "loggia/kernel/json_value.hpp"
#include "support/fakes.hpp"
#include "support/print.hpp"
#include "support/unanswered.hpp"

namespace loggia::gateway::testing {

struct FakeVerifier final : auth::Verifier {
  Result<auth::Verified> verify(std::string_view token) const override {
    if (!contact) return Error(Errc::unavailable, "no contact to auth");
    auth::Verified out;
    out.caller.subject = Uuid(*parse_uuid("00000000-0000-7000-8000-000000000001"));
    out.caller.username = token;
    if (token == "member" || token == "admin" || token == "guest") out.caller.roles.emplace_back(token);
    else return Error(Errc::unauthenticated, "the token is not valid");
    return out;
  }
  std::string jwks() const override { return R"({"keys":[]})"; }
  Watch on_revoked(std::function<void(UserId, SessionId)>) override { return nullptr; }
  bool in_contact() const override { return contact; }
  bool contact = true;
};

struct FakeAdministration final : test::UnansweredPort<auth::Administration> {
  using test::UnansweredPort<auth::Administration>::on;
  Async<Nothing> on(Context, auth::RecordAudit request) override {
    recorded.push_back(request.action + " " + request.target.value_or(""));
    co_return Nothing();
  }
  std::vector<std::string> recorded;
};

struct FakeLive final : test::UnansweredPort<chat::Live> {
  using test::UnansweredPort<chat::Live>::on;
  Async<chat::Audience> on(Context, chat::GetAudience) override { co_return audience; }
  chat::Audience audience;
};

struct FakeDoors final : realtime::Doors {
  boost::asio::awaitable<std::optional<HttpResponse>> enter(std::shared_ptr<Upgrade>, std::string address, Trace trace) override {
    entered.push_back(std::move(address));
    if (refusing) co_return problem(Error(Errc::unavailable, "not now"), trace);
    co_return std::nullopt;
  }
  bool refusing = false;
  std::vector<std::string> entered;
};

struct FakeUpgrade final : Upgrade {
  explicit FakeUpgrade(HttpRequest request) : request_{std::move(request)} {}
  const HttpRequest& request() const override { return request_; }
  std::size_t shard() const override { return 0; }
  std::shared_ptr<WebSocket> accept(std::string_view, WebSocket::Limits) override { return nullptr; }
  HttpRequest request_;
};

inline std::string header_of(const HttpResponse& response, std::string_view name) {
  for (const auto& [key, value] : response.headers) {
    std::string low;
    for (const char c : key) low += c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
    if (low == name) return value;
  }
  return {};
}

struct World {
  loggia::test::FakeKernel kernel;
  std::shared_ptr<FakeVerifier> verifier = std::make_shared<FakeVerifier>();
  std::shared_ptr<FakeAdministration> administration = std::make_shared<FakeAdministration>();
  std::shared_ptr<FakeLive> live = std::make_shared<FakeLive>();
  std::shared_ptr<FakeDoors> doors = std::make_shared<FakeDoors>();
  std::shared_ptr<PublicRouter> router = std::make_shared<PublicRouter>(*kernel.kernel.metrics);
  std::unique_ptr<Edge> edge;
  Context seen;  // of the last request that came through
  Call call;
  Result<Answer> next = Answer{};

  explicit World(const std::string& public_url = "", const std::vector<std::string>& allowed = {}, const std::vector<std::string>& trusted = {}) {
    route("GET /users/{id}", Access::user);
    route("POST /rooms", Access::user, true);
    route("POST /auth/login", Access::open);
    route("POST /auth/register", Access::open);
    route("POST /auth/refresh", Access::open);
    route("POST /auth/logout", Access::open);
    route("GET /admin/users", Access::admin);
    EdgeParts parts;
    parts.clock = kernel.clock;
    parts.random = kernel.random;
    parts.verifier = verifier;
    parts.administration = administration;
    parts.live = live;
    parts.doors = doors;
    parts.router = router;
    parts.origins = Origins::make(public_url, allowed, Networks::parse(trusted).value()).value();
    edge = std::make_unique<Edge>(std::move(parts));
  }

  void route(std::string_view text, Access access, bool idempotent = false) {
    RouteInfo info;
    info.route = text;
    info.access = access;
    info.idempotent = idempotent;
    router->on(std::move(info), [this](Context context, Call made) { return take(std::move(context), std::move(made)); });
  }
  Async<Answer> take(Context context, Call made) {
    seen = std::move(context);
    call = std::move(made);
    co_return next;
  }

  static HttpRequest request(std::string method, std::string path, Parameters headers = {}, std::string body = "") {
    HttpRequest out;
    out.method = std::move(method);
    out.path = "/api/v1" + path;
    out.target = out.path;
    out.headers = std::move(headers);
    if (!out.has("host")) out.headers.emplace_back("host", "chat.test:8080");
    if (!body.empty() && !out.has("content-type")) out.headers.emplace_back("content-type", "application/json");
    out.body = std::move(body);
    out.remote = "127.0.0.1";
    return out;
  }
  HttpResponse send(HttpRequest sent) {
    auto visit = edge->visit(std::move(sent));
    if (auto refusal = edge->too_many(visit)) return *refusal;
    return kernel.wait(edge->answer(std::move(visit)));
  }
  HttpResponse send(std::string method, std::string path, Parameters headers = {}, std::string body = "") {
    return send(request(std::move(method), std::move(path), std::move(headers), std::move(body)));
  }
};

inline std::string code_of(const HttpResponse& response) {
  const auto body = json::parse(response.body, nullptr, false);
  return body.is_object() ? body.value("code", "") : "";
}

}  // namespace loggia::gateway::testing
