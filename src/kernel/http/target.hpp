#pragma once
// The request target (RFC 9112, 3.2) taken apart: used by the guard of the listener. Pure; from every thread.
#include <string>
#include <string_view>
#include "loggia/kernel/result.hpp"
#include "loggia/kernel/router.hpp"

namespace loggia::http {

struct Target {
  std::string path;
  Parameters query;
};

/// %XX taken apart; `plus` makes + a space (queries). Nothing where an escape is broken.
std::optional<std::string> percent_decoded(std::string_view text, bool plus);

/// Of origin-form (`/a/b?c=d`) only. Refused: what two readers could read differently: control characters, spaces, fragments, backslashes,
/// bytes beyond ASCII, broken escapes, empty segments but the last, dot segments, and an escaped NUL, control character or slash in the path.
Result<Target> parse_target(std::string_view target);

}  // namespace loggia::http
