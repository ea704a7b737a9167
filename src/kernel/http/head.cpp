#include "http/head.hpp"
#include <algorithm>
#include <charconv>
#include "http/target.hpp"

namespace loggia::http {
namespace {

constexpr std::size_t method_max = 32;

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; }

bool token_character(char c) {
  if ((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')) return true;
  return c != '\0' && std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
}

bool host_character(char c) {
  if ((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')) return true;
  return c != '\0' && std::string_view("-._~:[]%!$&'()*+;=").find(c) != std::string_view::npos;
}

bool is_host(std::string_view text) { return !text.empty() && text.size() <= 300 && std::all_of(text.begin(), text.end(), host_character); }

std::optional<Refusal> refuse(int status, std::string detail) { return Refusal{status, std::move(detail)}; }

std::size_t count(const Parameters& headers, std::string_view name) {
  return static_cast<std::size_t>(std::count_if(headers.begin(), headers.end(), [&](const auto& field) { return field.first == name; }));
}

std::optional<Refusal> read_field(std::string_view line, Head& head) {
  if (line.front() == ' ' || line.front() == '\t') return refuse(400, "A header field goes on in a second line: write it in one.");
  const auto colon = line.find(':');
  if (colon == std::string_view::npos) return refuse(400, "A header line has no colon.");
  const auto name = line.substr(0, colon);
  if (!is_token(name)) return refuse(400, "The name of a header field has a character that it may not have.");
  const auto value = trimmed(line.substr(colon + 1));
  if (!is_field_value(value)) return refuse(400, "The value of a header field has a control character.");
  std::string key(name);
  std::transform(key.begin(), key.end(), key.begin(), lower);
  head.request.headers.emplace_back(std::move(key), std::string(value));
  return std::nullopt;
}

/// The message's length, and so where the next request begins: the heart of it.
std::optional<Refusal> read_framing(Head& head, const Limits& limits) {
  const auto& headers = head.request.headers;
  const auto lengths = count(headers, "content-length"), codings = count(headers, "transfer-encoding");
  if (codings > 0) {
    if (head.http_1_0) return refuse(400, "HTTP/1.0 has no Transfer-Encoding: send a Content-Length.");
    if (lengths > 0) return refuse(400, "Transfer-Encoding and Content-Length exclude each other: send one of them.");
    if (codings > 1 || !iequals(head.request.header("transfer-encoding"), "chunked"))
      return refuse(400, "The only Transfer-Encoding taken is `chunked`, once.");
    head.chunked = head.has_body = true;
  } else if (lengths > 0) {
    if (lengths > 1) return refuse(400, "There is more than one Content-Length.");
    const auto text = head.request.header("content-length");
    if (text.empty() || text.size() > 19 || !std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; }))
      return refuse(400, "Content-Length takes one number of decimal digits.");
    std::from_chars(text.data(), text.data() + text.size(), head.content_length);
    if (head.content_length > limits.body_max) return refuse(413, "The body has more than " + std::to_string(limits.body_max) + " bytes.");
    head.has_body = head.content_length > 0;
  }
  if (head.has_body && head.request.has("upgrade")) return refuse(400, "A request that asks for an upgrade has no body.");
  return std::nullopt;
}

std::optional<Refusal> read_connection(Head& head) {
  const auto& headers = head.request.headers;
  head.close = head.http_1_0 || lists_token(headers, "connection", "close");
  if (head.http_1_0 && lists_token(headers, "connection", "keep-alive"))
    return refuse(400, "A connection of HTTP/1.0 is not kept alive: leave `Connection: keep-alive` out, or use HTTP/1.1.");
  if (const auto expected = head.request.header("expect"); !expected.empty()) {
    if (count(headers, "expect") > 1 || !iequals(expected, "100-continue")) return refuse(417, "The only expectation met is `100-continue`.");
    head.expects_continue = head.has_body && !head.http_1_0;
  }
  head.websocket =
      head.request.method == "GET" && !head.http_1_0 && lists_token(headers, "upgrade", "websocket") && lists_token(headers, "connection", "upgrade");
  return std::nullopt;
}

std::optional<Refusal> read_request_line(std::string_view line, Head& head, std::string_view& authority, const Limits& limits) {
  const auto first = line.find(' ');
  const auto last = line.rfind(' ');
  if (first == std::string_view::npos || first == last) return refuse(400, "The request line takes a method, a target and a version.");
  const auto method = line.substr(0, first), version = line.substr(last + 1);
  auto target = line.substr(first + 1, last - first - 1);
  if (!is_token(method)) return refuse(400, "The method has a character that it may not have.");
  if (method.size() > method_max) return refuse(501, "No method has such a long name.");
  if (target.size() > limits.target_max) return refuse(414, "The target has more than " + std::to_string(limits.target_max) + " bytes.");
  if (version.size() != 8 || !version.starts_with("HTTP/") || version[6] != '.') return refuse(400, "The request line ends in `HTTP/1.1`.");
  if (version != "HTTP/1.1" && version != "HTTP/1.0") return refuse(505, "The version of HTTP spoken here is 1.1.");
  head.http_1_0 = version == "HTTP/1.0";
  if (method == "CONNECT") return refuse(501, "This is no proxy: CONNECT is not taken.");
  head.request.method = method;
  head.request.target = target;
  if (target == "*" && method == "OPTIONS") {
    head.request.path = "*";
    return std::nullopt;
  }
  const auto scheme = target.find("://");
  if (scheme != std::string_view::npos && (iequals(target.substr(0, scheme), "http") || iequals(target.substr(0, scheme), "https"))) {
    target.remove_prefix(scheme + 3);
    const auto end = std::min(target.find_first_of("/?#"), target.size());
    authority = target.substr(0, end);
    target.remove_prefix(end);
    if (!is_host(authority)) return refuse(400, "The target names no valid host.");
    if (target.empty()) target = "/";
  }
  auto parsed = parse_target(target);
  if (!parsed) return refuse(400, parsed.error().detail);
  head.request.path = std::move(parsed->path);
  head.request.query = std::move(parsed->query);
  return std::nullopt;
}

std::optional<Refusal> read_lines(std::string_view bytes, Head& head, const Limits& limits) {
  std::string_view authority;
  bool first = true;
  while (!bytes.empty()) {
    const auto end = bytes.find("\r\n");
    if (end == std::string_view::npos) return refuse(400, "A line does not end in CR LF.");
    const auto line = bytes.substr(0, end);
    bytes.remove_prefix(end + 2);
    if (line.empty()) {
      if (first || !bytes.empty()) return refuse(400, "The head of the request is not one.");
      break;
    }
    if (!first && head.request.headers.size() == limits.fields_max)
      return refuse(431, "There are more than " + std::to_string(limits.fields_max) + " header fields.");
    if (auto refused = first ? read_request_line(line, head, authority, limits) : read_field(line, head)) return refused;
    first = false;
  }
  if (count(head.request.headers, "host") != 1) return refuse(400, "A request has exactly one Host.");
  const auto host = head.request.header("host");
  if (!is_host(host)) return refuse(400, "The Host is not a name or address with an optional port.");
  if (!authority.empty() && !iequals(authority, host)) return refuse(400, "The target names another host than the Host field.");
  if (auto refused = read_framing(head, limits)) return refused;
  return read_connection(head);
}

}  // namespace

bool is_token(std::string_view text) { return !text.empty() && std::all_of(text.begin(), text.end(), token_character); }

bool is_field_value(std::string_view text) {
  return std::none_of(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7f; });
}

bool iequals(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) { return lower(x) == lower(y); });
}

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

