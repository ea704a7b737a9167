#include "message_text.hpp"
#include <utf8proc.h>
#include <algorithm>
#include <cstdlib>
#include <memory>
#include <set>

namespace loggia::chat {
namespace {

constexpr std::size_t text_max = 8000, raw_max = 256u << 10, emoji_max = 64;

struct Release {
  void operator()(utf8proc_uint8_t* text) const { std::free(text); }
};

const utf8proc_uint8_t* bytes(std::string_view text) { return reinterpret_cast<const utf8proc_uint8_t*>(text.data()); }

/// Empty where `text` is not UTF-8 (and not empty itself).
std::string mapped(std::string_view text, int options) {
  utf8proc_uint8_t* out = nullptr;
  const auto size = utf8proc_map(bytes(text), static_cast<utf8proc_ssize_t>(text.size()), &out, static_cast<utf8proc_option_t>(options));
  std::unique_ptr<utf8proc_uint8_t, Release> held(out);
  if (size < 0) return std::string();
  return std::string(reinterpret_cast<const char*>(out), static_cast<std::size_t>(size));
}

bool ascii(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}
std::string nfc(std::string_view text) { return ascii(text) ? std::string(text) : mapped(text, UTF8PROC_STABLE | UTF8PROC_COMPOSE); }

/// The code point at `at`, which moves behind it; -1 where the bytes are no UTF-8.
utf8proc_int32_t next_point(std::string_view text, std::size_t& at) {
  utf8proc_int32_t point = -1;
  const auto used = utf8proc_iterate(bytes(text) + at, static_cast<utf8proc_ssize_t>(text.size() - at), &point);
  at += used > 0 ? static_cast<std::size_t>(used) : 1;
  return used > 0 ? point : -1;
}

bool control(utf8proc_int32_t point) { return point < 0x20 || (point >= 0x7F && point < 0xA0); }
/// Marks that turn the direction of what follows (UAX #9), with which a name can pose as another.
bool directs(utf8proc_int32_t point) {
  return point == 0x61C || point == 0x200E || point == 0x200F || (point >= 0x202A && point <= 0x202E) || (point >= 0x2066 && point <= 0x2069);
}
bool wordlike(utf8proc_int32_t point) {
  if (point < 0) return false;
  const auto category = utf8proc_category(point);
  return (category >= UTF8PROC_CATEGORY_LU && category <= UTF8PROC_CATEGORY_NO) || point == '_';
}
bool name_character(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.'; }
bool name_begins(char c) { return name_character(c) && c != '_' && c != '-' && c != '.'; }

}  // namespace

std::string lower_ascii(std::string_view text) {
  std::string out(text);
  for (char& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return out;
}

Result<std::string> normalised_text(std::string_view text) {
  if (text.empty() || text.size() > raw_max) return wrong_field("/text", "has 1 to 8000 characters");
  auto out = nfc(text);
  std::size_t count = 0;
  for (std::size_t at = 0; at < out.size(); ++count) {
    const auto point = next_point(out, at);
    if (point < 0) return wrong_field("/text", "is not valid Unicode");
    if (control(point) && point != '\n' && point != '\t') return wrong_field("/text", "has no control characters but line feed and tab");
  }
  if (count == 0) return wrong_field("/text", "is not valid Unicode");
  if (count > text_max) return wrong_field("/text", "has 1 to 8000 characters");
  return out;
}

Result<std::string> normalised_line(std::string_view text, std::size_t min, std::size_t max, std::string_view pointer) {
  auto out = nfc(text);
  if (out.empty() && !text.empty()) return wrong_field(pointer, "is not valid Unicode");
  std::size_t count = 0;
  bool visible = false;
  for (std::size_t at = 0; at < out.size(); ++count) {
    const auto point = next_point(out, at);
    if (point < 0) return wrong_field(pointer, "is not valid Unicode");
    if (control(point) || directs(point)) return wrong_field(pointer, "has no control or direction characters");
    visible = visible || utf8proc_category(point) != UTF8PROC_CATEGORY_ZS;
  }
  if (count < min || count > max) return wrong_field(pointer, "has " + std::to_string(min) + " to " + std::to_string(max) + " characters");
  if (min > 0 && !visible) return wrong_field(pointer, "is more than spaces");
  return out;
}

Result<std::string> normalised_emoji(std::string_view emoji) {
  const auto wrong = wrong_field("/emoji", "is one emoji of at most 64 bytes");
  if (emoji.empty() || emoji.size() > emoji_max) return wrong;
  auto out = nfc(emoji);
  if (out.empty() || out.size() > emoji_max) return wrong;
  utf8proc_int32_t before = -1, state = 0;
  bool shows = false;
  for (std::size_t at = 0; at < out.size();) {
    const auto point = next_point(out, at);
    if (point < 0 || control(point)) return wrong;
    if (before >= 0 && utf8proc_grapheme_break_stateful(before, point, &state)) return wrong;
    const auto category = utf8proc_category(point);
    const bool space = category == UTF8PROC_CATEGORY_ZS || category == UTF8PROC_CATEGORY_ZL || category == UTF8PROC_CATEGORY_ZP;
    shows = shows || (!space && point != 0xFE0F && point != 0x200D);
    before = point;
  }
  if (!shows) return wrong;
  return out;
}

std::string folded_emoji(std::string_view emoji) {
  std::string out(emoji);
  for (auto at = out.find("\xEF\xB8\x8F"); at != out.npos; at = out.find("\xEF\xB8\x8F", at)) out.erase(at, 3);
  return out;
}

std::string folded(std::string_view text) {
  if (ascii(text)) return lower_ascii(text);
  return mapped(text, UTF8PROC_STABLE | UTF8PROC_COMPOSE | UTF8PROC_COMPAT | UTF8PROC_CASEFOLD | UTF8PROC_STRIPMARK | UTF8PROC_IGNORE);
}

// ---- mentions ----

namespace {

/// Where code begins and ends, as CommonMark has it (0.31, sections 4.5 and 6.1): line by line for fences, by equal runs of
/// backticks inside paragraphs.
class CodeFinder {
 public:
  explicit CodeFinder(std::string_view text) : text_{text} {}
  /// The text with every byte of code as a line feed, so that positions stay.
  std::string without_code() {
    std::string out(text_);
    std::size_t plain = 0;  // where the text outside of fences began
    for (std::size_t line = 0; line < text_.size();) {
      const auto end = line_end(line);
      const auto fence = fence_at(line, end);
      if (fence == 0) {
        line = end;
        continue;
      }
      blank_spans(out, plain, line);
      const auto close = closing(end, fence, text_[marker_]);
      std::fill(out.begin() + static_cast<std::ptrdiff_t>(line), out.begin() + static_cast<std::ptrdiff_t>(close), '\n');
      line = plain = close;
    }
    blank_spans(out, plain, text_.size());
    return out;
  }

 private:
  std::size_t line_end(std::size_t at) const {
    const auto end = text_.find('\n', at);
    return end == text_.npos ? text_.size() : end + 1;
  }
  std::size_t run(std::size_t at, char c) const {
    std::size_t count = 0;
    while (at + count < text_.size() && text_[at + count] == c) ++count;
    return count;
  }
  /// The length of the fence that a line opens; `marker_` is where it stands.
  std::size_t fence_at(std::size_t line, std::size_t end) {
    marker_ = line + std::min<std::size_t>(run(line, ' '), 4);
    if (marker_ >= end || marker_ > line + 3 || (text_[marker_] != '`' && text_[marker_] != '~')) return 0;
    const auto length = run(marker_, text_[marker_]);
    if (length < 3) return 0;
    if (text_[marker_] == '`' && text_.substr(marker_ + length, end - marker_ - length).find('`') != text_.npos) return 0;
    return length;
  }
  /// Behind the line that closes a fence; the end of the text where none does.
  std::size_t closing(std::size_t at, std::size_t length, char mark) const {
    for (std::size_t line = at; line < text_.size(); line = line_end(line)) {
      const auto spaces = run(line, ' ');
      const auto marks = run(line + spaces, mark);
      const auto rest = text_.substr(line + spaces + marks, line_end(line) - line - spaces - marks);
      if (spaces <= 3 && marks >= length && rest.find_first_not_of(" \t\n") == rest.npos) return line_end(line);
    }
    return text_.size();
  }
  /// Inline code between `from` and `to`. A run without its equal opens nothing; looking for one of each length once keeps it linear.
  void blank_spans(std::string& out, std::size_t from, std::size_t to) const {
    std::vector<std::size_t> missing;
    for (std::size_t at = from; at < to; ++at) {
      if (text_[at] == '\\' && at + 1 < to && text_[at + 1] == '`') {
        ++at;
        continue;
      }
      if (text_[at] != '`') continue;
      const auto length = run(at, '`');
      auto close = at + length;
      if (std::find(missing.begin(), missing.end(), length) == missing.end()) {
        while (close < to && !(text_[close] == '`' && run(close, '`') == length)) close += text_[close] == '`' ? run(close, '`') : 1;
        if (close < to) std::fill(out.begin() + static_cast<std::ptrdiff_t>(at), out.begin() + static_cast<std::ptrdiff_t>(close + length), '\n');
        else missing.push_back(length);
        at = close < to ? close + length - 1 : at + length - 1;
      } else {
        at += length - 1;
      }
    }
  }

  std::string_view text_;
  std::size_t marker_ = 0;
};

bool word_before(std::string_view text, std::size_t at) {
  if (at == 0) return false;
  auto begin = at - 1;
  while (begin > 0 && (static_cast<unsigned char>(text[begin]) & 0xC0) == 0x80) --begin;
  return wordlike(next_point(text, begin));
}
bool word_after(std::string_view text, std::size_t at) { return at < text.size() && wordlike(next_point(text, at)); }

/// The names that a run of name characters may be: itself, and without what ends a sentence.
std::vector<std::string> readings(std::string_view name) {
  std::vector<std::string> out;
  const auto last = name.find_last_not_of(".-_");
  for (auto size = name.size(); size > last && size >= 2; size = size > last + 3 ? last + 3 : size - 1)
    if (size <= 32) out.push_back(lower_ascii(name.substr(0, size)));
  return out;
}

}  // namespace

Mentions find_mentions(std::string_view text) {
  Mentions out;
  if (text.find('@') == text.npos) return out;
  const auto plain = CodeFinder(text).without_code();
  std::set<std::string> seen;
  for (auto at = plain.find('@'); at != plain.npos; at = plain.find('@', at + 1)) {
    auto end = at + 1;
    while (end < plain.size() && name_character(plain[end])) ++end;
    if (end == at + 1 || !name_begins(plain[at + 1]) || word_before(plain, at) || word_after(plain, end)) continue;
    auto names = readings(std::string_view(plain).substr(at + 1, end - at - 1));
    if (std::find(names.begin(), names.end(), "room") != names.end()) out.room = true;
    else if (!names.empty() && seen.insert(names.front()).second) out.names.push_back(std::move(names));
  }
  return out;
}

}  // namespace loggia::chat
