#include "loggia/kernel/log.hpp"
#include <unistd.h>
#include <array>
#include <atomic>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <csignal>
#include <mutex>
#include "loggia/kernel/json.hpp"

namespace loggia {

Field::Field(std::string_view name, double number) : name_{name}, bare_{std::isfinite(number)} {
  char digits[40];
  text_.assign(digits, std::to_chars(digits, digits + sizeof digits, number).ptr);
}

namespace log {
namespace {

constexpr std::size_t value_max = 2048;  // a line stays one, and readable

std::atomic<Level> least{Level::info};
std::atomic<Format> shape{Format::text};
std::atomic<const Clock*> time_source{nullptr};

/// Before configure(): never destroyed, since lines are written until the very end.
const Clock& clock_of_log() {
  if (const auto* given = time_source.load(std::memory_order_acquire)) return *given;
  static const auto* own = system_clock().release();
  return *own;
}

constexpr std::array<std::string_view, 4> names{"debug", "info", "warn", "error"};
constexpr std::array<std::string_view, 4> padded{"debug", "info ", "warn ", "error"};

bool plain(std::string_view text) {
  for (const char c : text)
    if (c <= ' ' || c > '~' || c == '"' || c == '=' || c == '\\') return false;
  return !text.empty();
}

std::string_view shortened(const std::string& text) { return std::string_view(text).substr(0, value_max); }

void append_text(std::string& out, const Field& field) {
  ((out += ' ') += field.name()) += '=';
  const auto value = shortened(field.text());
  if (plain(value)) out += value;
  else append_quoted(out, value);
}

void append_json(std::string& out, std::string_view name, std::string_view value, bool bare) {
  append_quoted(out += ',', name);
  out += ':';
  if (bare) out += value;
  else append_quoted(out, value);
}

/// A line goes out whole even where the system takes it in pieces. What standard error refuses is dropped.
void write_line(std::string_view line) {
  static std::mutex* const mutex = new std::mutex;  // outlives static destruction
  const std::lock_guard lock(*mutex);
  while (!line.empty()) {
    const auto written = ::write(2, line.data(), line.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return;
    line.remove_prefix(static_cast<std::size_t>(written));
  }
}

}  // namespace

void configure(Level level, Format format, const Clock& clock) {
  std::signal(SIGPIPE, SIG_IGN);  // a closed standard error must not end the process
  least = level;
  shape = format;
  time_source.store(&clock, std::memory_order_release);
}

bool enabled(Level level) { return level >= least.load(std::memory_order_relaxed); }

void write(Level level, std::string_view event, const Trace* trace, std::initializer_list<Field> fields) {
  const auto at = static_cast<std::size_t>(level);
  const auto time = to_rfc3339(clock_of_log().now());
  const bool traced = trace && !trace->id.empty();
  std::string line;
  line.reserve(256);
  if (shape.load(std::memory_order_relaxed) == Format::json) {
    ((line += "{\"time\":\"") += time) += '"';
    append_json(line, "level", names[at], false);
    append_json(line, "event", event, false);
    if (traced) append_json(line, "trace_id", trace->id, false);
    for (const auto& field : fields) append_json(line, field.name(), shortened(field.text()), field.bare());
    line += '}';
  } else {
    ((((line += time) += ' ') += padded[at]) += ' ') += event;
    for (const auto& field : fields) append_text(line, field);
    if (traced) (line += " trace_id=") += trace->id;
  }
  line += '\n';
  write_line(line);
}

}  // namespace log
}  // namespace loggia
