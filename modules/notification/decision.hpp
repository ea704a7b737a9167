#pragma once
// Whether somebody is told of a message, and by which rules: pure, without time, store or network of its own.
#include <optional>
#include <string>
#include <vector>
#include "loggia/notification/contract.hpp"

namespace loggia::notification {

enum class Level { none, mentions, all };
std::string_view word_of(Level level);
/// One of the three words; the contract's rules have checked it.
Level level_of(std::string_view word);

/// Minutes after midnight. `from` after `to` goes over midnight.
struct Quiet {
  int from = 0, to = 0;
  bool covers(int minute) const { return from <= to ? minute >= from && minute < to : minute >= from || minute < to; }
};
/// `22:00` as minutes; nothing where it is none.
std::optional<int> parse_clock(std::string_view text);
std::string clock_text(int minutes);

/// The message, as far as the rules ask.
struct Occasion {
  bool direct = false;     // in a direct room
  bool mentioned = false;  // the person, by name or as part of the room
  bool own = false;        // the person wrote it
};

/// What holds for one person.
struct Person {
  Level standard = Level::mentions;
  bool chosen = false;  // `standard` is their own choice
  std::optional<Level> room_level;
  std::optional<Quiet> quiet;
  int minute = 0;  // of the day where they are, when the message came
  std::string time_zone = "UTC";
  bool blocked = false;   // between them and the author, in either direction
  bool has_read = false;  // their read position was there already
};

struct Decision {
  std::vector<RuleResult> rules;    // in the order in which they were asked; the last one decided
  std::optional<std::string> kind;  // direct, mention, message: notified. None: not.
};

/// Whether the level lets the message through at all: the cheap question, asked for everybody.
bool wanted(const Occasion& occasion, Level level);
inline Level level_for(const Person& person) { return person.room_level.value_or(person.standard); }
Decision decide(const Occasion& occasion, const Person& person);

}  // namespace loggia::notification
