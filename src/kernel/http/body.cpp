#include "http/body.hpp"
#include <algorithm>
#include <charconv>

namespace loggia::http {
namespace {

constexpr std::size_t line_max = 256, extensions_max = 4096, digits_max = 16;

/// Takes a token or, where one may be, a quoted text off the front, with the spaces behind it.
bool take_word(std::string_view& rest, bool quoted) {
  std::size_t end = 0;
  if (quoted && rest.starts_with('"')) {
    for (end = 1; end < rest.size() && rest[end] != '"'; ++end)
      if (rest[end] == '\\') ++end;
    if (end++ >= rest.size()) return false;
  } else {
    end = std::min(rest.find_first_of("=; \t"), rest.size());
    if (!is_token(rest.substr(0, end))) return false;
  }
  rest = trimmed(rest.substr(end));
  return true;
}

/// RFC 9112, 7.1.1. A quote that is not closed would have its end in a later line for a reader that believes it.
bool are_extensions(std::string_view rest) {
  while (!rest.empty()) {
    if (rest.front() != ';') return false;
    rest = trimmed(rest.substr(1));
    if (!take_word(rest, false)) return false;
    if (!rest.starts_with('=')) continue;
    rest = trimmed(rest.substr(1));
    if (!take_word(rest, true)) return false;
  }
  return true;
}

}  // namespace

std::string chunk_of(std::string_view piece) {
  char digits[16];
  std::string out(digits, std::to_chars(digits, digits + sizeof digits, piece.size(), 16).ptr);
  out.reserve(out.size() + piece.size() + 4);
  ((out += "\r\n") += piece) += "\r\n";
  return out;
}

BodyReader::BodyReader(const Head& head, std::size_t body_max) : left_{head.content_length}, body_max_{body_max} {
  if (head.chunked) part_ = Part::size;
  else if (head.content_length > 0) part_ = Part::fixed;
}

BodyReader::State BodyReader::refuse(int status, std::string_view detail) {
  failed_ = true;
  refusal_ = Refusal{status, std::string(detail)};
  return State::refused;
}

bool BodyReader::take_line(std::string_view& in) {
  while (!in.empty()) {
    const char c = in.front();
    in.remove_prefix(1);
    const bool after_return = !line_.empty() && line_.back() == '\r';
    if (after_return != (c == '\n')) {
      refuse(400, "A line of the chunked body does not end in CR LF.");
      return true;
    }
    line_ += c;
    if (after_return) {
      line_.resize(line_.size() - 2);
      return true;
    }
    if (line_.size() > line_max) {
      refuse(400, "A line of the chunked body is too long.");
      return true;
    }
  }
  return false;
}

bool BodyReader::read_size() {
  const auto digits = std::min(line_.find_first_not_of("0123456789abcdefABCDEF"), line_.size());
  if (digits == 0 || digits > digits_max) return refuse(400, "A chunk begins with its size in hexadecimal digits."), false;
  const auto extension = trimmed(std::string_view(line_).substr(digits));
  if (!is_field_value(extension) || !are_extensions(extension)) return refuse(400, "A chunk's size is followed by something else."), false;
  extensions_ += extension.size();
  if (extensions_ > extensions_max) return refuse(400, "The chunks have too many extensions."), false;
  if (digits < line_.size() && extension.empty()) return refuse(400, "A chunk's size is followed by a space."), false;
  std::from_chars(line_.data(), line_.data() + digits, left_, 16);
  if (left_ > body_max_ - total_) return refuse(413, "The body has more than " + std::to_string(body_max_) + " bytes."), false;
  total_ += left_;
  part_ = left_ == 0 ? Part::trailer : Part::data;
  line_.clear();
  return true;
}

BodyReader::State BodyReader::read(std::string_view& in, std::string& body) {
  while (!failed_ && part_ != Part::done && !in.empty()) {
    switch (part_) {
      case Part::fixed:
      case Part::data: {
        const auto size = std::min<std::uint64_t>(left_, in.size());
        body.append(in.substr(0, size));
        in.remove_prefix(size);
        left_ -= size;
        if (left_ == 0) part_ = part_ == Part::fixed ? Part::done : Part::data_end;
        break;
      }
      case Part::data_end:
        if (!take_line(in) || failed_) break;
        if (!line_.empty()) return refuse(400, "A chunk is longer than its size says.");
        part_ = Part::size;
        break;
      case Part::size:
        if (take_line(in) && !failed_) read_size();
        break;
      case Part::trailer:
        if (!take_line(in) || failed_) break;
        if (!line_.empty()) return refuse(400, "The chunked body ends with trailer fields: send them as header fields.");
        part_ = Part::done;
        break;
      case Part::done:
        break;
    }
  }
  if (failed_) return State::refused;
  return part_ == Part::done ? State::complete : State::more;
}

}  // namespace loggia::http
