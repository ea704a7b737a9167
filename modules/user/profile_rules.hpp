#pragma once
// What a display name, a bio, a locale and a time zone are (contract, section 2: "user"). Pure functions over UTF-8; any thread.
#include <set>
#include <string>
#include <string_view>
#include "loggia/kernel/result.hpp"

namespace loggia::user {

/// One line as it is stored: NFC, without blanks at its ends, without control or direction characters, `min` to `max` code points.
Result<std::string> normalised_line(std::string_view text, std::size_t min, std::size_t max, std::string_view pointer);
/// Several lines: NFC, of the control characters only line feed and tab, at most `max` code points.
Result<std::string> normalised_lines(std::string_view text, std::size_t max, std::string_view pointer);
/// 1 to 64 code points.
Result<std::string> normalised_display_name(std::string_view text);

/// For comparing without regard to case and to compatibility forms (NFKC_Casefold).
std::string folded(std::string_view text);

/// The shape of a language tag (BCP 47).
bool is_locale(std::string_view text);

/// The names of the IANA time zone database.
class TimeZones {
 public:
  /// Those that this host knows. Where it has no database, every name of the right shape counts.
  static TimeZones of_host();
  /// From the text of `tzdata.zi`.
  static TimeZones parse(std::string_view database);
  bool known(std::string_view name) const;

 private:
  std::set<std::string, std::less<>> names_;
};

}  // namespace loggia::user
