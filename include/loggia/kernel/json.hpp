#pragma once
// JSON for every described struct, made from the description alone: encoding straight to text, decoding with a pointer to
// each mistake, the schema for the API description. What does not fit is an Error; no exception leaves decode().
// A struct becomes a table while compiling (Shape); one function walks any table, so that a struct more costs the compiler and the
// executable little. Only who looks into a value includes <nlohmann/json.hpp>. Pure functions, any thread.
#include <array>
#include <boost/mp11/algorithm.hpp>
#include <map>
#include <nlohmann/json_fwd.hpp>
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
/// For the answer of another module, which may be a thousand events: the same with 2,000,000 nodes.
Result<json> parse_of_module(std::string_view text);
/// Appends `text` quoted and escaped; bytes that are not UTF-8 become U+FFFD.
void append_quoted(std::string& out, std::string_view text);
std::size_t count_code_points(std::string_view utf8);
std::string pointer_to(const std::string& base, std::string_view name);
std::optional<std::int64_t> checked_integer(const json& in, std::int64_t min, std::uint64_t max);
/// Adds a constraint to the schema of the field that it is about.
void apply_rule(json& schema, const Rule& rule);

// ---- what the codec knows of types ----

/// Where in an input the decoder is. Lives on its stack; becomes text only where something is wrong.
struct Place {
  const Place* within = nullptr;
  std::string_view name;
  std::size_t index = 0;  // of a list, where there is no name
  bool listed = false;
  /// RFC 6901.
  std::string pointer() const;
};
class Decoder;
struct Codec {
  enum class Kind { flag, integer, number, text, other };
  Kind kind;
  void (*encode)(std::string& out, const void* value);
  void (*decode)(Decoder& decoder, const Place& place, const json& in, void* value);
  void (*check)(Decoder& decoder, const Rule& rule, const Place& place, const void* value);
  void (*schema)(json& out);
  bool (*present)(const void* value);  // of an optional; else null
};
struct Member {
  std::string_view name;
  const Codec* codec;
  void* (*in)(void* object);
  bool may_be_absent;
};
struct Shape {
  std::span<const Member> fields;
  std::span<const Rule> rules;
};

/// A member's name on the wire: `default_` is `default`, for names that are words of C++.
constexpr std::string_view wire_name(const char* member) {
  std::string_view name(member);
  if (name.ends_with('_')) name.remove_suffix(1);
  return name;
}
template <class T> using Members = boost::describe::describe_members<T, boost::describe::mod_public>;

template <class T> constexpr const Codec* codec_of();
template <class T> constexpr Shape shape_of();

extern const Codec flag_codec, int_codec, unsigned_codec, long_codec, unsigned_long_codec, double_codec, text_codec, time_codec, raw_codec;
/// All ids are one on the wire.
extern const Codec id_codec;

void encode_list(std::string& out, const void* first, std::size_t count, std::size_t size, const Codec& item);
void encode_object(std::string& out, const Shape& shape, const void* object);
void decode_list(Decoder& decoder, const Place& place, const json& in, const Codec& item, void* list, void* (*append)(void*));
void decode_map(Decoder& decoder, const Place& place, const json& in, const Codec& item, void* map, void* (*append)(void*, const std::string&));
void decode_object(Decoder& decoder, const Place& place, const json& in, const Shape& shape, void* object);
bool is_null(const json& in);
void check_list(Decoder& decoder, const Rule& rule, const Place& place, const void* first, std::size_t count, std::size_t size, const Codec& item);
void check_count(Decoder& decoder, const Rule& rule, const Place& place, std::size_t count);
void schema_of_list(json& out, const Codec& item);
void schema_of_map(json& out, const Codec& item);
void schema_of_object(json& out, const Shape& shape);

template <class T> inline constexpr bool is_optional = false;
template <class T> inline constexpr bool is_optional<std::optional<T>> = true;
template <class T> inline constexpr bool is_id = false;
template <class Tag> inline constexpr bool is_id<Id<Tag>> = true;
template <class T> constexpr Codec::Kind kind_of() {
  if constexpr (std::is_same_v<T, bool>) return Codec::Kind::flag;
  else if constexpr (std::is_integral_v<T>) return Codec::Kind::integer;
  else if constexpr (std::is_floating_point_v<T>) return Codec::Kind::number;
  else if constexpr (std::is_same_v<T, std::string> || std::is_same_v<T, Time> || is_id<T>) return Codec::Kind::text;
  else return Codec::Kind::other;
}

