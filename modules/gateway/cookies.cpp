#include "cookies.hpp"
#include "loggia/kernel/json.hpp"
#include "loggia/kernel/json_value.hpp"

namespace loggia::gateway {

std::string_view cookie_name(bool secure) { return secure ? "__Secure-loggia" : "loggia"; }

std::optional<std::string> cookie_token(const HttpRequest& request, bool secure) {
  const auto wanted = cookie_name(secure);
  for (const auto& [name, value] : request.headers) {
    if (name != "cookie") continue;
    std::string_view rest = value;
    while (!rest.empty()) {
      const auto end = rest.find(';');
      auto pair = rest.substr(0, end);
      rest = end == rest.npos ? std::string_view() : rest.substr(end + 1);
      while (pair.starts_with(' ')) pair.remove_prefix(1);
      const auto equals = pair.find('=');
      if (equals != pair.npos && pair.substr(0, equals) == wanted && equals + 1 < pair.size()) return std::string(pair.substr(equals + 1));
    }
  }
  return std::nullopt;
}

std::string set_cookie(std::string_view token, bool secure, std::chrono::seconds lifetime) {
  std::string out(cookie_name(secure));
  ((out += '=') += token) += "; Path=/api/v1/auth; HttpOnly; SameSite=Strict; Max-Age=";
  out += std::to_string(lifetime.count());
  if (secure) out += "; Secure";
  return out;
}

std::string clear_cookie(bool secure) { return set_cookie(std::string_view(), secure, std::chrono::seconds(0)); }

bool wants_cookie(const std::string& body) {
  const auto parsed = parse_untrusted(body);
  if (!parsed || !parsed->is_object()) return false;
  const auto found = parsed->find("cookie");
  return found != parsed->end() && found->is_boolean() && found->get<bool>();
}

std::optional<Parted> part_token(const std::string& answer) {
  auto parsed = parse_untrusted(answer);
  if (!parsed || !parsed->is_object()) return std::nullopt;
  const auto found = parsed->find("refresh_token");
  if (found == parsed->end() || !found->is_string()) return std::nullopt;
  Parted out;
  out.token = found->get<std::string>();
  parsed->erase(found);
  out.body = parsed->dump();
  return out;
}

}  // namespace loggia::gateway
