#include "pages.hpp"
#include "compression.hpp"
#include "fixture.hpp"

using namespace loggia;
using namespace loggia::gateway;
using testing::header_of;

namespace {

const std::string script(4000, 'x');
const WebFile files[] = {{"/index.html", "text/html; charset=utf-8", "<!doctype html><html></html>", {}, false},
                         {"/docs.html", "text/html; charset=utf-8", "<!doctype html><html>docs</html>", {}, false},
                         {"/assets/index-B1x9.js", "text/javascript; charset=utf-8", script, {}, true},
                         {"/icon.svg", "image/svg+xml", "<svg/>", {}, false}};

struct Site {
  Pages pages;
  static PagesParts parts(std::span<const WebFile> all) {
    PagesParts out;
    out.files = all;
    out.openapi_json = [] { return std::string("{}"); };
    out.openapi_yaml = [] { return std::string("a: b\n"); };
    out.asyncapi_json = [] { return std::string(R"({"c":"d"})"); };
    out.asyncapi_yaml = [] { return std::string("c: d\n"); };
    out.jwks = [] { return std::string(R"({"keys":[]})"); };
    out.readiness = [] {
      Check down;
      down.name = "chat";
      down.state = Check::State::down;
      return std::vector<Check>{down};
    };
    return out;
  }
  explicit Site(std::span<const WebFile> all = files) : pages{parts(all)} {}
  std::optional<HttpResponse> get(std::string path, Parameters headers = {}, std::string method = "GET") const {
    HttpRequest request;
    request.method = std::move(method);
    request.path = std::move(path);
    request.headers = std::move(headers);
    Trace trace;
    trace.id = std::string(32, 'a');
    return pages.answer(request, trace);
  }
};

std::string body_of(const HttpResponse& response) { return response.shared_body ? *response.shared_body : response.body; }

}  // namespace

TEST_CASE("the client is at /, its description at /docs, its files at their names, and nothing else is a page") {
  const Site site;
  CHECK(body_of(*site.get("/")) == "<!doctype html><html></html>");
  CHECK(body_of(*site.get("/docs")) == "<!doctype html><html>docs</html>");
  CHECK(site.get("/docs/")->status == 308);
  CHECK(header_of(*site.get("/icon.svg"), "content-type") == "image/svg+xml");
  for (const auto* none : {"/rooms", "/index.htm", "/assets/", "/metrics", "/assets/../index.html"}) CHECK_FALSE(site.get(none));
}

TEST_CASE("what has a hash in its name is kept for ever, everything else is asked for again") {
  const Site site;
  CHECK(header_of(*site.get("/assets/index-B1x9.js"), "cache-control") == "public, max-age=31536000, immutable");
  CHECK(header_of(*site.get("/"), "cache-control") == "no-cache");
}

TEST_CASE("who has it already gets 304 and no body") {
  const Site site;
  const auto etag = header_of(*site.get("/"), "etag");
  REQUIRE(etag.starts_with('"'));
  const auto again = site.get("/", {{"if-none-match", "\"other\", W/" + etag}});
  CHECK(again->status == 304);
  CHECK(body_of(*again).empty());
  CHECK(site.get("/", {{"if-none-match", "\"other\""}})->status == 200);
}

TEST_CASE("text goes compressed to who takes gzip, under a tag of its own") {
  const Site site;
  const auto plain = site.get("/assets/index-B1x9.js");
  const auto zipped = site.get("/assets/index-B1x9.js", {{"accept-encoding", "br, gzip;q=0.8"}});
  CHECK(header_of(*plain, "content-encoding").empty());
  CHECK(header_of(*zipped, "content-encoding") == "gzip");
  CHECK(body_of(*zipped).size() < body_of(*plain).size() / 2);
  CHECK(body_of(*zipped).starts_with("\x1f\x8b"));
  CHECK(header_of(*zipped, "etag") != header_of(*plain, "etag"));
  CHECK(header_of(*plain, "vary") == "Accept-Encoding");
}

