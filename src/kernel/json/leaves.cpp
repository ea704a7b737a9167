// The codecs of what has no parts.
#include <charconv>
#include <limits>
#include "json/rules.hpp"
#include "loggia/kernel/json_value.hpp"

namespace loggia {
namespace {

template <class T> const T& as(const void* value) { return *static_cast<const T*>(value); }
template <class T> T& as(void* value) { return *static_cast<T*>(value); }

void no_rule(Decoder&, const Rule&, const Place&, const void*) {}
template <const char* type> void typed(json& out) { out["type"] = type; }
constexpr char boolean[] = "boolean", integer[] = "integer", number[] = "number", string[] = "string", object[] = "object";

void encode_flag(std::string& out, const void* value) { out += as<bool>(value) ? "true" : "false"; }
void decode_flag(Decoder& decoder, const Place& place, const json& in, void* value) {
  if (in.is_boolean()) as<bool>(value) = in.get<bool>();
  else decoder.wrong(place, "is true or false");
}

template <class T> struct Integer {
  static void encode(std::string& out, const void* value) {
    char digits[24];
    out.append(digits, std::to_chars(digits, digits + sizeof digits, as<T>(value)).ptr);
  }
  static void decode(Decoder& decoder, const Place& place, const json& in, void* value) {
    const auto found =
        checked_integer(in, static_cast<std::int64_t>(std::numeric_limits<T>::min()), static_cast<std::uint64_t>(std::numeric_limits<T>::max()));
    if (found) as<T>(value) = static_cast<T>(*found);
    else decoder.wrong(place, "is a whole number in range");
  }
  static void check(Decoder& decoder, const Rule& rule, const Place& place, const void* value) {
    check_number(decoder, rule, place, static_cast<std::int64_t>(as<T>(value)));
  }
  static constexpr Codec codec{Codec::Kind::integer, encode, decode, check, typed<integer>, nullptr};
};

void encode_double(std::string& out, const void* value) { out += json(as<double>(value)).dump(); }
void decode_double(Decoder& decoder, const Place& place, const json& in, void* value) {
  if (in.is_number()) as<double>(value) = in.get<double>();
  else decoder.wrong(place, "is a number");
}

void encode_text(std::string& out, const void* value) { append_quoted(out, as<std::string>(value)); }
void decode_text_value(Decoder& decoder, const Place& place, const json& in, void* value) {
  if (in.is_string()) as<std::string>(value) = in.get_ref<const std::string&>();
  else decoder.wrong(place, "is a text");
}
void check_text_value(Decoder& decoder, const Rule& rule, const Place& place, const void* value) {
  check_text(decoder, rule, place, as<std::string>(value));
}

void encode_time(std::string& out, const void* value) { ((out += '"') += to_rfc3339(as<Time>(value))) += '"'; }
void decode_time(Decoder& decoder, const Place& place, const json& in, void* value) {
  if (!in.is_string()) return decoder.wrong(place, "is a time such as 2026-01-31T12:00:00.123Z");
  const auto time = parse_rfc3339(in.get_ref<const std::string&>());
  if (time) as<Time>(value) = *time;
  else decoder.wrong(place, time.error().detail);
}
void schema_of_time(json& out) {
  out["type"] = "string";
  out["format"] = "date-time";
}

/// An id of any kind begins with its bytes: [class.mem]/26.
static_assert(std::is_standard_layout_v<Uuid> && sizeof(Uuid) == sizeof(Bytes16));
void encode_id(std::string& out, const void* value) { ((out += '"') += format_uuid(as<Bytes16>(value))) += '"'; }
void decode_id(Decoder& decoder, const Place& place, const json& in, void* value) {
  if (!in.is_string()) return decoder.wrong(place, "is a UUID as text");
  const auto id = parse_uuid(in.get_ref<const std::string&>());
  if (id) as<Bytes16>(value) = *id;
  else decoder.wrong(place, id.error().detail);
}
void schema_of_id(json& out) {
  out["type"] = "string";
  out["format"] = "uuid";
}

void encode_raw(std::string& out, const void* value) { out += as<RawJson>(value).text; }
void decode_raw(Decoder&, const Place&, const json& in, void* value) { as<RawJson>(value).text = in.dump(); }

}  // namespace

constexpr Codec flag_codec{Codec::Kind::flag, encode_flag, decode_flag, no_rule, typed<boolean>, nullptr};
constexpr Codec int_codec = Integer<int>::codec;
constexpr Codec unsigned_codec = Integer<unsigned>::codec;
constexpr Codec long_codec = Integer<long>::codec;
constexpr Codec unsigned_long_codec = Integer<unsigned long>::codec;
constexpr Codec double_codec{Codec::Kind::number, encode_double, decode_double, no_rule, typed<number>, nullptr};
constexpr Codec text_codec{Codec::Kind::text, encode_text, decode_text_value, check_text_value, typed<string>, nullptr};
constexpr Codec time_codec{Codec::Kind::text, encode_time, decode_time, no_rule, schema_of_time, nullptr};
constexpr Codec id_codec{Codec::Kind::text, encode_id, decode_id, no_rule, schema_of_id, nullptr};
constexpr Codec raw_codec{Codec::Kind::other, encode_raw, decode_raw, no_rule, typed<object>, nullptr};

}  // namespace loggia
