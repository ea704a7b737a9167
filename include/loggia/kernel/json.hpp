#pragma once
// JSON for every described struct, made from the description alone: encoding straight to text, decoding with a pointer to
// each mistake, the schema for the API description. What does not fit is an Error; no exception leaves decode().
#include <boost/mp11/algorithm.hpp>
#include <charconv>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <type_traits>
#include <utility>
#include "loggia/kernel/contract.hpp"

namespace loggia {
using nlohmann::json;

/// Strict refuses fields that it does not know (the public edge); lenient skips them (between modules, in events).
enum class Manner { strict, lenient };

/// For everything that came from outside: depth 32 and 10,000 nodes at most, no duplicate keys, valid UTF-8 (RFC 8259).
Result<json> parse_untrusted(std::string_view text);
/// Appends `text` quoted and escaped; bytes that are not UTF-8 become U+FFFD.
void append_quoted(std::string& out, std::string_view text);
std::size_t count_code_points(std::string_view utf8);

/// A member's name on the wire: `default_` is `default`, for names that are words of C++.
constexpr std::string_view wire_name(const char* member) {
  std::string_view name(member);
  if (name.ends_with('_')) name.remove_suffix(1);
  return name;
}
template <class T> using Members = boost::describe::describe_members<T, boost::describe::mod_public>;
template <class T> inline constexpr bool is_optional = false;
template <class T> inline constexpr bool is_optional<std::optional<T>> = true;
template <class T> inline constexpr bool is_list = false;
template <class T> inline constexpr bool is_list<std::vector<T>> = true;
template <class T> inline constexpr bool is_map = false;
template <class T> inline constexpr bool is_map<std::map<std::string, T>> = true;
template <class T> inline constexpr bool is_id = false;
template <class Tag> inline constexpr bool is_id<Id<Tag>> = true;

/// Maps of ids to values are described as maps of texts; `T::rules` where a struct has them.
template <class T> constexpr auto rules_of() {
  if constexpr (requires { std::span<const Rule>(T::rules); }) return std::span<const Rule>(T::rules);
  else return std::span<const Rule>();
}

// ---- encoding ----

template <class T> void encode_to(std::string& out, const T& value) {
  if constexpr (std::is_same_v<T, bool>) out += value ? "true" : "false";
  else if constexpr (std::is_integral_v<T>) {
    char digits[24];
    out.append(digits, std::to_chars(digits, digits + sizeof digits, value).ptr);
  } else if constexpr (std::is_floating_point_v<T>) out += json(value).dump();
  else if constexpr (std::is_same_v<T, std::string>) append_quoted(out, value);
  else if constexpr (std::is_same_v<T, Time>) ((out += '"') += to_rfc3339(value)) += '"';
  else if constexpr (std::is_same_v<T, RawJson>) out += value.text;
  else if constexpr (is_id<T>) ((out += '"') += value.text()) += '"';
  else if constexpr (is_optional<T>) value ? encode_to(out, *value) : void(out += "null");
  else if constexpr (is_list<T>) {
    out += '[';
    bool first = true;
    for (const auto& item : value) {
      if (!std::exchange(first, false)) out += ',';
      encode_to(out, item);
    }
    out += ']';
  } else if constexpr (is_map<T>) {
    out += '{';
    bool first = true;
    for (const auto& [name, item] : value) {
      if (!std::exchange(first, false)) out += ',';
      append_quoted(out, name);
      out += ':';
      encode_to(out, item);
    }
    out += '}';
  } else {
    static_assert(Described<T>, "describe the struct with BOOST_DESCRIBE_STRUCT");
    out += '{';
    bool first = true;
    boost::mp11::mp_for_each<Members<T>>([&](auto member) {
      const auto& field = value.*member.pointer;
      if constexpr (is_optional<std::decay_t<decltype(field)>>)
        if (!field) return;
      if (!std::exchange(first, false)) out += ',';
      ((out += '"') += wire_name(member.name)) += "\":";
      encode_to(out, field);
    });
    out += '}';
  }
}
/// Absent optionals are left out.
template <class T> std::string encode(const T& value) {
  std::string out;
  encode_to(out, value);
  return out;
}

// ---- decoding ----

/// Collects what is wrong with an input, each with its pointer.
class Decoder {
 public:
  explicit Decoder(Manner manner) : manner_{manner} {}
  Manner manner() const { return manner_; }
  void wrong(const std::string& pointer, std::string detail);
  /// The error of all that was found; only if `failed()`.
  Error error() const;
  bool failed() const { return !fields_.empty(); }
  void check(const Rule& rule, const std::string& pointer, std::string_view text);
  void check(const Rule& rule, const std::string& pointer, std::int64_t number);
  void check_items(const Rule& rule, const std::string& pointer, std::size_t count);

