#include "edge.hpp"
#include <algorithm>
#include <boost/system/system_error.hpp>
#include "cookies.hpp"
#include "guests.hpp"
#include "loggia/kernel/json.hpp"
#include "loggia/kernel/json_value.hpp"
#include "loggia/kernel/log.hpp"

namespace loggia::gateway {
namespace {

constexpr std::chrono::seconds time_limit(10);
constexpr std::string_view base = "/api/v1";

std::optional<std::string_view> bearer(const HttpRequest& request) {
  const auto header = request.header("authorization");
  if (header.size() < 7 || (header[6] != ' ')) return std::nullopt;
  constexpr std::string_view scheme = "bearer";
  for (std::size_t at = 0; at < scheme.size(); ++at)
    if ((header[at] | 0x20) != scheme[at]) return std::nullopt;
  auto token = header.substr(7);
  while (token.starts_with(' ')) token.remove_prefix(1);
  return token;
}

/// application/json, perhaps with charset=utf-8 (RFC 8259 knows no other).
bool is_json(std::string_view type) {
  std::string low;
  for (const char c : type)
    if (c != ' ' && c != '\t' && c != '"') low += c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  return low == "application/json" || low == "application/json;charset=utf-8";
}

Result<std::string> idempotency_key(const HttpRequest& request) {
  const auto names_key = [](const auto& field) { return field.first == "idempotency-key"; };
  const auto count = std::count_if(request.headers.begin(), request.headers.end(), names_key);
  if (count == 0) return std::string();
  std::string key(request.header("idempotency-key"));
  const bool printable = std::all_of(key.begin(), key.end(), [](char c) { return c >= ' ' && c <= '~'; });
  if (count > 1 || key.empty() || key.size() > 64 || !printable)
    return Error(Errc::invalid_request, "Idempotency-Key has 1 to 64 printable ASCII characters");
  return key;
}

/// The login that is tried, for counting guesses.
std::string tried_login(const std::string& body) {
  const auto parsed = parse_untrusted(body);
  if (!parsed || !parsed->is_object()) return {};
  const auto found = parsed->find("login");
  if (found == parsed->end() || !found->is_string()) return {};
  auto login = found->get<std::string>();
  login.resize(std::min<std::size_t>(login.size(), 254));
  for (auto& c : login)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
  return login;
}

bool signs_in(std::string_view route) { return route == "POST /auth/login" || route == "POST /auth/register"; }

std::string network_of(const std::string& address) {
  const auto parsed = Address::parse(address);
  return parsed ? parsed->network() : address;
}

}  // namespace

Visit Edge::visit(HttpRequest request) const {
  Visit out;
  auto sent = Trace::parse(request.header("traceparent"));
  out.trace = sent ? child_of(*sent, *parts_.random) : new_trace(*parts_.random);
  out.origin = parts_.origins.of(request);
  out.secure = parts_.origins.secure(request);
  out.address = client_address(request, parts_.origins.trusted());
  out.request = std::move(request);
  return out;
}

std::optional<HttpResponse> Edge::too_many(Visit& visit) {
  if (!limited_) return std::nullopt;
  visit.limit = limiter_.take(address_policy, network_of(visit.address), parts_.clock->moment());
  if (visit.limit.allowed) return std::nullopt;
  return refuse(visit, refused(visit.limit));
}

HttpResponse Edge::refuse(const Visit& visit, const Error& error) const {
  auto response = problem(error, visit.trace);
  decorate(visit, response);
  return response;
}

void Edge::decorate(const Visit& visit, HttpResponse& response) const {
  response.headers.emplace_back("Trace-Id", visit.trace.id);
  response.headers.emplace_back("Cache-Control", "no-store");
  response.headers.emplace_back("X-Content-Type-Options", "nosniff");
  announce(response.headers, visit.limit);
  auto cors = cors_headers(visit.request, visit.origin);
  response.headers.insert(response.headers.end(), std::make_move_iterator(cors.begin()), std::make_move_iterator(cors.end()));
  if (parts_.origins.any_allowed()) response.headers.emplace_back("Vary", "Origin");
}

boost::asio::awaitable<HttpResponse> Edge::answer(Visit visit) {
  const std::string_view path = visit.request.path;
  auto match = parts_.router->match(visit.request.method, path.starts_with(base) ? path.substr(base.size()) : std::string_view());
  if (match.allow.empty()) co_return refuse(visit, Error(Errc::not_found, "there is no such address; /openapi.json lists them"));
  if (visit.request.method == "OPTIONS") co_return options(visit, match);
  if (!match.route) {
    auto response = refuse(visit, Error(Errc::method_not_allowed, "this address takes " + match.allow));
    response.headers.emplace_back("Allow", match.allow);
    co_return response;
  }
  co_return co_await call(std::move(visit), std::move(match));
}

HttpResponse Edge::options(const Visit& visit, const Match& match) const {
  HttpResponse response;
  response.status = 204;
  response.headers = preflight_headers(visit.request, visit.origin, match.allow);
  response.headers.emplace_back("Allow", match.allow);
  response.headers.emplace_back("Trace-Id", visit.trace.id);
  if (parts_.origins.any_allowed()) response.headers.emplace_back("Vary", "Origin");
  return response;
}

boost::asio::awaitable<HttpResponse> Edge::call(Visit visit, Match match) {
  const auto& route = *match.route;
  const auto begun = parts_.clock->moment();
  HttpResponse response;
  auto context = co_await admit(visit, route);
  if (!context) {
    response = failed(visit, route, context.error());
  } else {
    auto call = call_of(visit, match, *context);
    if (!call) {
      response = failed(visit, route, call.error());
    } else {
      auto answer = co_await ask(*context, route, *call);
      response = answer ? finished(visit, route, *call, std::move(*answer)) : failed(visit, route, answer.error());
    }
  }
  route.answers[std::clamp(response.status / 100, 1, 5) - 1]->add();
  route.duration->observe(std::chrono::duration<double>(parts_.clock->moment() - begun).count());
  decorate(visit, response);
  co_return response;
}

/// Who asks, and whether they may; with the limits that they count against.
Async<Context> Edge::admit(Visit& visit, const Route& route) {
  Context context(visit.trace, parts_.clock->moment() + time_limit);
  context = context.from(visit.address, client_name(visit.request.header("user-agent")));
  const auto token = bearer(visit.request);
  Result<auth::Verified> verified = Error(Errc::unauthenticated, "this needs an access token: Authorization: Bearer TOKEN");
  if (token) verified = parts_.verifier->verify(*token);
  if (verified) context = context.as(std::move(verified->caller));
  if (auto within = within_limits(visit, route, context); !within) co_return within.error();
  // Where nobody needs to be known, a token that is no good any more does no harm: a browser signs out with it.
  if (!verified && route.info.access != Access::open) co_return verified.error();
  if (route.info.access == Access::admin && !context.caller().is("admin")) {
    co_await record(context, "admin.refused", std::string(route.info.route));
    co_return Error(Errc::forbidden, "only administrators may do this");
  }
  if (route.info.idempotent) {
    auto key = idempotency_key(visit.request);
    if (!key) co_return key.error();
    context = context.keyed(std::move(*key));
  }
  if (context.caller().is("guest")) {
    auto seen = co_await as_guest(parts_.live, context, route.info.route, visit.request.path);
    if (!seen) co_return seen.error();
    context = std::move(*seen);
  }
  co_return context;
}

Result<bool> Edge::within_limits(Visit& visit, const Route& route, const Context& context) {
  if (!limited_) return true;
  const auto now = parts_.clock->moment();
  const auto network = network_of(visit.address);
  const bool own = context.caller().known() && route.info.access != Access::open;
  const auto who = own ? context.caller().subject.text() : network;
  visit.limit = limiter_.take(policy_of(route.info.route), who, now);
  if (visit.limit.allowed && route.info.route == "POST /auth/login")
    visit.limit = limiter_.take(login_policy, network + '\n' + tried_login(visit.request.body), now);
  if (!visit.limit.allowed) return refused(visit.limit);
  return true;
}

Result<Call> Edge::call_of(Visit& visit, Match& match, const Context& context) const {
  const auto& request = visit.request;
  if (!request.body.empty() && !is_json(request.header("content-type")))
    return Error(Errc::unsupported_media_type, "the body is JSON: send Content-Type: application/json");
  Call call;
  call.route = match.route->info.route;
  call.path = std::move(match.path);
  call.query = request.query;
  call.body = request.body;
  call.strict = true;
  if (auto taken = take_cookie(visit, *match.route, context, call); !taken) return taken.error();
  return call;
}

/// Refresh, and logout of who has no good access token, take the cookie's token in place of one in the body; from our own pages only.
Result<bool> Edge::take_cookie(Visit& visit, const Route& route, const Context& context, Call& call) const {
  const bool refresh = route.info.route == "POST /auth/refresh", logout = route.info.route == "POST /auth/logout";
  if (!refresh && !logout) return true;
  json body = json::object();
  if (!call.body.empty()) {
    auto parsed = parse_untrusted(call.body);
    if (!parsed) return parsed.error();
    if (!parsed->is_object()) return Error(Errc::invalid_request, "the body is a JSON object");
    body = std::move(*parsed);
  }
  if (logout && body.contains("refresh_token"))
    return wrong_field("/refresh_token", "is not known here: sign out with the access token or the cookie");
  const auto cookie = cookie_token(visit.request, visit.secure);
  if (!cookie || body.contains("refresh_token")) return true;
  const bool known = logout && context.caller().known();
  if (visit.origin == Origin::own) visit.cookie = *cookie;
  if (known) return true;
  if (visit.origin != Origin::own)
    return Error(Errc::forbidden, "the cookie is taken from our own pages only: the request needs an Origin that is ours");
  body["refresh_token"] = *cookie;
  call.body = body.dump();
  return true;
}

Async<Answer> Edge::ask(Context context, const Route& route, Call call) {
  try {
    co_return co_await route.handler(std::move(context), std::move(call));
  } catch (const boost::system::system_error&) {
    throw;  // the connection has ended, and its waits with it
  } catch (const std::exception& problem) {
    co_return Error(Errc::internal, problem.what());
  }
}

/// The audit log is not in the way of the answer: where it cannot be written, that is logged.
boost::asio::awaitable<void> Edge::record(Context context, std::string action, std::string target) {
  const std::optional<std::string> detail;
  auto written = co_await parts_.administration->ask<auth::RecordAudit>(context, action, target, detail);
  if (!written) log::warn(context, "gateway.audit_failed", Field("why", written.error().detail));
}

HttpResponse Edge::finished(const Visit& visit, const Route& route, const Call& call, Answer answer) const {
  HttpResponse response;
  response.status = answer.status;
  response.body = std::move(answer.body);
  if (!response.body.empty()) response.headers.emplace_back("Content-Type", "application/json");
  const bool renewed = route.info.route == "POST /auth/refresh" && !visit.cookie.empty();
  if (renewed || (signs_in(route.info.route) && wants_cookie(call.body))) {
    if (auto parted = part_token(response.body)) {
      response.body = std::move(parted->body);
      response.headers.emplace_back("Set-Cookie", set_cookie(parted->token, visit.secure, parts_.session_lifetime));
    }
  }
  if (route.info.route == "POST /auth/logout" && !visit.cookie.empty()) response.headers.emplace_back("Set-Cookie", clear_cookie(visit.secure));
  return response;
}

HttpResponse Edge::failed(const Visit& visit, const Route& route, Error error) const {
  if (error.code == Errc::internal) {
    // The one place where what went wrong inside is written down; outside it is a trace_id.
    const Context context(visit.trace);
    log::error(context, "gateway.internal", Field("route", route.info.route), Field("why", error.detail));
    error = Error(Errc::internal, "something went wrong on the server; report it with the trace_id");
  }
  return problem(error, visit.trace);
}

boost::asio::awaitable<std::optional<HttpResponse>> Edge::enter(std::shared_ptr<Upgrade> upgrade) {
  auto coming = visit(upgrade->request());
  if (coming.request.path != "/api/v1/realtime") co_return refuse(coming, Error(Errc::not_found, "sockets are at /api/v1/realtime"));
  if (auto refusal = too_many(coming)) co_return std::move(refusal);
  if (coming.origin == Origin::foreign)
    co_return refuse(coming, Error(Errc::forbidden, "pages of another origin open no socket here; http.allowed_origins names those that may"));
  auto refusal = co_await parts_.doors->enter(std::move(upgrade), coming.address, coming.trace);
  if (refusal) decorate(coming, *refusal);
  co_return std::move(refusal);
}

}  // namespace loggia::gateway
