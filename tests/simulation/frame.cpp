#include "frame.hpp"
#include <fmt/format.h>
#include <charconv>
#include <stdexcept>
#include "loggia/kernel/json.hpp"
#include "loggia/kernel/json_value.hpp"

namespace loggia::simulation {

void Reader::wrong(const char* due) const { throw std::runtime_error(fmt::format("{} is due at byte {} of {}", due, at_, text_.substr(0, 1000))); }

void Reader::blanks() {
  while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\n' || text_[at_] == '\r' || text_[at_] == '\t')) ++at_;
}

bool Reader::next_is(char c) {
  blanks();
  if (at_ >= text_.size() || text_[at_] != c) return false;
  ++at_;
  return true;
}

void Reader::expect(char c) {
  if (!next_is(c)) wrong(std::string(1, c).c_str());
}

/// Plain text, as nearly all of it is, is taken as it stands. What is escaped, or is not ASCII, is the parser's.
std::string Reader::string() {
  expect('"');
  const auto begin = at_;
  bool plain = true;
  for (; at_ < text_.size() && text_[at_] != '"'; ++at_) {
    const auto c = static_cast<unsigned char>(text_[at_]);
    plain = plain && c >= 0x20 && c < 0x80 && c != '\\';
    if (c == '\\') ++at_;
  }
  if (at_ >= text_.size()) wrong("the end of a text");
  const auto end = at_++;
  if (plain) return std::string(text_.substr(begin, end - begin));
  return json::parse(text_.substr(begin - 1, end - begin + 2)).get<std::string>();
}

/// A number, true, false, or null.
std::string_view Reader::word() {
  blanks();
  const auto begin = at_;
  at_ = std::min(text_.find_first_of(" \t\r\n,]}", at_), text_.size());
  return text_.substr(begin, at_ - begin);
}

std::int64_t Reader::integer() {
  const auto digits = word();
  std::int64_t value = 0;
  const auto [end, problem] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  const bool zeros = digits.size() > 1 && digits.starts_with('0');
  if (problem != std::errc() || end != digits.data() + digits.size() || zeros || digits.starts_with("-")) wrong("a number");
  return value;
}

bool Reader::flag() {
  const auto told = word();
  if (told != "true" && told != "false") wrong("true or false");
  return told == "true";
}

void Reader::skip() {
  blanks();
  const char first = at_ < text_.size() ? text_[at_] : '\0';
  if (first == '{') return object([this](std::string_view) { skip(); });
  if (first == '"') return void(string());
  if (!next_is('[')) {
    if (!json::accept(word())) wrong("a value");
    return;
  }
  if (next_is(']')) return;
  do skip();
  while (next_is(','));
  expect(']');
}

void Reader::end() {
  blanks();
  if (at_ != text_.size()) wrong("nothing more");
}

}  // namespace loggia::simulation