 private:
  Manner manner_;
  std::vector<FieldError> fields_;
};

std::string pointer_to(const std::string& base, std::string_view name);
std::optional<std::int64_t> checked_integer(const json& in, std::int64_t min, std::uint64_t max);

template <class T> void check_rule(Decoder& decoder, const Rule& rule, const std::string& pointer, const T& field) {
  if constexpr (is_optional<T>) {
    if (field) check_rule(decoder, rule, pointer, *field);
  } else if constexpr (std::is_same_v<T, std::string>) decoder.check(rule, pointer, std::string_view(field));
  else if constexpr (is_list<T> || is_map<T>) {
    if (rule.kind == Rule::Kind::items) decoder.check_items(rule, pointer, field.size());
    else if constexpr (is_map<T>)
      for (const auto& [name, item] : field) check_rule(decoder, rule, pointer_to(pointer, name), item);
    else
      for (std::size_t at = 0; at < field.size(); ++at) check_rule(decoder, rule, pointer_to(pointer, std::to_string(at)), field[at]);
  } else if constexpr (std::is_integral_v<T>) decoder.check(rule, pointer, static_cast<std::int64_t>(field));
}

template <class T> void decode_to(Decoder& decoder, const std::string& pointer, const json& in, T& value) {
  if constexpr (std::is_same_v<T, bool>) {
    if (in.is_boolean()) value = in.get<bool>();
    else decoder.wrong(pointer, "is true or false");
  } else if constexpr (std::is_integral_v<T>) {
    const auto max = static_cast<std::uint64_t>(std::numeric_limits<T>::max());
    if (const auto number = checked_integer(in, static_cast<std::int64_t>(std::numeric_limits<T>::min()), max)) value = static_cast<T>(*number);
    else decoder.wrong(pointer, "is a whole number in range");
  } else if constexpr (std::is_floating_point_v<T>) {
    if (in.is_number()) value = in.get<T>();
    else decoder.wrong(pointer, "is a number");
  } else if constexpr (std::is_same_v<T, std::string>) {
    if (in.is_string()) value = in.get_ref<const std::string&>();
    else decoder.wrong(pointer, "is a text");
  } else if constexpr (std::is_same_v<T, RawJson>) value.text = in.dump();
  else if constexpr (std::is_same_v<T, Time>) {
    auto time = in.is_string() ? parse_rfc3339(in.get_ref<const std::string&>()) : Result<Time>(Error(Errc::invalid_request, "is a time such as 2026-01-31T12:00:00.123Z"));
    if (time) value = *time;
    else decoder.wrong(pointer, time.error().detail);
  } else if constexpr (is_id<T>) {
    auto id = in.is_string() ? T::parse(in.get_ref<const std::string&>()) : Result<T>(Error(Errc::invalid_request, "is a UUID as text"));
    if (id) value = *id;
    else decoder.wrong(pointer, id.error().detail);
  } else if constexpr (is_optional<T>) {
    if (in.is_null()) value.reset();
    else decode_to(decoder, pointer, in, value.emplace());
  } else if constexpr (is_list<T>) {
    if (!in.is_array()) return decoder.wrong(pointer, "is a list");
    value.clear();
    for (std::size_t at = 0; at < in.size(); ++at) decode_to(decoder, pointer_to(pointer, std::to_string(at)), in[at], value.emplace_back());
  } else if constexpr (is_map<T>) {
    if (!in.is_object()) return decoder.wrong(pointer, "is an object");
    value.clear();
    for (const auto& [name, item] : in.items()) decode_to(decoder, pointer_to(pointer, name), item, value[name]);
  } else {
    static_assert(Described<T>, "describe the struct with BOOST_DESCRIBE_STRUCT");
    if (!in.is_object()) return decoder.wrong(pointer, "is an object");
    std::size_t known = 0;
    boost::mp11::mp_for_each<Members<T>>([&](auto member) {
      auto& field = value.*member.pointer;
      using Field = std::decay_t<decltype(field)>;
      const auto found = in.find(wire_name(member.name));
      const auto here = pointer_to(pointer, wire_name(member.name));
      if (found == in.end()) {
        // A list, a map or a flag that has a default of its own may be absent.
        if constexpr (!is_optional<Field>) {
          if constexpr (requires { T::defaults; }) {
            for (const std::string_view name : T::defaults)
              if (name == wire_name(member.name)) return;
          }
          decoder.wrong(here, "is missing");
        }
        return;
      }
      ++known;
      decode_to(decoder, here, *found, field);
    });
    if (decoder.manner() == Manner::strict && known < in.size())
      for (const auto& [name, item] : in.items()) {
        bool ours = false;
        boost::mp11::mp_for_each<Members<T>>([&](auto member) { ours = ours || name == wire_name(member.name); });
        if (!ours) decoder.wrong(pointer_to(pointer, name), "is not known here");
      }
    for (const auto& rule : rules_of<T>())
      boost::mp11::mp_for_each<Members<T>>([&](auto member) {
        if (rule.field == wire_name(member.name)) check_rule(decoder, rule, pointer_to(pointer, wire_name(member.name)), value.*member.pointer);
      });
  }
}

template <class T> Result<T> decode(const json& in, Manner manner) {
  T value{};
  Decoder decoder(manner);
  decode_to(decoder, std::string(), in, value);
  if (decoder.failed()) return decoder.error();
  return value;
}
template <class T> Result<T> decode_text(std::string_view text, Manner manner) {
  auto parsed = parse_untrusted(text);
  if (!parsed) return parsed.error();
  return decode<T>(*parsed, manner);
}

/// A query or path parameter as the JSON that a field of type T is decoded from.
template <class T> json from_parameter(const std::string& text) {
  if constexpr (is_optional<T>) return from_parameter<typename T::value_type>(text);
  else if constexpr (std::is_same_v<T, bool>) return text == "true" ? json(true) : text == "false" ? json(false) : json(text);
  else if constexpr (std::is_integral_v<T>) {
    std::int64_t number = 0;
    const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), number);
    return problem == std::errc() && end == text.data() + text.size() ? json(number) : json(text);
  } else return json(text);
}

