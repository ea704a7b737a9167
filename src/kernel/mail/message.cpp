#include "mail/message.hpp"
#include <fmt/format.h>
#include <algorithm>
#include <array>
#include "loggia/kernel/crypto.hpp"

namespace loggia::mail {
namespace {

constexpr std::size_t plain_max = 60;   // with the longest name of ours a line stays under 76
constexpr std::size_t word_bytes = 39;  // 52 characters of base64 and 12 around them

bool control(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; }
bool plain(char c) { return c >= ' ' && c <= '~'; }
bool continues(char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; }

/// Where a piece of at most word_bytes ends, not within a code point.
std::size_t piece_of(std::string_view text) {
  if (text.size() <= word_bytes) return text.size();
  std::size_t end = word_bytes;
  while (end > word_bytes - 4 && continues(text[end])) --end;
  return end;
}

/// Of what goes between `<` and `>`: what could end it, or the line, is gone.
std::string bare(std::string_view text) {
  std::string out;
  for (const char c : text)
    if (!control(c) && c != '<' && c != '>' && c != ' ') out += c;
  return out;
}

/// A name in front of an address: as it is where it is words, else encoded, which needs no quotes and no escapes.
std::string phrase(const std::string& name) {
  const auto word = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == ' '; };
  if (name.empty()) return name;
  return (std::all_of(name.begin(), name.end(), word) ? name : "=?UTF-8?B?" + crypto::base64(name) + "?=") + ' ';
}

}  // namespace

std::string header_text(std::string_view text) {
  std::string clean(text);
  std::replace_if(clean.begin(), clean.end(), control, ' ');
  const bool simple = clean.size() <= plain_max && std::all_of(clean.begin(), clean.end(), plain) && clean.find("=?") == clean.npos;
  if (simple) return clean;
  std::string out;
  for (std::string_view rest = clean; !rest.empty();) {
    const auto size = piece_of(rest);
    out += (out.empty() ? "=?UTF-8?B?" : "\r\n =?UTF-8?B?") + crypto::base64(rest.substr(0, size)) + "?=";
    rest.remove_prefix(size);
  }
  return out;
}

std::string header_date(Time time) {
  static constexpr std::array<const char*, 7> days{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  static constexpr std::array<const char*, 12> months{"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss<milliseconds> clock(time - day);
  return fmt::format("{}, {:02} {} {:04} {:02}:{:02}:{:02} +0000", days[std::chrono::weekday(day).c_encoding()], static_cast<unsigned>(date.day()),
                     months[static_cast<unsigned>(date.month()) - 1], static_cast<int>(date.year()), clock.hours().count(), clock.minutes().count(),
                     clock.seconds().count());
}

std::vector<std::string> headers_of(const Mail& mail, const SmtpServer& server) {
  std::vector<std::string> out;
  out.push_back("Date: " + header_date(mail.written));
  out.push_back("From: " + phrase(server.sender_name) + '<' + bare(server.sender) + '>');
  out.push_back("To: <" + bare(mail.to) + '>');
  out.push_back("Subject: " + header_text(mail.subject));
  out.push_back("Message-ID: <" + bare(mail.id) + '@' + bare(server.sender_domain()) + '>');
  out.emplace_back("Auto-Submitted: auto-generated");  // RFC 3834: nobody's absence note is to answer
  if (!mail.settings_url.empty()) out.push_back("List-Unsubscribe: <" + bare(mail.settings_url) + '>');
  return out;
}

}  // namespace loggia::mail
