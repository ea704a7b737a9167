#include "loggia/kernel/json.hpp"
#include <set>

namespace loggia {
namespace {

constexpr std::size_t depth_max = 32;
constexpr std::size_t nodes_max = 10000;

/// Builds the value, and stops at what nlohmann 3.11.2 lets pass: deep nesting, duplicate keys, endless lists.
class Builder : public nlohmann::json_sax<json> {
 public:
  json root;
  std::string why;

  bool null() override { return put(json(nullptr)); }
  bool boolean(bool value) override { return put(json(value)); }
  bool number_integer(number_integer_t value) override { return put(json(value)); }
  bool number_unsigned(number_unsigned_t value) override { return put(json(value)); }
  bool number_float(number_float_t value, const string_t&) override { return put(json(value)); }
  bool string(string_t& value) override { return put(json(std::move(value))); }
  bool binary(binary_t&) override { return false; }
  bool start_object(std::size_t) override { return open(json::object()); }
  bool key(string_t& name) override {
    if (open_.back()->contains(name)) return refuse("a key stands twice in one object");
    key_ = std::move(name);
    return true;
  }
  bool end_object() override { return close(); }
  bool start_array(std::size_t) override { return open(json::array()); }
  bool end_array() override { return close(); }
  bool parse_error(std::size_t position, const std::string&, const nlohmann::detail::exception&) override {
    return refuse("does not parse as JSON, near byte " + std::to_string(position));
  }

 private:
  bool refuse(std::string reason) {
    if (why.empty()) why = std::move(reason);
    return false;
  }
  bool put(json value) { return add(std::move(value)) != nullptr; }
  json* add(json value) {
    if (++nodes_ > nodes_max) return refuse("has more than 10,000 values"), nullptr;
    if (open_.empty()) {
      root = std::move(value);
      return &root;
    }
    auto& parent = *open_.back();
    if (parent.is_array()) return parent.push_back(std::move(value)), &parent.back();
    auto& place = parent[key_];
    place = std::move(value);
    return &place;
  }
  bool open(json value) {
    if (open_.size() >= depth_max) return refuse("is nested deeper than 32");
    auto* place = add(std::move(value));
    if (place) open_.push_back(place);
    return place != nullptr;
  }
  bool close() {
    open_.pop_back();
    return true;
  }

