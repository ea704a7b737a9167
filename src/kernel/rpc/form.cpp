#include "rpc/form.hpp"
#include <algorithm>
#include <charconv>
#include "http/target.hpp"
#include "loggia/kernel/json.hpp"
#include "loggia/kernel/json_value.hpp"

namespace loggia::rpc {
namespace {

constexpr std::size_t reply_max = 8u << 10;  // of a head, which has 16 KiB

bool unreserved(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' || c == '~';
}

template <class T> std::optional<T> number_in(std::string_view text) {
  T number{};
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (problem != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

Error bad_header(std::string_view name) { return Error(Errc::malformed, "the header " + std::string(name) + " is not as a transport writes it"); }

/// Texts of headers, decoded; what is wrong is remembered.
class Headers {
 public:
  explicit Headers(const HttpRequest& request) : request_{request} {}
  std::string text(std::string_view name) {
    auto out = http::percent_decoded(request_.header(name), false);
    if (!out) wrong_ = name;
    return out ? std::move(*out) : std::string();
  }
  Uuid id(std::string_view name) {
    const auto raw = request_.header(name);
    if (raw.empty()) return Uuid();
    const auto parsed = Uuid::parse(raw);
    if (!parsed) wrong_ = name;
    return parsed ? *parsed : Uuid();
  }
  const std::string& wrong() const { return wrong_; }

 private:
  const HttpRequest& request_;
  std::string wrong_;
};

std::string text_in(const json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

/// Of an answer that is no document of ours: a proxy's, or of a peer that is not what it should be.
Error strange(int status) {
  if (status == 503) return Error(Errc::unavailable, "the module is not available");
  if (status == 504) return Error(Errc::timeout, "the module did not answer in time");
  return Error(Errc::internal, "a peer answered what no contract knows: status " + std::to_string(status));
}

}  // namespace

std::string percent_encoded(std::string_view text) {
  constexpr char digits[] = "0123456789ABCDEF";
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    if (unreserved(c)) {
      out += c;
      continue;
    }
    out += '%';
    out += digits[static_cast<unsigned char>(c) >> 4];
    out += digits[static_cast<unsigned char>(c) & 15];
  }
  return out;
}

std::string_view method_of(std::string_view route) { return route.substr(0, route.find(' ')); }
std::string_view path_of(std::string_view route) {
  const auto space = route.find(' ');
  return space == route.npos ? std::string_view() : route.substr(space + 1);
}

std::vector<std::string> names_in(std::string_view route) {
  std::vector<std::string> out;
  for (auto open = route.find('{'); open != route.npos; open = route.find('{', open + 1))
    out.emplace_back(route.substr(open + 1, route.find('}', open) - open - 1));
  return out;
}

std::string target_of(const Call& call) {
  std::string out(base);
  for (const char c : path_of(call.route)) c == '/' ? out += c : out += percent_encoded(std::string_view(&c, 1));
  char before = '?';
  for (const auto* parameters : {&call.path, &call.query})
    for (const auto& [name, value] : *parameters) {
      ((out += before) += percent_encoded(name)) += '=';
      out += percent_encoded(value);
      before = '&';
    }
  return out;
}

Parameters headers_of(const Context& context, std::optional<milliseconds> left, bool people) {
  Parameters out;
  const auto put = [&out](const char* name, const std::string& text) {
    if (!text.empty()) out.emplace_back(name, percent_encoded(text));
  };
  if (!context.trace().id.empty()) out.emplace_back("traceparent", context.trace().parent());
  put("idempotency-key", context.idempotency_key());
  if (left) out.emplace_back("loggia-timeout", std::to_string(left->count()));
  const auto& caller = context.caller();
  put("loggia-module", caller.module);
  if (!people) return out;
  if (caller.known()) out.emplace_back("loggia-subject", caller.subject.text());
  if (!caller.session.nil()) out.emplace_back("loggia-session", caller.session.text());
  put("loggia-username", caller.username);
  std::string roles;
  for (const auto& role : caller.roles) (roles += roles.empty() ? "" : ",") += percent_encoded(role);
  if (!roles.empty()) out.emplace_back("loggia-roles", std::move(roles));
  put("loggia-address", context.address());
  put("loggia-client", context.client());
  return out;
}

Result<Context> context_of(const HttpRequest& request, Moment now) {
  Headers headers(request);
  Caller caller;
  caller.subject = headers.id("loggia-subject");
  caller.session = headers.id("loggia-session");
  caller.username = headers.text("loggia-username");
  caller.module = headers.text("loggia-module");
  std::string_view roles = request.header("loggia-roles");
  while (!roles.empty()) {
    const auto comma = std::min(roles.find(','), roles.size());
    auto role = http::percent_decoded(roles.substr(0, comma), false);
    if (!role || role->empty()) return bad_header("loggia-roles");
    caller.roles.push_back(std::move(*role));
    roles.remove_prefix(std::min(comma + 1, roles.size()));
  }
  auto deadline = Moment::max();
  if (request.has("loggia-timeout")) {
    const auto left = number_in<std::int64_t>(request.header("loggia-timeout"));
    if (!left || *left < 0 || *left > milliseconds(std::chrono::hours(24)).count()) return bad_header("loggia-timeout");
    deadline = now + milliseconds(*left);
  }
  Trace trace;
  if (request.has("traceparent")) {
    auto parsed = Trace::parse(request.header("traceparent"));
    if (!parsed) return bad_header("traceparent");
    trace = std::move(*parsed);
  }
  const auto key = headers.text("idempotency-key"), address = headers.text("loggia-address"), client = headers.text("loggia-client");
  if (!headers.wrong().empty()) return bad_header(headers.wrong());
  return Context(std::move(trace), deadline).as(std::move(caller)).keyed(key).from(address, client);
}

bool names_a_person(const HttpRequest& request) {
  for (const char* name : {"loggia-subject", "loggia-session", "loggia-username", "loggia-roles"})
    if (request.has(name)) return true;
  return false;
}

Counter& refused(Metrics& metrics, std::string reason) {
  return metrics.counter("loggia_rpc_refused_total", "Peers that were refused between modules, and identities that were not believed.",
                         Labels{{"reason", std::move(reason)}});
}

HttpResponse response_of(Result<Answer> answer, const Trace& trace, Moment deadline) {
  if (!answer) {
    const auto& error = answer.error();
    auto response = problem(error, trace);
    // To people the document names a time even where the error does not; between modules the error comes back as it is.
    if (!error.retry_after) std::erase_if(response.headers, [](const auto& header) { return header.first == "retry-after"; });
    return response;
  }
  HttpResponse response;
  response.status = answer->status;
  if (answer->bytes) {
    auto reply = percent_encoded(answer->body);
    if (reply.size() > reply_max) return problem(Error(Errc::internal, "what is said beside bytes is too long"), trace);
    response.headers.emplace_back("content-type", "application/octet-stream");
    response.headers.emplace_back(reply_header, std::move(reply));
    response.bytes = std::move(answer->bytes);
    response.until = deadline;
    return response;
  }
  response.body = std::move(answer->body);
  if (!response.body.empty()) response.headers.emplace_back("content-type", "application/json");
  return response;
}

Result<Answer> answer_of(const Received& received, ByteStream bytes) {
  auto reply = http::percent_decoded(received.reply, false);
  if (!reply) return strange(received.status);
  Answer answer;
  answer.status = received.status;
  answer.body = std::move(*reply);
  answer.bytes = std::move(bytes);
  return answer;
}

Result<Answer> answer_of(Received received) {
  if (received.status >= 200 && received.status < 300) {
    Answer answer;
    answer.status = received.status;
    answer.body = std::move(received.body);
    return answer;
  }
  if (!received.content_type.starts_with("application/problem+json")) return strange(received.status);
  const auto document = parse_untrusted(received.body);
  if (!document || !document->is_object()) return strange(received.status);
  const auto code = text_in(*document, "code");
  if (code.empty()) return strange(received.status);
  Error error(errc_of(received.status, code), text_in(*document, "detail"));
  if (const auto fields = document->find("errors"); fields != document->end() && fields->is_array())
    for (const auto& field : *fields) {
      if (!field.is_object()) continue;
      auto& wrong = error.fields.emplace_back();
      wrong.pointer = text_in(field, "pointer");
      wrong.detail = text_in(field, "detail");
    }
  error.retry_after = number_in<int>(received.retry_after);
  return error;
}

}  // namespace loggia::rpc
