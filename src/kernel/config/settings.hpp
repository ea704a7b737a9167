#pragma once
// What config/*.cpp share: a setting as it was found somewhere, and how it becomes a value. For config/ alone; at start, one thread.
#include <map>
#include <string>
#include <string_view>
#include <vector>
#include "loggia/kernel/config.hpp"

namespace loggia::settings {

/// A value as it was written, with where. `name` is the free name in a table, such as `chat` of `discovery.peers.chat`.
struct Setting {
  const ConfigKey* key = nullptr;
  std::string name;
  std::string text;
  std::vector<std::string> list;
  bool is_list = false;
  bool hidden = false;  // came out of a file of its own: taken for a secret
  std::string origin;   // for `config show`
  std::string place;    // for mistakes
};

struct Collected {
  std::vector<Setting> found;
  std::vector<FieldError> wrong;
  void refuse(std::string place, std::string detail);
};

/// The keys by name, with what is needed to tell a reader what was meant.
class Known {
 public:
  /// std::logic_error where two keys have a name or a variable in common, or a name that variables cannot have.
  explicit Known(const std::vector<ConfigKey>& keys);
  const ConfigKey* find(std::string_view name) const;
  /// The table that `name` lies in, and the rest of the name.
  const ConfigKey* table_of(std::string_view name, std::string& rest) const;
  bool section(std::string_view name) const;
  const std::vector<std::string>& names() const { return names_; }
  /// `there is no key "htp.listen"; did you mean "http.listen"?`
  std::string unknown(std::string_view name) const;

 private:
  std::map<std::string, const ConfigKey*, std::less<>> keys_;
  std::vector<std::string> names_;
};

struct Entry {
  std::string text;
  std::int64_t number = 0;  // of integers, bytes; milliseconds of durations
  bool flag = false;
  std::vector<std::string> list;
  struct Named {
    std::string value, origin;
    bool hidden = false;
  };
  std::map<std::string, Named> table;
  std::string origin = "default";
};

/// Reads `file` (TOML) into settings.
void read_file(const Known& known, const std::filesystem::path& file, Collected& out);
/// The inline table of a variable: `{chat = "127.0.0.1:9001"}`.
void read_table(const ConfigKey& key, const std::string& text, const std::string& origin, Collected& out);
void read_environment(const Known& known, const std::map<std::string, std::string>& environment, const std::vector<Setting>& so_far, Collected& out,
                      std::vector<std::string>& warnings);
void read_flags(const Known& known, const std::vector<std::pair<std::string, std::string>>& flags, Collected& out);
/// The whole of a file without the newline at its end, or what is wrong with it.
Result<std::string> content_of(const std::filesystem::path& file);

/// Checks the setting and puts it into the entry; what is wrong is said in words that continue the key's name.
std::optional<std::string> apply(const Setting& setting, Entry& entry);

/// The candidate with the fewest edits, however far; empty where there is none.
std::string closest(std::string_view word, const std::vector<std::string>& candidates);

}  // namespace loggia::settings
