#include "decision.hpp"

namespace loggia::notification {
namespace {

std::string kind_of(const Occasion& occasion) { return occasion.direct ? "direct" : occasion.mentioned ? "mention" : "message"; }

std::string level_words(const Person& person) {
  const std::string level(word_of(level_for(person)));
  if (person.room_level) return level + ", set for this room";
  return level + (person.chosen ? ", your default" : ", the standard where nothing is set");
}

std::string message_words(const Occasion& occasion) {
  if (occasion.direct) return "a direct message";
  return occasion.mentioned ? "it mentions you" : "it does not mention you";
}

std::string quiet_words(const Person& person) {
  if (!person.quiet) return "none set";
  return clock_text(person.quiet->from) + " to " + clock_text(person.quiet->to) + " in " + person.time_zone + ", and it was " +
         clock_text(person.minute) + " there: " + (person.quiet->covers(person.minute) ? "quiet" : "not quiet");
}

}  // namespace

std::string_view word_of(Level level) {
  switch (level) {
    case Level::none:
      return "none";
    case Level::mentions:
      return "mentions";
    case Level::all:
      return "all";
  }
  return "mentions";
}

Level level_of(std::string_view word) { return word == "all" ? Level::all : word == "none" ? Level::none : Level::mentions; }

std::optional<int> parse_clock(std::string_view text) {
  const auto digit = [&](std::size_t at) { return text[at] >= '0' && text[at] <= '9'; };
  if (text.size() != 5 || text[2] != ':' || !digit(0) || !digit(1) || !digit(3) || !digit(4)) return std::nullopt;
  const int hours = (text[0] - '0') * 10 + (text[1] - '0'), minutes = (text[3] - '0') * 10 + (text[4] - '0');
  if (hours > 23 || minutes > 59) return std::nullopt;
  return hours * 60 + minutes;
}

std::string clock_text(int minutes) {
  const auto two = [](int number) { return (number < 10 ? "0" : "") + std::to_string(number); };
  return two(minutes / 60) + ":" + two(minutes % 60);
}

bool wanted(const Occasion& occasion, Level level) {
  switch (level) {
    case Level::none:
      return false;
    case Level::mentions:
      return occasion.direct || occasion.mentioned;
    case Level::all:
      return true;
  }
  return false;
}

Decision decide(const Occasion& occasion, const Person& person) {
  Decision out;
  const auto asked = [&](std::string_view rule, std::string result) { out.rules.push_back({std::string(rule), std::move(result)}); };
  asked("author", occasion.own ? "you wrote it" : "somebody else wrote it");
  if (occasion.own) return out;
  asked("level", level_words(person));
  asked("message", message_words(occasion));
  if (!wanted(occasion, level_for(person))) return out;
  asked("block", person.blocked ? "there is a block between you and the author" : "none between you and the author");
  if (person.blocked) return out;
  asked("reading", person.has_read ? "you had read up to it already" : "you had not read it yet");
  if (person.has_read) return out;
  asked("quiet_hours", quiet_words(person));
  if (person.quiet && person.quiet->covers(person.minute)) return out;
  out.kind = kind_of(occasion);
  return out;
}

}  // namespace loggia::notification