template <class T> struct Container;  // of what is neither a leaf nor a struct

template <class T> struct Container<std::optional<T>> {
  static void encode(std::string& out, const void* value) {
    const auto& maybe = *static_cast<const std::optional<T>*>(value);
    if (maybe) codec_of<T>()->encode(out, &*maybe);
    else out += "null";
  }
  static void decode(Decoder& decoder, const Place& place, const json& in, void* value) {
    auto& maybe = *static_cast<std::optional<T>*>(value);
    if (is_null(in)) maybe.reset();
    else codec_of<T>()->decode(decoder, place, in, &maybe.emplace());
  }
  static void check(Decoder& decoder, const Rule& rule, const Place& place, const void* value) {
    const auto& maybe = *static_cast<const std::optional<T>*>(value);
    if (maybe) codec_of<T>()->check(decoder, rule, place, &*maybe);
  }
  static void schema(json& out) { codec_of<T>()->schema(out); }
  static bool present(const void* value) { return static_cast<const std::optional<T>*>(value)->has_value(); }
  static constexpr Codec codec{kind_of<T>(), encode, decode, check, schema, present};
};

template <class T> struct Container<std::vector<T>> {
  static_assert(!std::is_same_v<T, bool>, "a list of flags has no addresses: use a list of ints");
  static void encode(std::string& out, const void* value) {
    const auto& list = *static_cast<const std::vector<T>*>(value);
    encode_list(out, list.data(), list.size(), sizeof(T), *codec_of<T>());
  }
  static void* append(void* value) { return &static_cast<std::vector<T>*>(value)->emplace_back(); }
  static void decode(Decoder& decoder, const Place& place, const json& in, void* value) {
    static_cast<std::vector<T>*>(value)->clear();
    decode_list(decoder, place, in, *codec_of<T>(), value, append);
  }
  static void check(Decoder& decoder, const Rule& rule, const Place& place, const void* value) {
    const auto& list = *static_cast<const std::vector<T>*>(value);
    check_list(decoder, rule, place, list.data(), list.size(), sizeof(T), *codec_of<T>());
  }
  static void schema(json& out) { schema_of_list(out, *codec_of<T>()); }
  static constexpr Codec codec{Codec::Kind::other, encode, decode, check, schema, nullptr};
};

/// Maps of ids to values are described as maps of texts.
template <class T> struct Container<std::map<std::string, T>> {
  using Map = std::map<std::string, T>;
  static void encode(std::string& out, const void* value) {
    char before = '{';
    for (const auto& [name, item] : *static_cast<const Map*>(value)) {
      out += std::exchange(before, ',');
      append_quoted(out, name);
      out += ':';
      codec_of<T>()->encode(out, &item);
    }
    out += before == '{' ? "{}" : "}";
  }
  static void* append(void* value, const std::string& name) { return &(*static_cast<Map*>(value))[name]; }
  static void decode(Decoder& decoder, const Place& place, const json& in, void* value) {
    static_cast<Map*>(value)->clear();
    decode_map(decoder, place, in, *codec_of<T>(), value, append);
  }
  static void check(Decoder& decoder, const Rule& rule, const Place& place, const void* value) {
    const auto& map = *static_cast<const Map*>(value);
    if (rule.kind == Rule::Kind::items) return check_count(decoder, rule, place, map.size());
    for (const auto& [name, item] : map) codec_of<T>()->check(decoder, rule, Place(&place, name), &item);
  }
  static void schema(json& out) { schema_of_map(out, *codec_of<T>()); }
  static constexpr Codec codec{Codec::Kind::other, encode, decode, check, schema, nullptr};
};