  std::vector<json*> open_;
  std::string key_;
  std::size_t nodes_ = 0;
};

/// The length of the well-formed UTF-8 sequence at `at` (RFC 3629), or 0.
std::size_t sequence_at(std::string_view text, std::size_t at) {
  const auto byte = [&](std::size_t offset) { return at + offset < text.size() ? static_cast<unsigned char>(text[at + offset]) : 0u; };
  const auto tail = [&](std::size_t offset) { return (byte(offset) & 0xC0u) == 0x80u; };
  const auto first = byte(0);
  if (first < 0x80) return 1;
  if (first >= 0xC2 && first <= 0xDF) return tail(1) ? 2 : 0;
  if (first >= 0xE0 && first <= 0xEF) {
    if (first == 0xE0 && byte(1) < 0xA0) return 0;
    if (first == 0xED && byte(1) > 0x9F) return 0;
    return tail(1) && tail(2) ? 3 : 0;
  }
  if (first >= 0xF0 && first <= 0xF4) {
    if (first == 0xF0 && byte(1) < 0x90) return 0;
    if (first == 0xF4 && byte(1) > 0x8F) return 0;
    return tail(1) && tail(2) && tail(3) ? 4 : 0;
  }
  return 0;
}

constexpr bool open_above(const Rule& rule) { return rule.max == std::numeric_limits<std::int64_t>::max(); }

/// `1 to 64`, `at least 1`.
std::string bounds_of(const Rule& rule) {
  return open_above(rule) ? "at least " + std::to_string(rule.min) : std::to_string(rule.min) + " to " + std::to_string(rule.max);
}

void append_escaped(std::string& out, unsigned char c) {
  constexpr char digits[] = "0123456789abcdef";
  switch (c) {
    case '"': out += "\\\""; break;
    case '\\': out += "\\\\"; break;
    case '\n': out += "\\n"; break;
    case '\r': out += "\\r"; break;
    case '\t': out += "\\t"; break;
    default: ((out += "\\u00") += digits[c >> 4]) += digits[c & 15];
  }
}

}  // namespace

Result<json> parse_untrusted(std::string_view text) {
  Builder builder;
  // nlohmann takes a NUL for the end of the input.
  if (text.find('\0') != text.npos) return Error(Errc::malformed, "the input does not parse as JSON: it holds a NUL");
  if (!json::sax_parse(text.begin(), text.end(), &builder))
    return Error(Errc::malformed, "the input " + (builder.why.empty() ? "does not parse as JSON" : builder.why));
  return std::move(builder.root);
}

void append_quoted(std::string& out, std::string_view text) {
  out += '"';
  std::size_t plain = 0;  // where the run of bytes that go out as they are began
  for (std::size_t at = 0; at < text.size();) {
    const auto c = static_cast<unsigned char>(text[at]);
    if (c >= 0x20 && c < 0x80 && c != '"' && c != '\\') {
      ++at;
      continue;
    }
    if (c >= 0x80) {
      if (const auto size = sequence_at(text, at)) {
        at += size;
        continue;
      }
    }
    out.append(text, plain, at - plain);
    if (c >= 0x80) out += "\xEF\xBF\xBD";
    else append_escaped(out, c);
    plain = ++at;
  }
  out.append(text, plain);
  out += '"';
}

std::size_t count_code_points(std::string_view utf8) {
  std::size_t count = 0;
  for (const char c : utf8) count += (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  return count;
}

void Decoder::wrong(const std::string& pointer, std::string detail) {
  if (fields_.size() >= 20) return;
  FieldError field;
  field.pointer = pointer;
  field.detail = std::move(detail);
  fields_.push_back(std::move(field));
}

Error Decoder::error() const {
  const auto& first = fields_.front();
  return Error(Errc::invalid_request, (first.pointer.empty() ? "the input" : first.pointer) + " " + first.detail, fields_);
}

void Decoder::check(const Rule& rule, const std::string& pointer, std::string_view text) {
  const auto between = [&] { return bounds_of(rule) + " characters"; };
  switch (rule.kind) {
    case Rule::Kind::length: {
      const auto size = static_cast<std::int64_t>(count_code_points(text));
      if (size < rule.min || size > rule.max) wrong(pointer, "has " + between());
      return;
    }
    case Rule::Kind::printable: {
      bool printable = true;
      for (const char c : text) printable = printable && c >= 0x20 && c <= 0x7E;
      const auto size = static_cast<std::int64_t>(text.size());
      if (!printable || size < rule.min || size > rule.max) wrong(pointer, "has " + between() + " of printable ASCII");
      return;
    }
    case Rule::Kind::one_of: {
      for (std::string_view rest = rule.values; !rest.empty();) {
        const auto end = std::min(rest.find('|'), rest.size());
        if (rest.substr(0, end) == text) return;
        rest.remove_prefix(std::min(end + 1, rest.size()));
      }
      return wrong(pointer, "is one of " + std::string(rule.values));
    }
    case Rule::Kind::range:
    case Rule::Kind::items: return;
  }
}

void Decoder::check(const Rule& rule, const std::string& pointer, std::int64_t number) {
  if (rule.kind != Rule::Kind::range || (number >= rule.min && number <= rule.max)) return;
  wrong(pointer, (open_above(rule) ? "is " : "is from ") + bounds_of(rule));
}

void Decoder::check_items(const Rule& rule, const std::string& pointer, std::size_t count) {
  const auto size = static_cast<std::int64_t>(count);
  if (size < rule.min || size > rule.max) wrong(pointer, "has " + bounds_of(rule) + " entries");
}

std::string pointer_to(const std::string& base, std::string_view name) {
  std::string out = base + '/';
  for (const char c : name) {
    if (c == '~') out += "~0";
    else if (c == '/') out += "~1";
    else out += c;
  }
  return out;
}

std::optional<std::int64_t> checked_integer(const json& in, std::int64_t min, std::uint64_t max) {
  if (in.is_number_unsigned()) {
    const auto value = in.get<std::uint64_t>();
    if (value > max || value > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) return std::nullopt;
    return static_cast<std::int64_t>(value);
  }
  if (!in.is_number_integer()) return std::nullopt;
  const auto value = in.get<std::int64_t>();
  if (value < min || (value > 0 && static_cast<std::uint64_t>(value) > max)) return std::nullopt;
  return value;
}

void apply_rule(json& schema, const Rule& rule) {
  auto& inner = schema.value("type", "") == "array" && rule.kind != Rule::Kind::items ? schema["items"]
                : schema.contains("additionalProperties") && rule.kind != Rule::Kind::items ? schema["additionalProperties"]
                                                                                            : schema;
  const bool open = open_above(rule);
  switch (rule.kind) {
    case Rule::Kind::printable: inner["pattern"] = "^[ -~]*$"; [[fallthrough]];
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
      for (std::string_view rest = rule.values; !rest.empty();) {
        const auto end = std::min(rest.find('|'), rest.size());
        values.push_back(std::string(rest.substr(0, end)));
        rest.remove_prefix(std::min(end + 1, rest.size()));
      }
      return;
    }
  }
}

}  // namespace loggia
