// The walk over any table: lists, objects, and what is wrong with them.
#include "json/rules.hpp"
#include "loggia/kernel/json_value.hpp"

namespace loggia {

std::string pointer_to(const std::string& base, std::string_view name) {
  std::string out = base + '/';
  for (const char c : name) {
    if (c == '~') out += "~0";
    else if (c == '/') out += "~1";
    else out += c;
  }
  return out;
}
std::string Place::pointer() const {
  if (!within) return std::string();
  return pointer_to(within->pointer(), listed ? std::to_string(index) : std::string(name));
}

void Decoder::wrong(const Place& place, std::string detail) {
  if (fields_.size() >= 20) return;
  FieldError field;
  field.pointer = place.pointer();
  field.detail = std::move(detail);
  fields_.push_back(std::move(field));
}
Error Decoder::error() const {
  const auto& first = fields_.front();
  return Error(Errc::invalid_request, (first.pointer.empty() ? "the input" : first.pointer) + " " + first.detail, fields_);
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
bool is_null(const json& in) { return in.is_null(); }

void encode_list(std::string& out, const void* first, std::size_t count, std::size_t size, const Codec& item) {
  out += '[';
  for (std::size_t at = 0; at < count; ++at) {
    if (at > 0) out += ',';
    item.encode(out, static_cast<const char*>(first) + at * size);
  }
  out += ']';
}

void encode_object(std::string& out, const Shape& shape, const void* object) {
  char before = '{';
  for (const auto& field : shape.fields) {
    const void* value = field.in(const_cast<void*>(object));  // gives the address alone
    if (field.codec->present && !field.codec->present(value)) continue;
    ((((out += std::exchange(before, ',')) += '"') += field.name) += "\":");
    field.codec->encode(out, value);
  }
  if (before == '{') out += '{';
  out += '}';
}

void decode_list(Decoder& decoder, const Place& place, const json& in, const Codec& item, void* list, void* (*append)(void*)) {
  if (!in.is_array()) return decoder.wrong(place, "is a list");
  for (std::size_t at = 0; at < in.size(); ++at) item.decode(decoder, Place{&place, std::string_view(), at, true}, in[at], append(list));
}

void decode_map(Decoder& decoder, const Place& place, const json& in, const Codec& item, void* map, void* (*append)(void*, const std::string&)) {
  if (!in.is_object()) return decoder.wrong(place, "is an object");
  for (auto at = in.begin(); at != in.end(); ++at) item.decode(decoder, Place{&place, at.key()}, at.value(), append(map, at.key()));
}

void decode_object(Decoder& decoder, const Place& place, const json& in, const Shape& shape, void* object) {
  if (!in.is_object()) return decoder.wrong(place, "is an object");
  std::size_t known = 0;
  for (const auto& field : shape.fields) {
    const auto found = in.find(field.name);
    const Place here{&place, field.name};
    if (found == in.end()) {
      if (!field.may_be_absent) decoder.wrong(here, "is missing");
      continue;
    }
    ++known;
    field.codec->decode(decoder, here, *found, field.in(object));
  }
  if (decoder.manner() == Manner::strict && known < in.size())
    for (auto at = in.begin(); at != in.end(); ++at)
      if (std::none_of(shape.fields.begin(), shape.fields.end(), [&](const Member& field) { return field.name == at.key(); }))
        decoder.wrong(Place{&place, at.key()}, "is not known here");
  for (const auto& rule : shape.rules)
    for (const auto& field : shape.fields)
      if (rule.field == field.name) field.codec->check(decoder, rule, Place{&place, field.name}, field.in(object));
}

void check_list(Decoder& decoder, const Rule& rule, const Place& place, const void* first, std::size_t count, std::size_t size, const Codec& item) {
  if (rule.kind == Rule::Kind::items) return check_count(decoder, rule, place, count);
  for (std::size_t at = 0; at < count; ++at)
    item.check(decoder, rule, Place{&place, std::string_view(), at, true}, static_cast<const char*>(first) + at * size);
}

std::optional<Error> decode_into(const json& in, Manner manner, const Codec& codec, void* value) {
  Decoder decoder(manner);
  codec.decode(decoder, Place(), in, value);
  if (decoder.failed()) return decoder.error();
  return std::nullopt;
}
std::optional<Error> decode_text_into(std::string_view text, Manner manner, const Codec& codec, void* value) {
  const auto parsed = parse_untrusted(text);
  if (!parsed) return parsed.error();
  return decode_into(*parsed, manner, codec, value);
}
std::optional<Error> decode_answer_into(std::string_view text, const Codec& codec, void* value) {
  const auto parsed = parse_of_module(text);
  if (!parsed) return parsed.error();
  return decode_into(*parsed, Manner::lenient, codec, value);
}

json schema_from(const Codec& codec) {
  json out = json::object();
  codec.schema(out);
  return out;
}
std::string schema_text(const Codec& codec) { return schema_from(codec).dump(); }

json schema_of_member(const Shape& shape, const Member& member) {
  auto out = schema_from(*member.codec);
  for (const auto& rule : shape.rules)
    if (rule.field == member.name) apply_rule(out, rule);
  return out;
}
void schema_of_list(json& out, const Codec& item) {
  out["type"] = "array";
  out["items"] = schema_from(item);
}
void schema_of_map(json& out, const Codec& item) {
  out["type"] = "object";
  out["additionalProperties"] = schema_from(item);
}
void schema_of_object(json& out, const Shape& shape) {
  out["type"] = "object";
  json properties = json::object(), required = json::array();
  for (const auto& field : shape.fields) {
    properties[std::string(field.name)] = schema_of_member(shape, field);
    if (!field.may_be_absent) required.push_back(std::string(field.name));
  }
  out["properties"] = std::move(properties);
  if (!required.empty()) out["required"] = std::move(required);
}

}  // namespace loggia
