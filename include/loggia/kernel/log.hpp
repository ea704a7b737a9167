#pragma once
// Structured logs on standard error, one line an event: `log::info("message.posted", Field("room", id), Field("took_ms", 3));`
// A name and fields, never a sentence with values in it, never a secret or a message text, never logged *and* returned.
// Safe from every thread. Lines are written whole; when standard error is gone, they are dropped and the process goes on.
#include <concepts>
#include <initializer_list>
#include <string>
#include <string_view>
#include "loggia/kernel/context.hpp"

namespace loggia {

class Field {
 public:
  Field(std::string_view name, std::string_view text) : name_{name}, text_{text} {}
  Field(std::string_view name, const std::string& text) : name_{name}, text_{text} {}
  Field(std::string_view name, const char* text) : name_{name}, text_{text} {}
  Field(std::string_view name, bool flag) : name_{name}, text_{flag ? "true" : "false"}, bare_{true} {}
  template <std::integral T> Field(std::string_view name, T number) : name_{name}, text_{std::to_string(number)}, bare_{true} {}
  Field(std::string_view name, double number);
  template <class Tag> Field(std::string_view name, const Id<Tag>& id) : name_{name}, text_{id.text()} {}
  std::string_view name() const { return name_; }
  const std::string& text() const { return text_; }
  /// A number or flag: not quoted in JSON.
  bool bare() const { return bare_; }

 private:
  std::string_view name_;
  std::string text_;
  bool bare_ = false;
};

namespace log {

enum class Level { debug, info, warn, error };
enum class Format { text, json };

/// At start, and again at SIGHUP. `clock` outlives the last line.
void configure(Level level, Format format, const Clock& clock);
bool enabled(Level level);
void write(Level level, std::string_view event, const Trace* trace, std::initializer_list<Field> fields);

template <class... F> void debug(std::string_view event, const F&... fields) {
  if (enabled(Level::debug)) write(Level::debug, event, nullptr, {fields...});
}
template <class... F> void info(std::string_view event, const F&... fields) {
  if (enabled(Level::info)) write(Level::info, event, nullptr, {fields...});
}
template <class... F> void warn(std::string_view event, const F&... fields) {
  if (enabled(Level::warn)) write(Level::warn, event, nullptr, {fields...});
}
template <class... F> void error(std::string_view event, const F&... fields) { write(Level::error, event, nullptr, {fields...}); }
/// With the `trace_id` of a call: `log::info(context, "user.registered", …)`.
template <class... F> void debug(const Context& c, std::string_view event, const F&... fields) {
  if (enabled(Level::debug)) write(Level::debug, event, &c.trace(), {fields...});
}
template <class... F> void info(const Context& c, std::string_view event, const F&... fields) {
  if (enabled(Level::info)) write(Level::info, event, &c.trace(), {fields...});
}
template <class... F> void warn(const Context& c, std::string_view event, const F&... fields) {
  if (enabled(Level::warn)) write(Level::warn, event, &c.trace(), {fields...});
}
template <class... F> void error(const Context& c, std::string_view event, const F&... fields) {
  write(Level::error, event, &c.trace(), {fields...});
}

}  // namespace log
}  // namespace loggia
