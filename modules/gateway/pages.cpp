#include "pages.hpp"
#include "compression.hpp"
#include "loggia/kernel/crypto.hpp"

namespace loggia::gateway {
namespace {

constexpr std::size_t zip_min = 512;

/// Where the executable was built without the web client. No script, no style: the policy holds for it too.
constexpr std::string_view notice =
    "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width, "
    "initial-scale=1\">\n"
    "<meta name=\"color-scheme\" content=\"light dark\">\n<title>Loggia</title>\n</head>\n<body>\n<main>\n<h1>Loggia runs</h1>\n"
    "<p>This executable was built without the web client. Build it with <code>npm ci &amp;&amp; npm run build</code> in <code>web/</code>, then "
    "build "
    "Loggia again.</p>\n<p>The API is described by <a href=\"/openapi.json\">openapi.json</a>, <a href=\"/openapi.yaml\">openapi.yaml</a> and "
    "<a href=\"/asyncapi.yaml\">asyncapi.yaml</a>.</p>\n</main>\n</body>\n</html>\n";

/// What is the same for everybody. An HTML page goes as it is: it fits into the first packets, and scanners suspect each one that is compressed of
/// holding what its length may give away (BREACH).
bool compressible(std::string_view type) {
  if (type.starts_with("text/html")) return false;
  return type.starts_with("text/") || type.starts_with("application/json") || type.starts_with("application/yaml") ||
         type.starts_with("application/manifest") || type.starts_with("image/svg");
}

HttpResponse of_type(std::string_view type, std::string body) {
  HttpResponse response;
  response.headers.emplace_back("Content-Type", std::string(type));
  response.body = std::move(body);
  return response;
}

}  // namespace

void secure_page(HttpResponse& response) {
  const auto set = [&](std::string_view name, std::string_view value) {
    std::erase_if(response.headers, [&](const auto& field) { return field.first == name; });
    response.headers.emplace_back(name, value);
  };
  set("Content-Security-Policy", page_policy);
  set("X-Content-Type-Options", "nosniff");
  set("Referrer-Policy", "no-referrer");
  set("Cross-Origin-Opener-Policy", "same-origin");
  set("Cross-Origin-Resource-Policy", "same-origin");
}

bool matches_tag(std::string_view header, std::string_view etag) {
  while (!header.empty()) {
    const auto comma = header.find(',');
    auto one = header.substr(0, comma);
    header = comma == header.npos ? std::string_view() : header.substr(comma + 1);
    while (one.starts_with(' ')) one.remove_prefix(1);
    while (one.ends_with(' ')) one.remove_suffix(1);
    if (one.starts_with("W/")) one.remove_prefix(2);
    if (one == "*" || one == etag) return true;
  }
  return false;
}

Pages::Pages(PagesParts parts) : parts_{std::move(parts)} {
  for (const auto* path : {"/", "/docs"}) add(path, "text/html; charset=utf-8", [] { return std::string(notice); });
  for (const auto& file : parts_.files) {
    const bool html = file.path.ends_with(".html");
    auto& page = add(file.path == "/index.html" ? "/"
                     : html                     ? std::string(file.path.substr(0, file.path.size() - 5))
                                                : std::string(file.path),
                     std::string(file.type), [bytes = file.bytes] { return std::string(bytes); });
    page.made_zipped = file.zipped;
    page.hashed = file.hashed;
  }
  add("/openapi.json", "application/json", parts_.openapi_json);
  add("/openapi.yaml", "application/yaml", parts_.openapi_yaml);
  add("/asyncapi.json", "application/json", parts_.asyncapi_json);
  add("/asyncapi.yaml", "application/yaml", parts_.asyncapi_yaml);
}

Pages::Page& Pages::add(std::string path, std::string type, std::function<std::string()> make) {
  auto page = std::make_unique<Page>();
  page->type = std::move(type);
  page->make = std::move(make);
  return *pages_.insert_or_assign(std::move(path), std::move(page)).first->second;
}

void Pages::prepare(Page& page) {
  auto bytes = page.make();
  page.etag = crypto::base64url(crypto::sha256(bytes)).substr(0, 22);
  if (compressible(page.type) && bytes.size() >= zip_min) {
    auto zipped = page.made_zipped.empty() ? gzip(bytes) : std::string(page.made_zipped);
    if (zipped.size() + zipped.size() / 8 < bytes.size()) page.zipped = std::make_shared<const std::string>(std::move(zipped));
  }
  page.plain = std::make_shared<const std::string>(std::move(bytes));
}

HttpResponse Pages::serve(Page& page, const HttpRequest& request) {
  std::call_once(page.prepared, [&] { prepare(page); });
  const bool zipped = page.zipped && accepts_gzip(request.header("accept-encoding"));
  const std::string etag = '"' + page.etag + (zipped ? "-gz\"" : "\"");
  HttpResponse response;
  response.headers.emplace_back("ETag", etag);
  response.headers.emplace_back("Cache-Control", page.hashed ? "public, max-age=31536000, immutable" : "no-cache");
  if (page.zipped) response.headers.emplace_back("Vary", "Accept-Encoding");
  if (matches_tag(request.header("if-none-match"), etag)) {
    response.status = 304;
    return response;
  }
  response.headers.emplace_back("Content-Type", page.type);
  if (zipped) response.headers.emplace_back("Content-Encoding", "gzip");
  response.shared_body = zipped ? page.zipped : page.plain;
  return response;
}

std::optional<HttpResponse> Pages::found(const HttpRequest& request) const {
  if (request.path == "/healthz") return of_type("application/json", "{\"status\":\"ok\"}");
  if (request.path == "/readyz") return readiness_response(parts_.readiness());
  if (request.path == "/.well-known/jwks.json") return of_type("application/json", parts_.jwks());
  if (request.path == "/docs/") {
    HttpResponse moved;
    moved.status = 308;
    moved.headers.emplace_back("Location", "/docs");
    return moved;
  }
  const auto page = pages_.find(request.path);
  if (page == pages_.end()) return std::nullopt;
  return serve(*page->second, request);
}

std::optional<HttpResponse> Pages::answer(const HttpRequest& request, const Trace& trace) const {
  auto response = found(request);
  if (!response) return response;
  if (request.method != "GET" && request.method != "HEAD") {
    Error wrong(Errc::method_not_allowed, "this address takes GET and HEAD");
    *response = problem(wrong, trace);
    response->headers.emplace_back("Allow", "GET, HEAD");
  } else if (request.path == "/healthz" || request.path == "/readyz") {
    response->headers.emplace_back("Cache-Control", "no-store");
  } else if (request.path == "/.well-known/jwks.json") {
    response->headers.emplace_back("Cache-Control", "public, max-age=300");
    response->headers.emplace_back("Access-Control-Allow-Origin", "*");  // public keys, for everybody who checks tokens
  }
  response->headers.emplace_back("Trace-Id", trace.id);
  return response;
}

}  // namespace loggia::gateway
