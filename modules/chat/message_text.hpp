#pragma once
// What a text, a mention and an emoji are (contract, section 2: "A message"). Pure functions over UTF-8; any thread.
#include <string>
#include <string_view>
#include <vector>
#include "loggia/kernel/result.hpp"

namespace loggia::chat {

/// As it is stored: NFC, 1 to 8,000 code points, of the control characters only line feed and tab.
Result<std::string> normalised_text(std::string_view text);
/// A name or topic: NFC, `min` to `max` code points, no control or direction characters; a name is more than spaces.
Result<std::string> normalised_line(std::string_view text, std::size_t min, std::size_t max, std::string_view pointer);

/// Who may be meant by a text. Each mention is a list of lower-case usernames, the longest first: `@ada.` is `ada.` or `ada`.
struct Mentions {
  std::vector<std::vector<std::string>> names;
  bool room = false;
};
/// `@name` outside of inline and fenced code, and not inside a word (`mail@host`).
Mentions find_mentions(std::string_view text);

/// One grapheme cluster of at most 64 bytes, in NFC.
Result<std::string> normalised_emoji(std::string_view emoji);
/// Without U+FE0F: equal for emoji that count as the same.
std::string folded_emoji(std::string_view emoji);
/// For searching: without regard to case and accents.
std::string folded(std::string_view text);
std::string lower_ascii(std::string_view text);

}  // namespace loggia::chat
