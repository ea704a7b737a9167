#pragma once
// The opaque positions of lists (contract, section 2: `next`, `cursor`): URL-safe text. Any thread.
#include <algorithm>
#include <charconv>
#include <optional>
#include <string>
#include "loggia/kernel/crypto.hpp"
#include "loggia/kernel/id.hpp"

namespace loggia::chat {

inline std::string cursor_of(std::int64_t number) { return crypto::base64url("n" + std::to_string(number)); }
template <class Tag> std::string cursor_of(const Id<Tag>& id) { return crypto::base64url("i" + id.text()); }

inline Error bad_cursor() { return wrong_field("/cursor", "is the `next` of an earlier page"); }

inline Result<std::int64_t> number_in(const std::string& cursor) {
  const auto text = crypto::from_base64url(cursor);
  if (!text || text->size() < 2 || text->front() != 'n') return bad_cursor();
  std::int64_t number = 0;
  const auto [end, problem] = std::from_chars(text->data() + 1, text->data() + text->size(), number);
  if (problem != std::errc() || end != text->data() + text->size() || number < 0) return bad_cursor();
  return number;
}
template <class T> Result<T> id_in(const std::string& cursor) {
  const auto text = crypto::from_base64url(cursor);
  if (!text || text->empty() || text->front() != 'i') return bad_cursor();
  auto id = T::parse(std::string_view(*text).substr(1));
  if (!id) return bad_cursor();
  return *id;
}

/// What one page holds where nothing is said.
constexpr std::int64_t page_standard = 50, page_max = 200;
inline std::int64_t page_limit(const std::optional<std::int64_t>& asked) {
  return std::clamp<std::int64_t>(asked.value_or(page_standard), 1, page_max);
}

}  // namespace loggia::chat
