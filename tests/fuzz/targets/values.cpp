// Times, ids, durations and the trace of a request: what is read and written reads equal.
#include "fuzz/target.hpp"
#include "loggia/kernel/config.hpp"
#include "loggia/kernel/context.hpp"
#include "loggia/kernel/id.hpp"
#include "loggia/kernel/time.hpp"

LOGGIA_FUZZ(values) {
  using namespace loggia;
  using namespace loggia::fuzz;
  if (const auto time = parse_rfc3339(input)) {
    const auto again = parse_rfc3339(to_rfc3339(*time));
    require(again && *again == *time, "a time written again is the same");
  }
  if (const auto id = Uuid::parse(input)) require(Uuid::parse(id->text()).value() == *id, "an id written again is the same");
  if (const auto trace = Trace::parse(input)) {
    const auto again = Trace::parse(trace->parent());
    require(again && again->id == trace->id && again->span == trace->span, "a trace written again is the same");
  }
  if (const auto duration = parse_duration(input)) require(duration->count() >= 0, "a duration is not negative");
}
