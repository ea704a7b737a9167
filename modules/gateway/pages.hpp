#pragma once
// What the gateway serves by itself: the web client, the descriptions, keys, health. Everything constant is prepared when it is first asked
// for, also compressed, and shared by all answers from then on: a start waits for none of it. Called on every shard at once.
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include "loggia/kernel/module.hpp"
#include "web_files.hpp"

namespace loggia::gateway {

/// Nothing of a page comes from elsewhere, and no text is ever taken for code.
inline constexpr std::string_view page_policy =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; font-src 'self'; connect-src 'self'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'";

struct PagesParts {
  std::span<const WebFile> files;
  std::function<std::string()> openapi_json, openapi_yaml, asyncapi_json, asyncapi_yaml;  // made once
  std::function<std::string()> jwks;
  std::function<std::vector<Check>()> readiness;
};

class Pages {
 public:
  explicit Pages(PagesParts parts);
  /// Nothing where there is no such page.
  std::optional<HttpResponse> answer(const HttpRequest& request, const Trace& trace) const;

 private:
  struct Page {
    std::string type;
    std::function<std::string()> make;
    std::string_view made_zipped;  // by the build; empty: it is done here
    bool hashed = false;
    std::once_flag prepared;
    std::shared_ptr<const std::string> plain, zipped;  // zipped: none where it saves nothing
    std::string etag;
  };
  Page& add(std::string path, std::string type, std::function<std::string()> make);
  static void prepare(Page& page);
  std::optional<HttpResponse> found(const HttpRequest& request) const;
  static HttpResponse serve(Page& page, const HttpRequest& request);
  PagesParts parts_;
  std::map<std::string, std::unique_ptr<Page>, std::less<>> pages_;
};

/// On every answer that is no API answer.
void secure_page(HttpResponse& response);
/// Whether an If-None-Match header names this tag (weak comparison).
bool matches_tag(std::string_view if_none_match, std::string_view etag);

}  // namespace loggia::gateway