TEST_CASE("each description is there as JSON, which the page reads, and as YAML") {
  const Site site;
  for (const auto* name : {"openapi", "asyncapi"}) {
    const auto json = site.get('/' + std::string(name) + ".json"), yaml = site.get('/' + std::string(name) + ".yaml");
    REQUIRE((json && yaml));
    CHECK(header_of(*json, "content-type") == "application/json");
    CHECK(header_of(*yaml, "content-type") == "application/yaml");
  }
  CHECK(body_of(*site.get("/asyncapi.json")) == R"({"c":"d"})");
}

TEST_CASE("an HTML page goes as it is, however long: whoever scans for BREACH finds nothing to look into") {
  const std::string long_page = "<!doctype html>" + script;
  const WebFile page[] = {{"/index.html", "text/html; charset=utf-8", long_page, "\x1f\x8b as the build says", false}};
  const Site site(page);
  const auto answer = site.get("/", {{"accept-encoding", "gzip"}});
  CHECK(header_of(*answer, "content-encoding").empty());
  CHECK(header_of(*answer, "vary").empty());
  CHECK(body_of(*answer) == long_page);
}

TEST_CASE("a description is made when it is first asked for, and once; what the build compressed is taken as it is") {
  int made = 0;
  auto parts = Site::parts(files);
  parts.openapi_yaml = [&made] { return ++made, std::string(600, 'y'); };
  const WebFile zipped[] = {{"/a.css", "text/css; charset=utf-8", script, "\x1f\x8b as the build says", false}};
  parts.files = zipped;
  const Pages pages(std::move(parts));
  CHECK(made == 0);
  HttpRequest request;
  request.method = "GET";
  request.path = "/openapi.yaml";
  for (int count = 0; count < 3; ++count) CHECK(body_of(*pages.answer(request, Trace())) == std::string(600, 'y'));
  CHECK(made == 1);
  request.path = "/a.css";
  request.headers = {{"accept-encoding", "gzip"}};
  CHECK(body_of(*pages.answer(request, Trace())) == "\x1f\x8b as the build says");
}

TEST_CASE("gzip is taken where it is named, and not where it is refused") {
  CHECK(accepts_gzip("gzip, deflate, br"));
  CHECK(accepts_gzip("*"));
  for (const auto* none : {"", "br", "gzip;q=0", "gzip; q=0.0", "*;q=0", "identity"}) CHECK_FALSE(accepts_gzip(none));
}

TEST_CASE("a page takes GET and HEAD only") {
  const auto refused = Site().get("/", {}, "POST");
  CHECK(refused->status == 405);
  CHECK(header_of(*refused, "allow") == "GET, HEAD");
  CHECK(header_of(*refused, "trace-id") == std::string(32, 'a'));
}

TEST_CASE("health is 200 while the process can answer; readiness names who cannot") {
  const Site site;
  CHECK(site.get("/healthz")->status == 200);
  const auto ready = site.get("/readyz");
  CHECK(ready->status == 503);
  CHECK(json::parse(ready->body)["checks"][0]["status"] == "down");
  CHECK(header_of(*ready, "cache-control") == "no-store");
}

TEST_CASE("the policy of pages allows nothing inline and nothing from elsewhere") {
  HttpResponse response;
  response.headers.emplace_back("X-Content-Type-Options", "nosniff");
  secure_page(response);
  const auto policy = header_of(response, "content-security-policy");
  CHECK(policy.find("unsafe") == policy.npos);
  CHECK(policy.find("http") == policy.npos);
  CHECK(policy.starts_with("default-src 'none'"));
  const auto count =
      std::count_if(response.headers.begin(), response.headers.end(), [](const auto& field) { return field.first == "X-Content-Type-Options"; });
  CHECK(count == 1);
}

TEST_CASE("without the web client there is a page that says so") {
  const Site site(std::span<const WebFile>{});
  CHECK(body_of(*site.get("/")).find("<html") != std::string::npos);
  CHECK(site.get("/docs")->status == 200);
}
