#pragma once
// SQL as the modules write it, for SQLite, in PostgreSQL's words. Pure.
#include <string>
#include <string_view>
#include <vector>

namespace loggia::postgres {

struct Text {
  std::string sql;
  bool reads = false;  // a SELECT, which changes nothing
  /// Of `INSERT INTO t (a, b) VALUES (?1, ?2)`, all parameters in their order and nothing behind: the table, and where `VALUES (…)` begins.
  /// Several of these may be one statement.
  std::string table;
  std::size_t values_at = 0, values = 0;
  /// Of `UPDATE t SET a = ?2, b = ?3 WHERE id = ?1`, values alone: the table. Of several with the same ?1 the last is all that counts.
  std::string overwrites;
};

/// `?1` becomes `$1`, and the column that is called user, which is a word of PostgreSQL's own, gets its quotes; in texts, quoted names
/// and comments nothing changes.
Text translated(std::string_view sql);

/// Whether the statement names the table: in doubt it does.
bool names(std::string_view sql, std::string_view table);

/// The INSERT of `one` for `rows` rows: `VALUES ($1, $2), ($3, $4)`.
std::string repeated(const Text& one, std::size_t rows);

}  // namespace loggia::postgres
