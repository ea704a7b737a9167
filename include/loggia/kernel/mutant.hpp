#pragma once
// Bugs planted on purpose, so that the tests can prove that they would see them. The CMake option LOGGIA_MUTANTS compiles them in, and
// the environment's LOGGIA_MUTANT names the one that lives. Without the option each is `false` while compiling: none of it, not even
// its name, is in the executable.
#ifdef LOGGIA_MUTANTS
#include <cstddef>
#include <iterator>
#include <string_view>

namespace loggia::mutant {

/// All of them, one a line: tests/simulation/mutants.py reads this list.
inline constexpr std::string_view names[] = {
    "ack_before_commit",           // the writer answers before its COMMIT has returned
    "dedup_left_out",              // a client_id that was stored is stored again
    "seq_outside_transaction",     // a room's next number is remembered in memory, also where its transaction was rolled back
    "event_not_logged",            // a change is stored and its event is not
    "position_before_handling",    // a group moves its position before it has handled what is there
    "resume_off_by_one",           // a replay begins one event too late
    "gap_not_noticed",             // an event that is not the next one is passed on
    "removal_not_told",            // who was removed stays among the readers
    "duplicate_passed_on",         // an event that came twice is delivered twice
    "falling_behind_loses_first",  // after a dropped queue the feed begins one event too late
    "edit_accepted_twice",         // an edit that changes nothing takes a number
    "unknown_called_failed",       // a COMMIT that may have happened is answered as one that has not
    "replay_done_early",           // replay.done does not wait for the replays
    "absence_not_told",            // a resume is silent about rooms that were lost meanwhile
    "deleted_text_stays",          // a deletion leaves the text in earlier frames
    "read_goes_back",              // a late `read` with a lower number wins
};
consteval std::size_t number_of(std::string_view name) {
  for (std::size_t at = 0; at < std::size(names); ++at)
    if (names[at] == name) return at;
  throw "no mutant has this name: add it to the list above";
}
/// The number of the one that lives; a name that nobody has ends the process.
std::size_t living();

}  // namespace loggia::mutant

#define LOGGIA_MUTANT_IS(name) (::loggia::mutant::living() == ::loggia::mutant::number_of(#name))
#else
#define LOGGIA_MUTANT_IS(name) false
#endif
