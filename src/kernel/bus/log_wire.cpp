#include "bus/log_wire.hpp"
#include <algorithm>
#include <charconv>
#include "bus/event.hpp"
#include "loggia/kernel/json.hpp"

namespace loggia::bus {

void append_line(std::string& out, const Event& event) {
  const auto begin = out.size();
  ((((out += event.topic) += ' ') += std::to_string(event.partition)) += ' ') += to_cloud_event(event);
  // A line end in JSON is space between two of its words: texts have theirs escaped.
  std::replace(out.begin() + static_cast<std::ptrdiff_t>(begin), out.end(), '\n', ' ');
  out += '\n';
}

std::string_view take_line(std::string_view& text) {
  const auto end = text.find('\n');
  const auto line = text.substr(0, end);
  text = end == text.npos ? std::string_view() : text.substr(end + 1);
  return line;
}

Result<EventPtr> event_of_line(std::string_view line) {
  const auto first = line.find(' '), second = line.find(' ', first + 1);
  if (first == line.npos || second == line.npos) return Error(Errc::malformed, "this is no event of a log: TOPIC PARTITION EVENT");
  auto event = from_cloud_event(line.substr(second + 1));
  if (!event) return event.error();
  (*event)->topic = line.substr(0, first);
  const auto number = line.substr(first + 1, second - first - 1);
  const auto [end, problem] = std::from_chars(number.data(), number.data() + number.size(), (*event)->partition);
  if (problem != std::errc() || end != number.data() + number.size() || (*event)->partition < 0)
    return Error(Errc::malformed, "the partition of an event is no number");
  return EventPtr(std::move(*event));
}

Result<LogAnswer> answer_of_text(std::string_view text) {
  LogAnswer out;
  auto state = decode_text<LogState>(take_line(text), Manner::lenient);
  if (!state) return state.error();
  out.state = std::move(*state);
  while (!text.empty()) {
    auto event = event_of_line(take_line(text));
    if (!event) return event.error();
    out.events.push_back(std::move(*event));
  }
  return out;
}

}  // namespace loggia::bus
