// What smtp.url and smtp.from say. No error holds what was written there: it may be a password.
#include <algorithm>
#include <charconv>
#include "loggia/kernel/mail.hpp"

namespace loggia {
namespace {

constexpr std::size_t address_max = 254, local_max = 64, name_max = 45;  // one encoded word

Error wrong_url(std::string_view detail) { return wrong_field("smtp.url", detail); }
Error wrong_from(std::string_view detail) { return wrong_field("smtp.from", detail); }

bool letter_or_digit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || static_cast<unsigned char>(c) >= 0x80;
}
bool local_character(char c) { return letter_or_digit(c) || std::string_view("!#$%&'*+-/=?^_`{|}~.").find(c) != std::string_view::npos; }
bool domain_character(char c) { return letter_or_digit(c) || c == '-' || c == '.'; }
bool dotted(std::string_view text) { return !text.empty() && text.front() != '.' && text.back() != '.' && text.find("..") == text.npos; }

std::optional<int> hex(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return std::nullopt;
}
/// Percent-decoded; nothing where it is not well-formed or holds a control character (RFC 4616 forbids NUL, and no line may end in it).
std::optional<std::string> decoded(std::string_view text) {
  std::string out;
  for (std::size_t at = 0; at < text.size(); ++at) {
    char c = text[at];
    if (c == '%') {
      const auto high = at + 2 < text.size() ? hex(text[at + 1]) : std::nullopt, low = high ? hex(text[at + 2]) : std::nullopt;
      if (!low) return std::nullopt;
      c = static_cast<char>(*high * 16 + *low);
      at += 2;
    }
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) return std::nullopt;
    out += c;
  }
  return out;
}

/// `user:password`
Result<bool> take_login(std::string_view text, SmtpServer& out) {
  const auto colon = text.find(':');
  const auto user = decoded(text.substr(0, colon)), password = decoded(colon == text.npos ? std::string_view() : text.substr(colon + 1));
  if (!user || !password) return wrong_url("has a user or password that is not well-formed: write @ as %40, : as %3A, / as %2F and % as %25");
  if (user->empty() || password->empty())
    return wrong_url("names a user without a password, or a password without a user; it takes both, or neither");
  out.user = *user;
  out.password = *password;
  return true;
}

/// `host`, `host:port`, `[::1]:port`
Result<bool> take_place(std::string_view text, SmtpServer& out) {
  std::string_view port;
  if (text.starts_with('[')) {
    const auto end = text.find(']');
    if (end == text.npos) return wrong_url("has an IPv6 address without its closing bracket");
    out.host = text.substr(1, end - 1);
    text.remove_prefix(end + 1);
    if (!text.empty() && text.front() != ':') return wrong_url("has something between host and port");
    port = text.empty() ? text : text.substr(1);
    const auto fine = [](char c) { return hex(c) || c == ':' || c == '.'; };
    if (out.host.empty() || !std::all_of(out.host.begin(), out.host.end(), fine)) return wrong_url("has no IPv6 address between its brackets");
  } else {
    const auto colon = text.find(':');
    out.host = text.substr(0, colon);
    port = colon == text.npos ? std::string_view() : text.substr(colon + 1);
    if (!dotted(out.host) || !std::all_of(out.host.begin(), out.host.end(), domain_character))
      return wrong_url("names no host: write smtp://user:password@mail.example.org:587");
  }
  if (port.empty()) return true;
  const auto [end, problem] = std::from_chars(port.data(), port.data() + port.size(), out.port);
  if (problem != std::errc() || end != port.data() + port.size() || out.port < 1 || out.port > 65535) return wrong_url("has no port from 1 to 65535");
  return true;
}

Result<bool> take_sender(std::string_view from, SmtpServer& out) {
  if (from.empty()) return wrong_from("is missing: whom is the mail from? For instance Loggia <chat@example.org>");
  const auto open = from.find('<');
  std::string_view name, address = from;
  if (open != from.npos) {
    if (!from.ends_with('>')) return wrong_from("is no sender: write chat@example.org, or Loggia <chat@example.org>");
    name = from.substr(0, open);
    address = from.substr(open + 1, from.size() - open - 2);
    const auto dressing = [](char c) { return c == ' ' || c == '"'; };
    while (!name.empty() && dressing(name.back())) name.remove_suffix(1);
    while (!name.empty() && dressing(name.front())) name.remove_prefix(1);
  }
  const auto control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; };
  if (!is_mail_address(address) || name.size() > name_max || std::any_of(name.begin(), name.end(), control))
    return wrong_from("is no sender: write chat@example.org, or Loggia <chat@example.org>");
  out.sender_name = name;
  out.sender = address;
  return true;
}

}  // namespace

bool is_mail_address(std::string_view text) {
  const auto at = text.find('@');
  if (text.size() > address_max || at == text.npos || at > local_max) return false;
  const auto local = text.substr(0, at), domain = text.substr(at + 1);
  return dotted(local) && dotted(domain) && domain.front() != '-' && std::all_of(local.begin(), local.end(), local_character) &&
         std::all_of(domain.begin(), domain.end(), domain_character);
}

Result<SmtpServer> smtp_server(const std::string& url, const std::string& from) {
  SmtpServer out;
  std::string_view rest = url;
  if (rest.starts_with("smtps://")) {
    out.tls_from_start = true;
    out.port = 465;  // RFC 8314
    rest.remove_prefix(8);
  } else if (rest.starts_with("smtp://")) {
    rest.remove_prefix(7);
  } else {
    return wrong_url("begins with smtp:// (STARTTLS where there is a password or the server offers it) or smtps:// (TLS from the start)");
  }
  if (rest.ends_with('/')) rest.remove_suffix(1);
  const auto at = rest.rfind('@');
  if (at != rest.npos)
    if (auto login = take_login(rest.substr(0, at), out); !login) return login.error();
  if (auto place = take_place(at == rest.npos ? rest : rest.substr(at + 1), out); !place) return place.error();
  if (auto sender = take_sender(from, out); !sender) return sender.error();
  return out;
}

bool mail_is_configured(const Config& config) { return config.declares("smtp.url") && !config.text("smtp.url").empty(); }

std::vector<FieldError> mail_mistakes(const Config& config) {
  const auto url = config.text("smtp.url");
  if (url.empty()) return {};
  auto server = smtp_server(url, config.text("smtp.from"));
  auto wrong = server ? std::vector<FieldError>() : server.error().fields;
  if (!can_send_mail())
    wrong.push_back({"smtp.url",
                     "this build sends no mail, since libcurl was not there: apt-get install libcurl4-openssl-dev, build again (scripts/build), "
                     "or remove smtp.url"});
  return wrong;
}

}  // namespace loggia
