// A request as path, query and body, and back.
#include "loggia/kernel/wire.hpp"
#include <charconv>
#include "loggia/kernel/json_value.hpp"

namespace loggia {
namespace {

/// A query or path parameter as the JSON that a field of that kind is decoded from.
json from_parameter(Codec::Kind kind, const std::string& text) {
  if (kind == Codec::Kind::flag && (text == "true" || text == "false")) return json(text == "true");
  if (kind == Codec::Kind::integer) {
    std::int64_t number = 0;
    const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (problem == std::errc() && end == text.data() + text.size()) return json(number);
  }
  return json(text);
}

}  // namespace

bool in_path(std::string_view route, std::string_view name) {
  for (auto found = route.find(name); found != route.npos; found = route.find(name, found + 1))
    if (found > 0 && route[found - 1] == '{' && found + name.size() < route.size() && route[found + name.size()] == '}') return true;
  return false;
}

std::optional<Error> decode_call_into(const Call& call, std::string_view route, bool has_body, const Shape& shape, const Codec& codec,
                                      void* request) {
  json fields = json::object();
  if (has_body) {
    if (!call.body.empty()) {
      auto parsed = parse_untrusted(call.body);
      if (!parsed) return parsed.error();
      if (!parsed->is_object()) return Error(Errc::invalid_request, "the body is a JSON object");
      fields = std::move(*parsed);
    }
    for (const auto& [name, text] : call.path)
      if (fields.contains(name)) return wrong_field(pointer_to("", name), "is not known here: it is in the path");
  } else if (call.strict && !call.body.empty()) return Error(Errc::invalid_request, "this request takes no body");
  const auto put = [&](const std::string& name, const std::string& text, bool path) {
    for (const auto& field : shape.fields)
      if (field.name == name && in_path(route, name) == path) {
        fields[name] = from_parameter(field.codec->kind, text);
        return true;
      }
    return false;
  };
  for (const auto& [name, text] : call.query)
    if ((has_body || !put(name, text, false)) && call.strict) return wrong_field(pointer_to("", name), "is no parameter of this request");
  for (const auto& [name, text] : call.path) put(name, text, true);
  auto wrong = decode_into(fields, call.strict ? Manner::strict : Manner::lenient, codec, request);
  if (!wrong || !call.strict) return wrong;
  // A path that names nothing is not a mistake in the request's content: there is no such thing.
  for (const auto& field : wrong->fields)
    if (in_path(route, std::string_view(field.pointer).substr(1))) return Error(Errc::not_found, "there is nothing at this address");
  return wrong;
}

Call call_of(std::string_view route, bool has_body, const Shape& shape, const void* request) {
  Call call;
  call.route = route;
  std::string body;
  for (const auto& field : shape.fields) {
    const void* value = field.in(const_cast<void*>(request));  // gives the address alone
    if (field.codec->present && !field.codec->present(value)) continue;
    const bool path = in_path(route, field.name);
    std::string text;
    field.codec->encode(text, value);
    if (path || !has_body) {
      if (text.starts_with('"')) text = json::parse(text).get<std::string>();
      (path ? call.path : call.query).emplace_back(field.name, std::move(text));
    } else {
      body += body.empty() ? '{' : ',';
      (((body += '"') += field.name) += "\":") += text;
    }
  }
  if (has_body) call.body = body.empty() ? "{}" : body + '}';
  return call;
}

}  // namespace loggia
