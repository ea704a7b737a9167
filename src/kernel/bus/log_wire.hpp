#pragma once
// What a log looks like between processes: the routes below `/bus/` of the inner listener. An answer, and a message of signals, is a text of
// lines: events as `TOPIC PARTITION CLOUDEVENT`, so that their data arrives byte for byte as it was made. For bus/ alone.
#include <string>
#include <string_view>
#include <vector>
#include "loggia/kernel/bus.hpp"
#include "loggia/kernel/contract.hpp"

namespace loggia::bus {

inline constexpr std::string_view read_route = "POST /bus/log", signal_route = "POST /bus/signals";

/// What the reader has of a topic: all up to `after` in each partition. Without `after` it asks for the heads alone.
struct TopicAfter {
  std::string topic;
  std::vector<std::int64_t> after;
};
BOOST_DESCRIBE_STRUCT(TopicAfter, (), (topic, after))

/// Answered as soon as there is something, or after `wait` milliseconds with nothing.
struct ReadLog {
  std::string module;
  std::vector<TopicAfter> topics;
  std::int64_t limit = 0, wait = 0;
};
BOOST_DESCRIBE_STRUCT(ReadLog, (), (module, topics, limit, wait))

struct TopicHeads {
  std::string topic;
  std::vector<std::int64_t> heads;
};
BOOST_DESCRIBE_STRUCT(TopicHeads, (), (topic, heads))

/// The first line of an answer.
struct LogState {
  std::string epoch;
  std::vector<TopicHeads> topics;
};
BOOST_DESCRIBE_STRUCT(LogState, (), (epoch, topics))

struct LogAnswer {
  LogState state;
  std::vector<EventPtr> events;
};

void append_line(std::string& out, const Event& event);
Result<EventPtr> event_of_line(std::string_view line);
/// The next line of `text`, which is shortened by it.
std::string_view take_line(std::string_view& text);
Result<LogAnswer> answer_of_text(std::string_view text);

}  // namespace loggia::bus
