// Request targets: path and query. What is taken has one reading, and reads the same when it is escaped and read again.
#include "http/target.hpp"
#include "fuzz/target.hpp"
#include "rpc/form.hpp"

LOGGIA_FUZZ(target) {
  using namespace loggia;
  using namespace loggia::fuzz;
  for (const bool plus : {false, true}) {
    const auto decoded = http::percent_decoded(input, plus);
    if (decoded) require(http::percent_decoded(rpc::percent_encoded(*decoded), plus) == decoded, "what is decoded and encoded decodes equal");
    require(http::percent_decoded(rpc::percent_encoded(input), plus) == std::string(input), "what is encoded decodes to itself");
  }
  const auto parsed = http::parse_target(input);
  if (!parsed) return require(!parsed.error().detail.empty(), "a refusal says why");
  std::string text;
  std::string_view rest(parsed->path);
  require(rest.starts_with('/'), "a path begins with a slash");
  for (rest.remove_prefix(1); !rest.empty();) {
    const auto slash = rest.find('/');
    const auto segment = part(rest, '/');
    require(!segment.empty() && segment != "." && segment != "..", "no segment is empty or of dots");
    for (const char c : segment) require(static_cast<unsigned char>(c) >= 0x20 && c != 0x7f && c != '\\', "no control character, no backslash");
    text += '/' + rpc::percent_encoded(segment);
    if (slash != std::string_view::npos && rest.empty()) text += '/';
  }
  if (text.empty()) text = "/";
  require(parsed->query.size() <= 100, "at most 100 parameters");
  char before = '?';
  for (const auto& [name, value] : parsed->query) {
    ((text += before) += rpc::percent_encoded(name)) += '=';
    text += rpc::percent_encoded(value);
    before = '&';
  }
  const auto again = http::parse_target(text);
  require(again && again->path == parsed->path && again->query == parsed->query, "what was read and escaped reads equal");
}