bool lists_token(const Parameters& headers, std::string_view name, std::string_view token) {
  for (const auto& [key, value] : headers) {
    if (key != name) continue;
    std::string_view rest = value;
    while (!rest.empty()) {
      const auto comma = rest.find(',');
      if (iequals(trimmed(rest.substr(0, comma)), token)) return true;
      rest = comma == std::string_view::npos ? std::string_view() : rest.substr(comma + 1);
    }
  }
  return false;
}

HeadScanner::State HeadScanner::refuse(int status, std::string_view detail) {
  refusal_ = Refusal{status, std::string(detail)};
  return State::refused;
}

HeadScanner::State HeadScanner::scan(std::string_view bytes, const Limits& limits) {
  const auto first_line_max = limits.target_max + method_max + 16;  // a method, the target and a version
  for (; seen_ < bytes.size() && seen_ < limits.header_max; ++seen_) {
    const char c = bytes[seen_];
    if (c == '\0') return refuse(400, "The head of the request has a NUL byte.");
    if (seen_ > line_ && bytes[seen_ - 1] == '\r' && c != '\n') return refuse(400, "A carriage return stands alone.");
    if (c != '\n') continue;
    if (seen_ == line_ || bytes[seen_ - 1] != '\r') return refuse(400, "A line ends in LF alone: lines end in CR LF.");
    const bool empty = seen_ - line_ == 1;
    line_ = seen_ + 1;
    if (empty) {
      size_ = line_;
      return State::complete;
    }
    if (first_line_ && line_ > first_line_max) return refuse(414, "The target of the request is too long.");
    if (!std::exchange(first_line_, false) && ++fields_ > limits.fields_max) return refuse(431, "There are too many header fields.");
  }
  if (first_line_ && bytes.size() > first_line_max) return refuse(414, "The target of the request is too long.");
  if (seen_ >= limits.header_max) return refuse(431, "The head of the request has more than " + std::to_string(limits.header_max) + " bytes.");
  return State::more;
}

Verdict read_head(std::string_view bytes, const Limits& limits) {
  Verdict verdict;
  Head head;
  HeadScanner scanner;
  const auto state = scanner.scan(bytes, limits);
  if (state == HeadScanner::State::refused) {
    verdict.refusal = scanner.refusal();
  } else if (state == HeadScanner::State::more || scanner.size() != bytes.size()) {
    verdict.refusal = Refusal{400, "The head of the request is not one."};
  } else if (auto refused = read_lines(bytes, head, limits)) {
    verdict.refusal = std::move(*refused);
  } else {
    verdict.head = std::move(head);
  }
  return verdict;
}

}  // namespace loggia::http
