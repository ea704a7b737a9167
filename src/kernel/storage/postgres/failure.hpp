#pragma once
// What went wrong with PostgreSQL, and what it means for all that comes after.
#include <stdexcept>
#include <string>
#include <string_view>

namespace loggia::postgres {

enum class Trouble {
  command,  // this statement alone
  again,    // it met another process: the same may go well a moment later
  late,     // it took longer than it may
  full,     // no room: nothing was stored, and room may be made
  lost,     // the connection is gone, or the server does not take work
  fatal,    // the data can be trusted no longer
};

/// Thrown. The text is for the log: it may hold what the statement held.
struct Failure : std::runtime_error {
  Failure(Trouble kind, std::string sql_state, const std::string& why) : std::runtime_error(why), trouble{kind}, state{std::move(sql_state)} {}
  Trouble trouble;
  std::string state;  // five letters, or none where the server said nothing
};

/// Of an SQLSTATE; empty: the connection broke without a word.
Trouble trouble_of(std::string_view state);

}  // namespace loggia::postgres
