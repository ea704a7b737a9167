#pragma once
// Moving house: all rows of a store as lines of text, and back into an empty store, of whichever engine. Row by row, so that a store of any
// size takes little memory. Blocking; on the threads of commands, with no server on either store. docs/moving.md has the format.
#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>
#include "loggia/kernel/storage.hpp"

namespace loggia::moving {

/// The sum of the SHA-256 of rows: the same in whatever order they come.
class Sum {
 public:
  void add(std::string_view row);
  std::int64_t rows() const { return rows_; }
  std::string hex() const;

 private:
  std::array<std::uint32_t, 8> words_{};
  std::int64_t rows_ = 0;
};

/// What a store holds: all rows, and those of each room (of tables with a column `room`).
struct Tally {
  Sum all;
  std::map<std::string, Sum> rooms;
};

/// Every row of every table, a line each, to `line`; before those of a table its head.
Result<Tally> tell(Database& store, const std::string& module, bool postgres, const std::function<void(std::string_view)>& line);

/// Takes lines of tell(). Errc::conflict where the store is not empty.
class Listener {
 public:
  Listener(Database& store, bool postgres) : store_{store}, postgres_{postgres} {}
  /// Before the first line: nothing is in the store but what its making put there, which goes.
  Result<bool> begin();
  Result<bool> head(const std::string& table, const std::vector<std::string>& columns);
  Result<bool> row(std::string line);
  /// What was taken is in the store.
  Result<bool> end();
  /// And it is what was to come: until now no server opens the store.
  Result<bool> whole();

 private:
  struct Column {
    std::string name;
    Parameter::Kind kind;
  };
  Result<bool> flush();

  Database& store_;
  bool postgres_;
  std::string insert_;
  std::vector<Column> columns_;
  std::vector<std::string> lines_;
  std::size_t bytes_ = 0;
  std::vector<std::string> tables_;
};

}  // namespace loggia::moving
