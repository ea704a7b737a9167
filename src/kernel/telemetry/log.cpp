#include "loggia/kernel/log.hpp"
#include <fmt/format.h>
#include <unistd.h>
#include <atomic>
#include <cerrno>
#include "loggia/kernel/json.hpp"

namespace loggia {

Field::Field(std::string_view name, double number) : name_{name}, text_{fmt::format("{:g}", number)}, bare_{true} {}

namespace log {
namespace {

// The one thing of a process that is the process's: standard error.
std::atomic<Level> least{Level::info};
std::atomic<Format> format{Format::text};
std::atomic<const Clock*> clock_of{nullptr};

std::string_view word(Level level) {
  switch (level) {
    case Level::debug: return "debug";
    case Level::info: return "info";
    case Level::warn: return "warn";
    case Level::error: return "error";
  }
  return "error";
}

std::string time_now() {
  const auto* clock = clock_of.load(std::memory_order_acquire);
  return clock ? to_rfc3339(clock->now()) : std::string("-");
}

bool plain(std::string_view text) {
  for (const char c : text)
    if (c <= ' ' || c == '"' || c == '=' || c == '\\' || static_cast<unsigned char>(c) >= 0x7F) return false;
  return !text.empty();
}

std::string as_text(Level level, std::string_view event, const Trace* trace, std::initializer_list<Field> fields) {
  auto line = fmt::format("{} {:<5} {}", time_now(), word(level), event);
  for (const auto& field : fields) {
    ((line += ' ') += field.name()) += '=';
    if (plain(field.text())) line += field.text();
    else append_quoted(line, field.text());
  }
  if (trace && !trace->id.empty()) (line += " trace_id=") += trace->id;
  return line += '\n';
}

std::string as_json(Level level, std::string_view event, const Trace* trace, std::initializer_list<Field> fields) {
  auto line = fmt::format("{{\"time\":\"{}\",\"level\":\"{}\",\"event\":", time_now(), word(level));
  append_quoted(line, event);
  for (const auto& field : fields) {
    line += ',';
    append_quoted(line, field.name());
    line += ':';
    if (field.bare()) line += field.text();
    else append_quoted(line, field.text());
  }
  if (trace && !trace->id.empty()) (line += ",\"trace_id\":\"") += trace->id + "\"";
  return line += "}\n";
}

}  // namespace

void configure(Level level, Format shape, const Clock& clock) {
  least.store(level, std::memory_order_relaxed);
  format.store(shape, std::memory_order_relaxed);
  clock_of.store(&clock, std::memory_order_release);
}

bool enabled(Level level) { return level >= least.load(std::memory_order_relaxed); }

void write(Level level, std::string_view event, const Trace* trace, std::initializer_list<Field> fields) {
  const auto line = format.load(std::memory_order_relaxed) == Format::json ? as_json(level, event, trace, fields) : as_text(level, event, trace, fields);
  // One write a line, so that lines of two threads do not mix. Nobody to read it: the process goes on.
  while (::write(STDERR_FILENO, line.data(), line.size()) < 0 && errno == EINTR) {}
}

}  // namespace log
}  // namespace loggia
