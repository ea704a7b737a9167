// OpenAPI 3.1.1 (https://spec.openapis.org/oas/v3.1.1) from the routes as they are declared; nothing of it is written by hand but what
// holds for every route: errors, limits, authentication.
#include "loggia/kernel/openapi.hpp"
#include <map>
#include <set>
#include "json/rules.hpp"
#include "loggia/kernel/wire.hpp"

namespace loggia {
namespace {

struct Parts {
  std::string method, path;                // "get", "/users/{id}"
  std::vector<std::string_view> segments;  // "users", "{id}"
};

Parts parts_of(std::string_view route) {
  Parts out;
  const auto space = route.find(' ');
  for (const char c : route.substr(0, space)) out.method += static_cast<char>(c + 32);
  auto rest = route.substr(space + 1);
  out.path = rest;
  while (rest.starts_with('/')) {
    rest.remove_prefix(1);
    const auto end = std::min(rest.find('/'), rest.size());
    out.segments.push_back(rest.substr(0, end));
    rest.remove_prefix(end);
  }
  return out;
}

/// "GET /rooms/{room}/messages" is getRoomsByRoomMessages: as unique as the route.
std::string operation_id(const Parts& parts) {
  std::string out = parts.method;
  for (auto segment : parts.segments) {
    if (segment.starts_with('{')) {
      out += "By";
      segment = segment.substr(1, segment.size() - 2);
    }
    bool upper = true;
    for (const char c : segment) {
      const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
      if (letter) out += upper && c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
      upper = !letter;
    }
  }
  return out;
}

json reference(std::string_view to) {
  json out = json::object();
  out["$ref"] = "#/components/" + std::string(to);
  return out;
}

/// What a problem's status stands for: name in components, sentence.
struct Failure {
  int status;
  std::string_view name, summary;
};
constexpr Failure failures[] = {
    {400, "BadRequest", "The request does not parse."},
    {401, "Unauthenticated", "Nobody that is known: sign in, or renew the access token."},
    {403, "Forbidden", "Known, but not allowed."},
    {404, "NotFound", "There is no such thing, or you may not see it."},
    {409, "Conflict", "It contradicts what is there, or the same request is still running."},
    {413, "TooLarge", "The body is larger than is taken here."},
    {415, "UnsupportedMediaType", "The body is not application/json."},
    {422, "Invalid", "The request parses and is not valid; `errors` names the fields."},
    {426, "UpgradeRequired", "This address speaks WebSocket."},
    {429, "RateLimited", "Too many requests; `Retry-After` says when to come back."},
    {500, "Internal", "A fault of the server; name the trace_id when you report it."},
    {503, "Unavailable", "Not now, or the outcome is unknown: repeat it with the same key."},
    {504, "Timeout", "It took too long."},
    {507, "InsufficientStorage", "The disk of the server is full; reading goes on."},
};

json headers_of_every_answer() {
  json out = json::object();
  out["Trace-Id"] = reference("headers/TraceId");
  out["RateLimit"] = reference("headers/RateLimit");
  out["RateLimit-Policy"] = reference("headers/RateLimitPolicy");
  return out;
}

json content(std::string_view type, json schema) {
  json out = json::object();
  out[std::string(type)]["schema"] = std::move(schema);
  return out;
}

json failure_response(const Failure& failure) {
  json out = json::object();
  out["description"] = failure.summary;
  out["headers"] = headers_of_every_answer();
  if (failure.status == 429 || failure.status == 503) out["headers"]["Retry-After"] = reference("headers/RetryAfter");
  out["content"] = content("application/problem+json", reference("schemas/Problem"));
  return out;
}

json texts(std::initializer_list<std::string_view> values) {
  json out = json::array();
  for (const auto value : values) out.push_back(std::string(value));
  return out;
}

json text_schema(std::string_view description) {
  json out = json::object();
  out["type"] = "string";
  if (!description.empty()) out["description"] = description;
  return out;
}

/// RFC 9457.
json problem_schema() {
  json fields = json::object(), out = json::object(), wrong = json::object();
  fields["type"] = text_schema("A URI of the kind of problem.");
  fields["title"] = text_schema("The status in words.");
  fields["status"]["type"] = "integer";
  fields["detail"] = text_schema("What is wrong and what to do, for people.");
  fields["code"] = text_schema("What is wrong, for programs.");
  fields["code"]["enum"] =
      texts({"invalid_request", "unauthenticated", "second_factor_required", "forbidden", "not_found", "method_not_allowed", "conflict", "too_large",
             "unsupported_media_type", "rate_limited", "internal", "unavailable", "outcome_unknown", "timeout", "insufficient_storage"});
  fields["trace_id"] = text_schema("Finds this request in logs and traces.");
  wrong["type"] = "object";
  wrong["properties"]["pointer"] = text_schema("JSON pointer to the field.");
  wrong["properties"]["detail"] = text_schema("What is wrong with it.");
  wrong["required"] = texts({"pointer", "detail"});
  fields["errors"]["type"] = "array";
  fields["errors"]["items"] = std::move(wrong);
  out["type"] = "object";
  out["properties"] = std::move(fields);
  out["required"] = texts({"type", "title", "status", "detail", "code", "trace_id"});
  return out;
}

json header(std::string_view description, std::string_view type) {
  json out = json::object();
  out["description"] = description;
  out["schema"]["type"] = type;
  return out;
}

json components() {
  json out = json::object();
  out["schemas"]["Problem"] = problem_schema();
  for (const auto& failure : failures) out["responses"][std::string(failure.name)] = failure_response(failure);
  out["headers"]["TraceId"] = header("Finds this request in logs and traces.", "string");
  out["headers"]["RateLimit"] =
      header("What is left of the limit that this request counted against (draft-ietf-httpapi-ratelimit-headers).", "string");
  out["headers"]["RateLimitPolicy"] = header("The limit: quota and window in seconds.", "string");
  out["headers"]["RetryAfter"] = header("Seconds after which to come back.", "integer");
  auto& key = out["parameters"]["IdempotencyKey"];
  key["name"] = "Idempotency-Key";
  key["in"] = "header";
  key["description"] = "The same request with the same key gets the first answer for 24 h (a refresh: for 60 s); another request with it is 422.";
  key["schema"] = text_schema("");
  key["schema"]["minLength"] = 1;
  key["schema"]["maxLength"] = 64;
  key["schema"]["pattern"] = "^[ -~]*$";
  auto& bearer = out["securitySchemes"]["bearer"];
  bearer["type"] = "http";
  bearer["scheme"] = "bearer";
  bearer["description"] = "An access token (JWT), or a long-lived loggia_ token.";
  return out;
}

json parameter(const RouteDescription::Field& field, std::string_view place) {
  json out = json::object();
  out["name"] = field.name;
  out["in"] = place;
  out["required"] = place == "path" || field.required;
  out["schema"] = field.schema;
  return out;
}

/// In a body, `null` says what leaving an optional field out says.
void allow_null(json& schema) {
  schema["type"] = json::array({schema["type"], "null"});
  if (schema.contains("enum")) schema["enum"].push_back(nullptr);
}

/// The public edge refuses fields that it does not know.
json request_body(const std::vector<RouteDescription::Field>& fields) {
  json schema = json::object(), required = json::array(), out = json::object();
  schema["type"] = "object";
  schema["additionalProperties"] = false;
  for (const auto& field : fields) {
    schema["properties"][field.name] = field.schema;
    if (field.required) required.push_back(field.name);
  }
  out["required"] = !required.empty();
  if (!required.empty()) schema["required"] = std::move(required);
  out["content"] = content("application/json", std::move(schema));
  return out;
}

json security(Access access) {
  json caller = json::object(), out = json::array();
  caller["bearer"] = json::array();
  if (access == Access::admin) caller["bearer"].push_back("admin");
  if (access == Access::open) out.push_back(json::object());  // not needed, taken where it is there
  out.push_back(std::move(caller));
  return out;
}

bool applies(const Failure& failure, const RouteInfo& info, const RouteDescription& described, bool writes) {
  switch (failure.status) {
    case 404:
      return !described.path.empty() || info.access != Access::open;
    case 413:
    case 415:
      return writes && !described.body.empty();
    case 409:
    case 507:
      return writes;
    case 426:
      return info.status == 101;
    default:
      return true;
  }
}

json success(const RouteDescription& described, std::string_view words) {
  json out = json::object();
  out["description"] = words;
  out["headers"] = headers_of_every_answer();
  if (!described.reply.is_null()) out["content"] = content("application/json", described.reply);
  return out;
}

std::string_view words_of(int status) {
  switch (status) {
    case 101:
      return "The connection speaks WebSocket from now on.";
    case 201:
      return "Made.";
    case 202:
      return "Taken. What comes of it is not said.";
    case 204:
      return "Done.";
    default:
      return "The answer.";
  }
}

json operation(const RouteInfo& info, const Parts& parts) {
  const auto described = describe(info);
  json out = json::object(), parameters = json::array();
  const std::string summary(info.summary.empty() ? info.route : info.summary);
  out["operationId"] = operation_id(parts);
  out["summary"] = summary;
  out["description"] = summary + (info.access == Access::admin ? " Administrators only." : "");
  out["tags"].push_back(parts.segments.empty() ? std::string("root") : std::string(parts.segments.front()));
  out["security"] = security(info.access);
  for (const auto& field : described.path) parameters.push_back(parameter(field, "path"));
  for (const auto& field : described.query) parameters.push_back(parameter(field, "query"));
  if (info.idempotent) parameters.push_back(reference("parameters/IdempotencyKey"));
  if (!parameters.empty()) out["parameters"] = std::move(parameters);
  if (!described.body.empty()) out["requestBody"] = request_body(described.body);
  out["responses"][std::to_string(info.status)] = success(described, words_of(info.status));
  if (info.may_exist && info.status != 200) out["responses"]["200"] = success(described, "It was there already.");
  const bool writes = parts.method != "get";
  for (const auto& failure : failures)
    if (applies(failure, info, described, writes))
      out["responses"][std::to_string(failure.status)] = reference("responses/" + std::string(failure.name));
  return out;
}

}  // namespace

RouteDescription describe(const RouteInfo& info) {
  RouteDescription out;
  if (info.reply) out.reply = schema_from(*info.reply);
  if (!info.request) return out;
  for (const auto& field : info.request->fields) {
    if (field.name == info.inner) continue;
    RouteDescription::Field described;
    described.name = field.name;
    described.schema = schema_of_member(*info.request, field);
    const bool path = in_path(info.route, field.name);
    described.required = path || !field.may_be_absent;
    if (!path && info.has_body && field.codec->present) allow_null(described.schema);
    (path ? out.path : info.has_body ? out.body : out.query).push_back(std::move(described));
  }
  return out;
}

json openapi_document(const std::vector<RouteInfo>& routes, std::string_view version) {
  json out = json::object(), tags = json::array(), server = json::object();
  out["openapi"] = "3.1.0";
  out["info"]["title"] = "Loggia";
  out["info"]["version"] = version;
  out["info"]["description"] =
      "A real-time chat server. JSON in UTF-8, names in snake_case, times in RFC 3339 UTC, ids are UUIDv7. Unknown fields in a request are an error. "
      "Lists are pages: `next` is the `cursor` of the following one. Errors are RFC 9457 problems.";
  server["url"] = "/api/v1";
  out["servers"].push_back(std::move(server));
  out["paths"] = json::object();
  std::set<std::string> names;
  for (const auto& info : routes) {
    if (info.access == Access::internal) continue;
    const auto parts = parts_of(info.route);
    out["paths"][parts.path][parts.method] = operation(info, parts);
    if (!parts.segments.empty()) names.emplace(parts.segments.front());
  }
  for (const auto& name : names) {
    json tag = json::object();
    tag["name"] = name;
    tag["description"] = "What is under /" + name + ".";
    tags.push_back(std::move(tag));
  }
  out["tags"] = std::move(tags);
  out["components"] = components();
  return out;
}

}  // namespace loggia
