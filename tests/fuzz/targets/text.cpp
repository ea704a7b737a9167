// The text of messages, mentions in it, names and emoji: normalising twice is normalising once, mentions are names that stand in the text.
#include <algorithm>
#include "chat/message_text.hpp"
#include "fuzz/target.hpp"
#include "http/utf8.hpp"

namespace loggia::fuzz::text_target {
namespace {

bool utf8(std::string_view text) {
  http::Utf8Checker checker;
  return checker.take(text) && checker.complete();
}

void check_mentions(std::string_view text) {
  const auto mentions = chat::find_mentions(text);
  const auto lower = chat::lower_ascii(text);
  for (const auto& names : mentions.names) {
    require(!names.empty(), "a mention is of somebody");
    for (const auto& name : names) {
      require(name.size() >= 2 && name.size() <= 32, "a name has 2 to 32 characters");
      require(name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_-.") == name.npos, "of those that names have");
      require(lower.find('@' + name) != lower.npos, "and stands in the text");
    }
    require(std::is_sorted(names.begin(), names.end(), [](const auto& a, const auto& b) { return a.size() > b.size(); }), "the longest first");
  }
  if (mentions.room) require(lower.find("@room") != lower.npos, "@room stands in the text");
  const auto in_code = chat::find_mentions("```\n" + std::string(text.substr(0, text.find('`'))) + "\n```");
  require(in_code.names.empty() && !in_code.room, "code mentions nobody");
}

}  // namespace
}  // namespace loggia::fuzz::text_target

LOGGIA_FUZZ(text) {
  using namespace loggia;
  using namespace loggia::fuzz;
  using namespace loggia::fuzz::text_target;
  check_mentions(input);
  if (const auto text = chat::normalised_text(input)) {
    require(utf8(input) && utf8(*text), "a text is UTF-8");
    const auto again = chat::normalised_text(*text);
    require(again && *again == *text, "a normalised text stays as it is");
    check_mentions(*text);
    require(utf8(chat::folded(*text)), "a folded text is UTF-8");
  }
  if (const auto line = chat::normalised_line(input, 1, 64, "/name")) {
    require(utf8(*line) && line->find('\n') == line->npos, "a line is UTF-8 without line feeds");
    const auto again = chat::normalised_line(*line, 1, 64, "/name");
    require(again && *again == *line, "a normalised line stays as it is");
  }
  if (const auto emoji = chat::normalised_emoji(input)) {
    require(emoji->size() <= 64 && utf8(*emoji), "an emoji is UTF-8 of at most 64 bytes");
    const auto again = chat::normalised_emoji(*emoji);
    require(again && *again == *emoji, "a normalised emoji stays as it is");
    require(chat::folded_emoji(*emoji).find("\xEF\xB8\x8F") == std::string::npos, "a folded emoji has no U+FE0F");
  }
}
