// Constraints that a struct declares beside itself: checked on what came in, shown in the schema.
#include "json/rules.hpp"
#include <limits>
#include "loggia/kernel/json_value.hpp"

namespace loggia {
namespace {

constexpr bool open_above(const Rule& rule) { return rule.max == std::numeric_limits<std::int64_t>::max(); }

/// `1 to 64`, `at least 1`.
std::string bounds_of(const Rule& rule) {
  return open_above(rule) ? "at least " + std::to_string(rule.min) : std::to_string(rule.min) + " to " + std::to_string(rule.max);
}
bool within(const Rule& rule, std::int64_t value) { return value >= rule.min && value <= rule.max; }

template <class F> bool any_value(const Rule& rule, F matches) {
  for (std::string_view rest = rule.values; !rest.empty();) {
    const auto end = std::min(rest.find('|'), rest.size());
    if (matches(rest.substr(0, end))) return true;
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return false;
}

}  // namespace

void check_text(Decoder& decoder, const Rule& rule, const Place& place, std::string_view text) {
  switch (rule.kind) {
    case Rule::Kind::length:
      if (!within(rule, static_cast<std::int64_t>(count_code_points(text)))) decoder.wrong(place, "has " + bounds_of(rule) + " characters");
      return;
    case Rule::Kind::printable: {
      bool printable = true;
      for (const char c : text) printable = printable && c >= 0x20 && c <= 0x7E;
      if (!printable || !within(rule, static_cast<std::int64_t>(text.size())))
        decoder.wrong(place, "has " + bounds_of(rule) + " characters of printable ASCII");
      return;
    }
    case Rule::Kind::one_of:
      if (!any_value(rule, [&](std::string_view value) { return value == text; })) decoder.wrong(place, "is one of " + std::string(rule.values));
      return;
    case Rule::Kind::range:
    case Rule::Kind::items:
      return;
  }
}

void check_number(Decoder& decoder, const Rule& rule, const Place& place, std::int64_t number) {
  if (rule.kind != Rule::Kind::range || within(rule, number)) return;
  decoder.wrong(place, (open_above(rule) ? "is " : "is from ") + bounds_of(rule));
}

void check_count(Decoder& decoder, const Rule& rule, const Place& place, std::size_t count) {
  if (!within(rule, static_cast<std::int64_t>(count))) decoder.wrong(place, "has " + bounds_of(rule) + " entries");
}

void apply_rule(json& schema, const Rule& rule) {
  auto& inner = schema.value("type", "") == "array" && rule.kind != Rule::Kind::items       ? schema["items"]
                : schema.contains("additionalProperties") && rule.kind != Rule::Kind::items ? schema["additionalProperties"]
                                                                                            : schema;
  const bool open = open_above(rule);
  switch (rule.kind) {
    case Rule::Kind::printable:
      inner["pattern"] = "^[ -~]*$";
      [[fallthrough]];
    case Rule::Kind::length:
      inner["minLength"] = rule.min;
      if (!open) inner["maxLength"] = rule.max;
      return;
    case Rule::Kind::range:
      inner["minimum"] = rule.min;
      if (!open) inner["maximum"] = rule.max;
      return;
    case Rule::Kind::items: {
      const bool object = inner.value("type", "") == "object";
      inner[object ? "minProperties" : "minItems"] = rule.min;
      if (!open) inner[object ? "maxProperties" : "maxItems"] = rule.max;
      return;
    }
    case Rule::Kind::one_of: {
      auto& values = inner["enum"] = json::array();
      any_value(rule, [&](std::string_view value) {
        values.push_back(std::string(value));
        return false;
      });
      return;
    }
  }
}

}  // namespace loggia
