#pragma once
// Configuration (contract, section 1): defaults, then file (TOML), then environment, then flags; checked whole before anything starts.
// Modules declare their keys; a key that nobody declared is an error that names the nearest one that does exist.
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>
#include "loggia/kernel/result.hpp"
#include "loggia/kernel/time.hpp"

namespace loggia {

struct ConfigKey {
  enum class Kind { text, flag, integer, duration, bytes, address, list, table };
  std::string_view name;  // "auth.access_token_lifetime"
  Kind kind;
  std::string_view standard;  // the default, as written in a file; empty: none
  std::string_view help;
  bool secret = false;
  std::string_view values;  // of a text: the allowed ones, separated by '|'
  std::int64_t min = 0, max = INT64_MAX;
  bool alike = false;  // the same in every process of a server
};

/// `250ms`, `10s`, `5m`, `24h`, `7d`.
Result<milliseconds> parse_duration(std::string_view text);

/// Immutable once read; safe from every thread. Asking for a key that nobody declared is a mistake of the program: std::logic_error.
class Config {
 public:
  struct Source {
    std::vector<ConfigKey> keys;
    std::optional<std::filesystem::path> file;               // --config; must exist
    std::vector<std::filesystem::path> usual_files;          // the first that exists
    std::map<std::string, std::string> environment;          // LOGGIA_… only
    std::vector<std::pair<std::string, std::string>> flags;  // key, value; later ones win
  };
  struct Loaded;
  /// All mistakes at once in Error::fields: pointer is the place (file:line, variable or flag), detail what to do.
  /// Unknown LOGGIA_ variables are warnings (`warnings()`).
  static Result<Config> load(const Source& source);

  std::string text(std::string_view key) const;
  bool flag(std::string_view key) const;
  std::int64_t integer(std::string_view key) const;
  milliseconds duration(std::string_view key) const;
  std::vector<std::string> list(std::string_view key) const;
  /// Of a table of free names, each relative to it: of "discovery.peers" "chat" -> value; nested ones by dots ("corp.client_secret" of
  /// "auth.oidc"), lists joined by commas.
  std::map<std::string, std::string> table(std::string_view key) const;
  bool set(std::string_view key) const;  // not left at its default
  /// A test of one module, and a build without another one, have not every key.
  bool declares(std::string_view key) const;

  const std::vector<std::string>& warnings() const;
  const std::vector<ConfigKey>& keys() const;
  /// The line of `config show`: value with secrets masked, and its origin (`default`, `file:12`, `LOGGIA_X`, `--set`).
  struct Shown {
    std::string key, value, origin;
  };
  std::vector<Shown> shown() const;

 private:
  std::shared_ptr<const Loaded> loaded_;
};

/// The environment variable of a key: `a.b.c` is LOGGIA_A_B_C.
std::string variable_of(std::string_view key);
/// The candidate with the fewest edits, if it is near enough to be meant.
std::optional<std::string> nearest(std::string_view word, const std::vector<std::string>& candidates);
/// The items of a text, without the spaces around them; none of them is empty.
std::vector<std::string> split(std::string_view text, char separator = ',');
std::string joined(const std::vector<std::string>& items, std::string_view between = ", ");
/// What is said of a module that is none.
std::string no_module(const std::string& name, const std::vector<std::string>& modules);

}  // namespace loggia
