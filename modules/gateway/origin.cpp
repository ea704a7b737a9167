#include "origin.hpp"
#include <algorithm>

namespace loggia::gateway {
namespace {

std::string lower(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return out;
}

bool digit(char c) { return c >= '0' && c <= '9'; }
bool name_character(char c) { return (c >= 'a' && c <= 'z') || digit(c) || c == '.' || c == '-' || c == '_'; }
bool address_character(char c) { return (c >= 'a' && c <= 'f') || digit(c) || c == ':' || c == '.'; }

/// `name`, `[::1]`, either with a port.
bool is_host(std::string_view host) {
  const bool bracket = host.starts_with('[');
  if (bracket) host.remove_prefix(1);
  const auto end = host.find(bracket ? ']' : ':');
  const auto name = host.substr(0, end);
  if (name.empty() || !std::all_of(name.begin(), name.end(), bracket ? address_character : name_character)) return false;
  if (end == host.npos) return !bracket;
  auto port = host.substr(end + bracket);
  if (port.empty()) return bracket;
  if (!port.starts_with(':')) return false;
  port.remove_prefix(1);
  return !port.empty() && port.size() <= 5 && std::all_of(port.begin(), port.end(), digit);
}

}  // namespace

std::string origin_of(std::string_view url) {
  const auto text = lower(url);
  const std::size_t begin = text.starts_with("http://") ? 7 : text.starts_with("https://") ? 8 : 0;
  if (begin == 0) return {};
  auto host = text.substr(begin, text.find_first_of("/?#", begin) - begin);
  if (!is_host(host)) return {};
  const std::string_view standard = begin == 7 ? ":80" : ":443";
  if (host.ends_with(standard)) host.resize(host.size() - standard.size());
  return text.substr(0, begin) + host;
}

namespace {

/// What the header says, as an origin; empty where it is none. An Origin has no path (RFC 6454, 7.1), and only canonical ones go into answers.
std::string sent_origin(const HttpRequest& request) {
  const auto sent = request.header("origin");
  const auto host = sent.find("://");
  return host != sent.npos && sent.find_first_of("/?#", host + 3) == sent.npos ? origin_of(sent) : std::string();
}

}  // namespace

Result<Origins> Origins::make(const std::string& public_url, const std::vector<std::string>& allowed, Networks trusted) {
  Origins out;
  out.trusted_ = std::move(trusted);
  if (!public_url.empty()) {
    out.public_ = origin_of(public_url);
    if (out.public_.empty()) return Error(Errc::invalid_request, "http.public_url: \"" + public_url + "\" is no address; write https://chat.example");
  }
  for (const auto& one : allowed) {
    out.allowed_.push_back(origin_of(one));
    if (out.allowed_.back().empty())
      return Error(Errc::invalid_request, "http.allowed_origins: \"" + one + "\" is no origin; write https://other.example");
  }
  return out;
}

bool Origins::secure(const HttpRequest& request) const {
  if (request.tls || public_.starts_with("https://")) return true;
  return public_.empty() && forwarded(request, trusted_, "x-forwarded-proto") == "https";
}

std::string Origins::own(const HttpRequest& request) const {
  if (!public_.empty()) return public_;
  auto host = forwarded(request, trusted_, "x-forwarded-host");
  if (host.empty()) host = std::string(request.header("host"));
  return origin_of((secure(request) ? "https://" : "http://") + host);
}

Origin Origins::of(const HttpRequest& request) const {
  const auto fields = std::count_if(request.headers.begin(), request.headers.end(), [](const auto& field) { return field.first == "origin"; });
  if (fields == 0) return Origin::none;
  if (fields > 1) return Origin::foreign;  // no browser sends two, and of two each reader could take another
  const auto sent = sent_origin(request);
  if (sent.empty()) return Origin::foreign;
  if (sent == own(request)) return Origin::own;
  return std::find(allowed_.begin(), allowed_.end(), sent) != allowed_.end() ? Origin::allowed : Origin::foreign;
}

Parameters cors_headers(const HttpRequest& request, Origin origin) {
  if (origin != Origin::allowed) return {};
  return {{"Access-Control-Allow-Origin", sent_origin(request)},
          {"Access-Control-Expose-Headers", "Trace-Id, RateLimit, RateLimit-Policy, Retry-After"}};
}

Parameters preflight_headers(const HttpRequest& request, Origin origin, std::string_view methods) {
  if (origin != Origin::allowed) return {};
  return {{"Access-Control-Allow-Origin", sent_origin(request)},
          {"Access-Control-Allow-Methods", std::string(methods)},
          {"Access-Control-Allow-Headers", "Authorization, Content-Type, Idempotency-Key, traceparent"},
          {"Access-Control-Max-Age", "600"}};
}

}  // namespace loggia::gateway
