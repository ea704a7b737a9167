#include "public_router.hpp"
#include <stdexcept>

namespace loggia::gateway {
namespace {

/// Takes the first segment off: "/users/me" gives "users" and leaves "/me".
std::string_view first_segment(std::string_view& rest) {
  rest.remove_prefix(1);
  const auto end = std::min(rest.find('/'), rest.size());
  const auto segment = rest.substr(0, end);
  rest.remove_prefix(end);
  return segment;
}

}  // namespace

PublicRouter::PublicRouter(Metrics& metrics) : metrics_{metrics} {}
PublicRouter::~PublicRouter() = default;

void PublicRouter::on(RouteInfo info, RouteHandler handler) {
  if (info.access == Access::internal) return;
  const std::string_view text = info.route;
  if (info.takes_bytes || info.gives_bytes) throw std::logic_error("the public edge does not carry the bytes of \"" + std::string(text) + "\" yet");
  const auto space = text.find(' ');
  if (space == text.npos || !text.substr(space + 1).starts_with('/'))
    throw std::logic_error("a route is METHOD /path, and this is \"" + std::string(text) + "\"");
  Route route;
  route.method = text.substr(0, space);
  Node* node = &root_;
  for (auto rest = text.substr(space + 1); rest.starts_with('/');) {
    const auto segment = first_segment(rest);
    const bool parameter = segment.starts_with('{');
    if (parameter) route.names.emplace_back(segment.substr(1, segment.size() - 2));
    auto& next = parameter ? node->parameter : node->literals[std::string(segment)];
    if (!next) next = std::make_unique<Node>();
    node = next.get();
  }
  if (node->methods.contains(route.method)) throw std::logic_error("the route \"" + std::string(text) + "\" is there twice");
  static constexpr const char* classes[] = {"1xx", "2xx", "3xx", "4xx", "5xx"};
  for (std::size_t at = 0; at < std::size(classes); ++at) {
    const Labels labels{{"route", std::string(text)}, {"status", classes[at]}};
    route.answers[at] = &metrics_.counter("loggia_gateway_requests_total", "Requests of a route that were answered.", labels);
  }
  route.duration = &metrics_.histogram("loggia_gateway_request_duration_seconds", "From the match of a route to its answer.",
                                       Labels{{"route", std::string(text)}});
  route.info = info;
  route.handler = std::move(handler);
  auto method = route.method;
  node->methods.emplace(std::move(method), std::move(route));
  routes_.push_back(info);
}

/// A literal that leads nowhere does not hide a parameter that does.
const PublicRouter::Node* PublicRouter::find(const Node& from, std::string_view rest, std::vector<std::string>& values) {
  if (rest.empty()) return from.methods.empty() ? nullptr : &from;
  if (rest.front() != '/') return nullptr;
  auto behind = rest;
  const auto segment = first_segment(behind);
  if (segment.empty()) return nullptr;
  if (const auto literal = from.literals.find(segment); literal != from.literals.end())
    if (const auto* found = find(*literal->second, behind, values)) return found;
  if (!from.parameter) return nullptr;
  values.emplace_back(segment);
  if (const auto* found = find(*from.parameter, behind, values)) return found;
  values.pop_back();
  return nullptr;
}

Match PublicRouter::match(std::string_view method, std::string_view path) const {
  Match out;
  std::vector<std::string> values;
  const auto* node = path.empty() ? nullptr : find(root_, path, values);
  if (!node) return out;
  for (const auto& [name, route] : node->methods) {
    (out.allow += out.allow.empty() ? "" : ", ") += name;
    if (name == "GET") out.allow += ", HEAD";
  }
  out.allow += ", OPTIONS";
  const auto found = node->methods.find(method == "HEAD" ? "GET" : method);
  if (found == node->methods.end()) return out;
  out.route = &found->second;
  for (std::size_t at = 0; at < values.size(); ++at) out.path.emplace_back(out.route->names[at], std::move(values[at]));
  return out;
}

std::vector<RouteInfo> PublicRouter::routes() const { return routes_; }

}  // namespace loggia::gateway
