#include "http/response.hpp"
#include <algorithm>
#include "http/head.hpp"
#include "loggia/kernel/json.hpp"

namespace loggia {

std::string_view HttpRequest::header(std::string_view name) const {
  for (const auto& [key, value] : headers)
    if (key == name) return value;
  return {};
}

bool HttpRequest::has(std::string_view name) const {
  return std::any_of(headers.begin(), headers.end(), [&](const auto& field) { return field.first == name; });
}

namespace {

HttpResponse problem_document(int status, std::string_view code, const std::string& detail, const std::vector<FieldError>& fields,
                              const Trace& trace) {
  HttpResponse response;
  response.status = status;
  response.headers.emplace_back("content-type", "application/problem+json");
  auto& out = response.body;
  const auto member = [&out](std::string_view name, std::string_view text) {
    out += name;
    append_quoted(out, text);
  };
  member("{\"type\":", "about:blank");
  member(",\"title\":", http::reason_of(status));
  (out += ",\"status\":") += std::to_string(status);
  member(",\"detail\":", detail);
  member(",\"code\":", code);
  member(",\"trace_id\":", trace.id);
  if (!fields.empty()) {
    out += ",\"errors\":[";
    for (std::size_t i = 0; i < fields.size(); ++i) {
      if (i > 0) out += ',';
      member("{\"pointer\":", fields[i].pointer);
      member(",\"detail\":", fields[i].detail);
      out += '}';
    }
    out += ']';
  }
  out += '}';
  return response;
}

/// The contract's code for a status that no Errc stands for.
std::string_view code_of(int status) {
  switch (status) {
    case 401:
      return "unauthenticated";
    case 403:
      return "forbidden";
    case 404:
      return "not_found";
    case 405:
      return "method_not_allowed";
    case 409:
      return "conflict";
    case 413:
    case 414:
    case 431:
      return "too_large";
    case 415:
      return "unsupported_media_type";
    case 429:
      return "rate_limited";
    case 503:
      return "unavailable";
    case 408:
    case 504:
      return "timeout";
    case 507:
      return "insufficient_storage";
    default:
      return status >= 500 && status != 501 && status != 505 ? "internal" : "invalid_request";
  }
}

}  // namespace

HttpResponse problem(const Error& error, const Trace& trace) {
  const auto [status, code] = fault(error.code);
  auto response = problem_document(status, code, error.detail, error.fields, trace);
  if (status == 429 || status == 503) response.headers.emplace_back("retry-after", std::to_string(error.retry_after.value_or(1)));
  else if (error.retry_after) response.headers.emplace_back("retry-after", std::to_string(*error.retry_after));
  if (status == 401) response.headers.emplace_back("www-authenticate", "Bearer");
  return response;
}

HttpResponse problem(int status, std::string_view detail, const Trace& trace) {
  auto response = problem_document(status, code_of(status), std::string(detail), {}, trace);
  if (status == 429 || status == 503) response.headers.emplace_back("retry-after", "1");
  if (status == 401) response.headers.emplace_back("www-authenticate", "Bearer");
  return response;
}

namespace http {

std::string_view reason_of(int status) {
  switch (status) {
    case 100:
      return "Continue";
    case 101:
      return "Switching Protocols";
    case 200:
      return "OK";
    case 201:
      return "Created";
    case 202:
      return "Accepted";
    case 204:
      return "No Content";
    case 206:
      return "Partial Content";
    case 301:
      return "Moved Permanently";
    case 302:
      return "Found";
    case 303:
      return "See Other";
    case 304:
      return "Not Modified";
    case 307:
      return "Temporary Redirect";
    case 308:
      return "Permanent Redirect";
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 406:
      return "Not Acceptable";
    case 408:
      return "Request Timeout";
    case 409:
      return "Conflict";
    case 410:
      return "Gone";
    case 411:
      return "Length Required";
    case 412:
      return "Precondition Failed";
    case 413:
      return "Content Too Large";
    case 414:
      return "URI Too Long";
    case 415:
      return "Unsupported Media Type";
    case 416:
      return "Range Not Satisfiable";
    case 417:
      return "Expectation Failed";
    case 421:
      return "Misdirected Request";
    case 422:
      return "Unprocessable Content";
    case 426:
      return "Upgrade Required";
    case 428:
      return "Precondition Required";
    case 429:
      return "Too Many Requests";
    case 431:
      return "Request Header Fields Too Large";
    case 500:
      return "Internal Server Error";
    case 501:
      return "Not Implemented";
    case 502:
      return "Bad Gateway";
    case 503:
      return "Service Unavailable";
    case 504:
      return "Gateway Timeout";
    case 505:
      return "HTTP Version Not Supported";
    case 507:
      return "Insufficient Storage";
    default:
      return "Status";
  }
}

bool may_have_body(int status) { return status >= 200 && status != 204 && status != 304; }

bool headers_are_safe(const Parameters& headers) {
  return std::all_of(headers.begin(), headers.end(), [](const auto& field) { return is_token(field.first) && is_field_value(field.second); });
}

std::string response_head(const HttpResponse& response, std::optional<std::size_t> body_size, bool close) {
  std::string out;
  out.reserve(256);
  ((((out += "HTTP/1.1 ") += std::to_string(response.status)) += ' ') += reason_of(response.status)) += "\r\n";
  for (const auto& [name, value] : response.headers) {
    if (iequals(name, "content-length") || iequals(name, "connection") || iequals(name, "transfer-encoding")) continue;
    (((out += name) += ": ") += value) += "\r\n";
  }
  if (!may_have_body(response.status)) body_size = std::nullopt;
  else if (!body_size) out += "transfer-encoding: chunked\r\n";
  if (body_size) ((out += "content-length: ") += std::to_string(*body_size)) += "\r\n";
  if (close) out += "connection: close\r\n";
  out += "\r\n";
  return out;
}

}  // namespace http
}  // namespace loggia
