// parse_untrusted: what it takes is bounded, and is the same when it is written and read again.
#include "loggia/kernel/json.hpp"
#include "fuzz/target.hpp"
#include "http/utf8.hpp"
#include "loggia/kernel/json_value.hpp"

namespace loggia::fuzz::json_target {
namespace {

std::size_t nodes(const json& value, std::size_t depth) {
  require(depth <= 32, "at most 32 levels");
  std::size_t count = 1;
  if (value.is_structured())
    for (const auto& inner : value) count += nodes(inner, depth + 1);
  return count;
}

}  // namespace
}  // namespace loggia::fuzz::json_target

LOGGIA_FUZZ(json) {
  using namespace loggia;
  using namespace loggia::fuzz;
  if (const auto parsed = parse_untrusted(input)) {
    const auto depth = parsed->is_structured() ? 1u : 0u;
    require(json_target::nodes(*parsed, depth) <= 10000, "at most 10,000 values");
    const auto text = parsed->dump();
    const auto again = parse_untrusted(text);
    require(again && *again == *parsed, "what was parsed and written parses equal");
    const auto of_module = parse_of_module(input);
    require(of_module && *of_module == *parsed, "modules read the same");
    if (parsed->is_number()) {
      const auto whole = checked_integer(*parsed, INT64_MIN, INT64_MAX);
      if (whole) require(parsed->is_number_integer() && json(*whole) == *parsed, "an integer is itself");
    }
  }
  std::string quoted;
  append_quoted(quoted, input);
  const auto text = parse_untrusted(quoted);
  require(text && text->is_string(), "a quoted text parses");
  http::Utf8Checker checker;
  if (checker.take(input) && checker.complete()) require(text->get_ref<const std::string&>() == input, "a quoted text is itself");
}