template <class T> struct Structure {
  static_assert(Described<T>, "describe the struct with BOOST_DESCRIBE_STRUCT");
  static void encode(std::string& out, const void* value) { encode_object(out, shape_of<T>(), value); }
  static void decode(Decoder& decoder, const Place& place, const json& in, void* value) { decode_object(decoder, place, in, shape_of<T>(), value); }
  static void check(Decoder&, const Rule&, const Place&, const void*) {}
  static void schema(json& out) { schema_of_object(out, shape_of<T>()); }
  static constexpr Codec codec{Codec::Kind::other, encode, decode, check, schema, nullptr};

  template <class D> static void* in(void* object) { return &(static_cast<T*>(object)->*D::pointer); }
  /// Optionals, and a list, a map or a flag that has a default of its own.
  template <class F> static constexpr bool may_be_absent(std::string_view name) {
    bool out = is_optional<F>;
    if constexpr (requires { T::defaults; })
      for (const std::string_view one : T::defaults) out = out || one == name;
    return out;
  }
  template <class D> static constexpr Member field() {
    using F = std::decay_t<decltype(std::declval<T&>().*D::pointer)>;
    return {wire_name(D::name), codec_of<F>(), &in<D>, may_be_absent<F>(wire_name(D::name))};
  }
  template <class... Ds> static constexpr std::array<Member, sizeof...(Ds)> table(boost::mp11::mp_list<Ds...>) { return {{field<Ds>()...}}; }
  static constexpr auto fields = table(boost::mp11::mp_rename<Members<T>, boost::mp11::mp_list>());
};

template <class T> inline constexpr bool is_container = false;
template <class T> inline constexpr bool is_container<std::optional<T>> = true;
template <class T> inline constexpr bool is_container<std::vector<T>> = true;
template <class T> inline constexpr bool is_container<std::map<std::string, T>> = true;

template <class T> constexpr const Codec* codec_of() {
  if constexpr (std::is_same_v<T, bool>) return &flag_codec;
  else if constexpr (std::is_same_v<T, int>) return &int_codec;
  else if constexpr (std::is_same_v<T, unsigned>) return &unsigned_codec;
  else if constexpr (std::is_same_v<T, long>) return &long_codec;
  else if constexpr (std::is_same_v<T, unsigned long>) return &unsigned_long_codec;
  else if constexpr (std::is_same_v<T, double>) return &double_codec;
  else if constexpr (std::is_same_v<T, std::string>) return &text_codec;
  else if constexpr (std::is_same_v<T, Time>) return &time_codec;
  else if constexpr (std::is_same_v<T, RawJson>) return &raw_codec;
  else if constexpr (is_id<T>) return &id_codec;
  else if constexpr (is_container<T>) return &Container<T>::codec;
  else return &Structure<T>::codec;
}
template <class T> constexpr Shape shape_of() {
  if constexpr (requires { std::span<const Rule>(T::rules); }) return Shape(Structure<T>::fields, T::rules);
  else return Shape(Structure<T>::fields, std::span<const Rule>());
}

// ---- encoding, decoding, schemas ----

template <class T> void encode_to(std::string& out, const T& value) { codec_of<T>()->encode(out, &value); }
/// Absent optionals are left out.
template <class T> std::string encode(const T& value) {
  std::string out;
  encode_to(out, value);
  return out;
}

/// Collects what is wrong with an input, each with its pointer.
class Decoder {
 public:
  explicit Decoder(Manner manner) : manner_{manner} {}
  Manner manner() const { return manner_; }
  void wrong(const Place& place, std::string detail);
  /// The error of all that was found; only if `failed()`.
  Error error() const;
  bool failed() const { return !fields_.empty(); }

 private:
  Manner manner_;
  std::vector<FieldError> fields_;
};

std::optional<Error> decode_into(const json& in, Manner manner, const Codec& codec, void* value);
std::optional<Error> decode_text_into(std::string_view text, Manner manner, const Codec& codec, void* value);

template <class T> Result<T> decode(const json& in, Manner manner) {
  T value{};
  if (auto wrong = decode_into(in, manner, *codec_of<T>(), &value)) return std::move(*wrong);
  return value;
}
template <class T> Result<T> decode_text(std::string_view text, Manner manner) {
  T value{};
  if (auto wrong = decode_text_into(text, manner, *codec_of<T>(), &value)) return std::move(*wrong);
  return value;
}
/// What another module answered.
std::optional<Error> decode_answer_into(std::string_view text, const Codec& codec, void* value);
template <class T> Result<T> decode_answer(std::string_view text) {
  T value{};
  if (auto wrong = decode_answer_into(text, *codec_of<T>(), &value)) return std::move(*wrong);
  return value;
}

/// JSON Schema 2020-12, as OpenAPI 3.1 has it.
json schema_from(const Codec& codec);
std::string schema_text(const Codec& codec);
template <class T> std::string schema_text() { return schema_text(*codec_of<T>()); }

}  // namespace loggia