// ---- schema (JSON Schema 2020-12, as OpenAPI 3.1 has it) ----

void apply_rule(json& schema, const Rule& rule);

template <class T> json schema_of() {
  json out = json::object();
  if constexpr (is_optional<T>) return schema_of<typename T::value_type>();
  else if constexpr (std::is_same_v<T, bool>) out["type"] = "boolean";
  else if constexpr (std::is_integral_v<T>) out["type"] = "integer";
  else if constexpr (std::is_floating_point_v<T>) out["type"] = "number";
  else if constexpr (std::is_same_v<T, std::string>) out["type"] = "string";
  else if constexpr (std::is_same_v<T, RawJson>) out["type"] = "object";
  else if constexpr (std::is_same_v<T, Time>) { out["type"] = "string"; out["format"] = "date-time"; }
  else if constexpr (is_id<T>) { out["type"] = "string"; out["format"] = "uuid"; }
  else if constexpr (is_list<T>) { out["type"] = "array"; out["items"] = schema_of<typename T::value_type>(); }
  else if constexpr (is_map<T>) { out["type"] = "object"; out["additionalProperties"] = schema_of<typename T::mapped_type>(); }
  else {
    out["type"] = "object";
    json properties = json::object(), required = json::array();
    boost::mp11::mp_for_each<Members<T>>([&](auto member) {
      using Field = std::decay_t<decltype(std::declval<T>().*member.pointer)>;
      auto field = schema_of<Field>();
      for (const auto& rule : rules_of<T>())
        if (rule.field == wire_name(member.name)) apply_rule(field, rule);
      properties[std::string(wire_name(member.name))] = std::move(field);
      bool optional = is_optional<Field>;
      if constexpr (requires { T::defaults; })
        for (const std::string_view name : T::defaults) optional = optional || name == wire_name(member.name);
      if (!optional) required.push_back(std::string(wire_name(member.name)));
    });
    out["properties"] = std::move(properties);
    if (!required.empty()) out["required"] = std::move(required);
  }
  return out;
}

}  // namespace loggia
