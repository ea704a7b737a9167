#include "storage/postgres/text.hpp"
#include <algorithm>
#include <cctype>
#include <utility>

namespace loggia::postgres {
namespace {

bool in_word(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; }
bool same_word(std::string_view word, std::string_view lower) {
  return std::equal(word.begin(), word.end(), lower.begin(), lower.end(),
                    [](char a, char b) { return std::tolower(static_cast<unsigned char>(a)) == b; });
}

/// Where what begins at `at` and is nobody's to change ends: a text, a quoted name, a comment; `at` where none begins.
std::size_t past_quoted(std::string_view sql, std::size_t at) {
  const auto end_of = [&](std::string_view mark, std::size_t from) {
    const auto found = sql.find(mark, from);
    return found == sql.npos ? sql.size() : found + mark.size();
  };
  if (sql[at] == '\'' || sql[at] == '"') return end_of(sql.substr(at, 1), at + 1);  // a doubled quote ends one and begins the next
  if (sql.substr(at, 2) == "--") return end_of("\n", at);
  if (sql.substr(at, 2) == "/*") return end_of("*/", at + 2);
  return at;
}

std::size_t past_word(std::string_view sql, std::size_t at) {
  while (at < sql.size() && in_word(sql[at])) ++at;
  return at;
}

std::size_t past_space(std::string_view sql, std::size_t at) {
  while (at < sql.size() && std::isspace(static_cast<unsigned char>(sql[at])) != 0) ++at;
  return at;
}

/// Fills in what makes an INSERT one of those that can be joined.
void look_at_insert(Text& text) {
  const std::string_view sql = text.sql;
  std::size_t at = 0;
  for (const std::string_view word : {"insert", "into"}) {
    at = past_space(sql, at);
    const auto end = past_word(sql, at);
    if (!same_word(sql.substr(at, end - at), word)) return;
    at = end;
  }
  at = past_space(sql, at);
  const auto name_end = past_word(sql, at);
  const auto name = sql.substr(at, name_end - at);
  at = past_space(sql, name_end);
  if (at >= sql.size() || sql[at] != '(') return;
  const auto close = sql.find(')', at);
  if (close == sql.npos) return;
  at = past_space(sql, close + 1);
  const auto values_end = past_word(sql, at);
  if (!same_word(sql.substr(at, values_end - at), "values")) return;
  std::size_t count = 0;
  at = past_space(sql, values_end);
  if (at >= sql.size() || sql[at] != '(') return;
  do {
    at = past_space(sql, at + 1);
    const auto wanted = "$" + std::to_string(++count);
    if (sql.substr(at, wanted.size()) != wanted) return;
    at = past_space(sql, at + wanted.size());
  } while (at < sql.size() && sql[at] == ',');
  if (at + 1 != sql.size() || sql[at] != ')') return;
  text.table = name;
  text.values_at = values_end;
  text.values = count;
}

/// Words and signs of a statement, one at a time.
class Words {
 public:
  explicit Words(std::string_view sql) : rest_{sql} {}
  std::string_view next() {
    rest_ = rest_.substr(past_space(rest_, 0));
    auto size = past_word(rest_, rest_.starts_with('$') ? 1 : 0);
    if (size == 0 && !rest_.empty()) size = 1;
    const auto out = rest_.substr(0, size);
    rest_ = rest_.substr(size);
    return out;
  }

 private:
  std::string_view rest_;
};

/// Fills in what makes an UPDATE one of those of which the last counts.
void look_at_update(Text& text) {
  Words words(text.sql);
  if (!same_word(words.next(), "update")) return;
  const auto table = words.next();
  if (!same_word(words.next(), "set")) return;
  for (auto separator = std::string_view(","); !same_word(separator, "where"); separator = words.next()) {
    if (separator != ",") return;
    const auto column = words.next();
    const auto sign = words.next(), value = words.next();
    if (column.empty() || sign != "=" || !value.starts_with('$') || value == "$1") return;
  }
  words.next();
  if (words.next() == "=" && words.next() == "$1" && words.next().empty()) text.overwrites = table;
}

}  // namespace

Text translated(std::string_view sql) {
  Text out;
  out.sql.reserve(sql.size() + 16);
  bool first = true;
  for (std::size_t at = 0; at < sql.size();) {
    if (const auto past = past_quoted(sql, at); past > at) {
      out.sql += sql.substr(at, past - at);
      at = past;
    } else if (sql[at] == '?' && at + 1 < sql.size() && std::isdigit(static_cast<unsigned char>(sql[at + 1])) != 0) {
      out.sql += '$';
      ++at;
    } else if (in_word(sql[at])) {
      const auto end = past_word(sql, at);
      const auto word = sql.substr(at, end - at);
      if (std::exchange(first, false)) out.reads = same_word(word, "select");
      const bool quoted = same_word(word, "user") && (at == 0 || sql[at - 1] != '.');
      out.sql += quoted ? "\"user\"" : word;
      at = end;
    } else {
      out.sql += sql[at++];
    }
  }
  if (!out.reads) look_at_insert(out);
  if (!out.reads) look_at_update(out);
  return out;
}

bool names(std::string_view sql, std::string_view table) {
  for (auto at = sql.find(table); at != sql.npos; at = sql.find(table, at + 1))
    if ((at == 0 || !in_word(sql[at - 1])) && (at + table.size() == sql.size() || !in_word(sql[at + table.size()]))) return true;
  return false;
}

std::string repeated(const Text& one, std::size_t rows) {
  std::string out = one.sql.substr(0, one.values_at);
  std::size_t number = 0;
  for (std::size_t row = 0; row < rows; ++row) {
    out += row == 0 ? " (" : ", (";
    for (std::size_t value = 0; value < one.values; ++value) (out += value == 0 ? "$" : ", $") += std::to_string(++number);
    out += ')';
  }
  return out;
}

}  // namespace loggia::postgres
