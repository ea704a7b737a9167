#include "credentials.hpp"
#include <algorithm>
#include <array>
#include "loggia/kernel/mail.hpp"

namespace loggia::auth {
namespace {

constexpr std::size_t username_min = 2, username_max = 32, password_min = 10, password_max = 256;
constexpr std::array<std::string_view, 7> reserved{"room", "all", "here", "everyone", "me", "admin", "system"};
constexpr std::array<std::string_view, 4> known_roles{"admin", "member", "guest", "bot"};

bool letter_or_digit(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'); }
bool name_character(char c) { return letter_or_digit(c) || c == '_' || c == '-' || c == '.'; }

/// Of text that is UTF-8: what came over the wire was checked.
std::size_t code_points(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

}  // namespace

std::optional<std::string> wrong_username(std::string_view username) {
  if (username.size() < username_min || username.size() > username_max || !letter_or_digit(username.front()) ||
      !std::all_of(username.begin(), username.end(), name_character))
    return "has 2 to 32 of a-z A-Z 0-9 _ - . and begins with a letter or digit";
  if (std::find(reserved.begin(), reserved.end(), lower_ascii(username)) != reserved.end()) return "is a reserved word; choose another one";
  return std::nullopt;
}

std::optional<std::string> wrong_password(std::string_view password) {
  const auto size = code_points(password);
  if (size < password_min || size > password_max) return "has 10 to 256 characters";
  return std::nullopt;
}

std::optional<std::string> wrong_email(std::string_view email) {
  if (!is_mail_address(email)) return "is no mail address";
  return std::nullopt;
}

std::optional<std::string> wrong_roles(const std::vector<std::string>& roles) {
  const auto known = [](const std::string& role) { return std::find(known_roles.begin(), known_roles.end(), role) != known_roles.end(); };
  if (roles.empty() || !std::all_of(roles.begin(), roles.end(), known)) return "are one or more of admin, member, guest, bot";
  return std::nullopt;
}

std::string lower_ascii(std::string_view text) {
  std::string out(text);
  for (char& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return out;
}

std::string join_roles(const std::vector<std::string>& roles) {
  std::string out;
  for (const auto role : known_roles)
    if (std::find(roles.begin(), roles.end(), role) != roles.end()) (out += out.empty() ? "" : ",") += role;
  return out;
}

std::vector<std::string> split_roles(std::string_view joined) {
  std::vector<std::string> out;
  while (!joined.empty()) {
    const auto end = std::min(joined.find(','), joined.size());
    if (end > 0) out.emplace_back(joined.substr(0, end));
    joined.remove_prefix(std::min(end + 1, joined.size()));
  }
  return out;
}

bool loses_role(const std::vector<std::string>& before, const std::vector<std::string>& after) {
  const auto lost = [&](const std::string& role) { return std::find(after.begin(), after.end(), role) == after.end(); };
  return std::any_of(before.begin(), before.end(), lost);
}

void Wrongs::check(std::string_view pointer, std::optional<std::string> detail) {
  if (detail) fields_.push_back({std::string(pointer), std::move(*detail)});
}

Error Wrongs::error() const {
  std::string detail;
  for (const auto& field : fields_) detail += (detail.empty() ? "" : "; ") + field.pointer + " " + field.detail;
  return Error(Errc::invalid_request, std::move(detail), fields_);
}

}  // namespace loggia::auth
