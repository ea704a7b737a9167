#include "loggia/kernel/config.hpp"
#include <toml++/toml.h>
#include <algorithm>
#include <fstream>
#include <set>
#include <stdexcept>
#include "config/values.hpp"

namespace loggia {

struct Config::Loaded {
  struct Value {
    std::string text, origin;
  };
  std::vector<ConfigKey> keys;
  std::map<std::string, Value, std::less<>> values;
  std::map<std::string, std::map<std::string, std::string>, std::less<>> tables;
  std::vector<std::string> warnings;
};

namespace {

std::optional<std::string> read_file(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) return std::nullopt;
  std::string text(std::istreambuf_iterator<char>(in), {});
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.pop_back();
  return text;
}

/// Puts the sources over each other, and collects every mistake.
class Loader {
 public:
  explicit Loader(const Config::Source& source) : source_{source} {
    loaded_.keys = source.keys;
    for (const auto& key : loaded_.keys) {
      names_.emplace_back(key.name);
      by_name_.emplace(std::string(key.name), &key);
      if (key.kind == ConfigKey::Kind::table) loaded_.tables.try_emplace(std::string(key.name));
      else loaded_.values[std::string(key.name)] = {std::string(key.standard), "default"};
    }
  }

  Result<Config::Loaded> run() {
    read_configuration_file();
    read_environment();
    for (const auto& [name, value] : source_.flags) read_flag(name, value);
    if (!wrong_.empty()) return Error(Errc::invalid_request, "the configuration has mistakes", std::move(wrong_));
    return std::move(loaded_);
  }

 private:
  void wrong(std::string place, std::string what) {
    FieldError field;
    field.pointer = std::move(place);
    field.detail = std::move(what);
    wrong_.push_back(std::move(field));
  }
  void unknown(const std::string& place, const std::string& name) {
    const auto near = nearest(name, names_);
    wrong(place, "there is no key " + name + (near ? "; did you mean " + *near + "?" : "; `loggia config show` lists them all"));
  }
  void set(const ConfigKey& key, std::string text, std::string origin) {
    if (const auto problem = check_value(key, text)) return wrong(origin, std::string(key.name) + " " + *problem);
    loaded_.values[std::string(key.name)] = {std::move(text), std::move(origin)};
  }
  const ConfigKey* key(const std::string& name) const {
    const auto found = by_name_.find(name);
    return found == by_name_.end() ? nullptr : found->second;
  }
  /// The table of free names that `name` is in, with the rest of it.
  std::optional<std::pair<std::string, std::string>> in_table(const std::string& name) const {
    for (auto dot = name.find('.'); dot != name.npos; dot = name.find('.', dot + 1))
      if (loaded_.tables.contains(name.substr(0, dot))) return std::pair(name.substr(0, dot), name.substr(dot + 1));
    return std::nullopt;
  }

  void read_configuration_file() {
    auto path = source_.file;
    if (path && !std::filesystem::is_regular_file(*path)) return wrong(path->string(), "there is no such file; name another with --config");
    for (const auto& usual : source_.usual_files)
      if (!path && std::filesystem::is_regular_file(usual)) path = usual;
    if (!path) return;
    file_ = path->string();
    try {
      walk(toml::parse_file(file_), "");
    } catch (const toml::parse_error& problem) {
      wrong(file_ + ":" + std::to_string(problem.source().begin.line), "does not parse as TOML: " + std::string(problem.description()));
    }
  }
  void walk(const toml::table& table, const std::string& prefix) {
    for (const auto& [part, node] : table) {
      const auto name = prefix + std::string(part.str());
      const auto place = file_ + ":" + std::to_string(node.source().begin.line);
      if (loaded_.tables.contains(name) && node.is_table()) walk_free(*node.as_table(), name, "", place);
      else if (const auto* known = key(name)) set_node(*known, node, place);
      else if (const auto* inner = node.as_table(); inner && is_section(name)) walk(*inner, name + ".");
      else unknown(place, name);
    }
  }
  bool is_section(const std::string& name) const {
    return std::any_of(names_.begin(), names_.end(), [&](const std::string& known) { return known.starts_with(name + "."); });
  }
  void walk_free(const toml::table& table, const std::string& of, const std::string& prefix, const std::string& place) {
    for (const auto& [part, node] : table) {
      const auto name = prefix + std::string(part.str());
      const auto* inner = node.as_table();
      const auto named = inner && inner->size() == 1 ? (*inner)["file"].value<std::string>() : std::nullopt;
      if (named) {
        if (auto text = read_file(*named)) loaded_.tables[of][name] = *text;
        else wrong(place, of + "." + name + ": cannot read " + *named);
      } else if (inner) {
        walk_free(*inner, of, name + ".", place);
      } else if (auto text = text_of(node)) {
        loaded_.tables[of][name] = *text;
      } else {
        wrong(place, of + "." + name + " is a text, a number, a list of texts or {file = \"PATH\"}");
      }
    }
  }
  static std::optional<std::string> text_of(const toml::node& node) {
    if (const auto text = node.value_exact<std::string>()) return *text;
    if (const auto flag = node.value_exact<bool>()) return std::string(*flag ? "true" : "false");
    if (const auto number = node.value_exact<std::int64_t>()) return std::to_string(*number);
    const auto* list = node.as_array();
    if (!list) return std::nullopt;
    std::string out;
    for (const auto& item : *list) {
      const auto text = item.value_exact<std::string>();
      if (!text) return std::nullopt;
      (out += out.empty() ? "" : ",") += *text;
    }
    return out;
  }
  /// A TOML value must be of the key's own type: a number is no address.
  void set_node(const ConfigKey& key, const toml::node& node, const std::string& place) {
    const auto is = [&](const char* what) { wrong(place, std::string(key.name) + " is " + what); };
    switch (key.kind) {
      case ConfigKey::Kind::text:
      case ConfigKey::Kind::duration:
      case ConfigKey::Kind::address:
        if (!node.is_string()) return is(key.kind == ConfigKey::Kind::address ? "a text, ADDRESS:PORT" : key.kind == ConfigKey::Kind::duration ? "a text such as \"10s\"" : "a text");
        break;
      case ConfigKey::Kind::flag:
        if (!node.is_boolean()) return is("true or false");
        break;
      case ConfigKey::Kind::integer:
      case ConfigKey::Kind::bytes:
        if (!node.is_integer()) return is("a whole number");
        break;
      case ConfigKey::Kind::list:
        if (!node.is_array()) return is("a list of texts");
        break;
      case ConfigKey::Kind::table: return is("a table");
    }
    const auto text = text_of(node);
    if (!text) return is("a list of texts");
    set(key, *text, place);
  }

  void read_environment() {
    std::map<std::string, const ConfigKey*> variables;
    for (const auto& key : loaded_.keys)
      if (key.kind != ConfigKey::Kind::table) variables.emplace(variable_of(key.name), &key);
    for (const auto& [variable, value] : source_.environment) {
      if (const auto found = variables.find(variable); found != variables.end()) {
        if (source_.environment.contains(variable + "_FILE")) wrong(variable, "is set, and so is " + variable + "_FILE; keep one of them");
        else set(*found->second, value, variable);
        continue;
      }
      const auto base = variable.ends_with("_FILE") ? variables.find(variable.substr(0, variable.size() - 5)) : variables.end();
      if (base == variables.end()) {
        loaded_.warnings.push_back("the environment has " + variable + ", which is no key of the configuration");
      } else if (auto text = read_file(value)) {
        set(*base->second, *text, variable);
      } else {
        wrong(variable, "cannot read " + value);
      }
    }
  }

  void read_flag(const std::string& name, const std::string& value) {
    if (const auto* known = key(name); known && known->kind != ConfigKey::Kind::table) return set(*known, value, "--set " + name);
    const auto free = in_table(name);
    if (!free) return unknown("--set " + name, name);
    loaded_.tables[free->first][free->second] = value;
  }

  const Config::Source& source_;
  Config::Loaded loaded_;
  std::vector<std::string> names_;
  std::map<std::string, const ConfigKey*> by_name_;
  std::string file_;
  std::vector<FieldError> wrong_;
};

}  // namespace

Result<Config> Config::load(const Source& source) {
  auto loaded = Loader(source).run();
  if (!loaded) return loaded.error();
  Config config;
  config.loaded_ = std::make_shared<const Loaded>(std::move(*loaded));
  return config;
}

std::string Config::text(std::string_view key) const {
  const auto found = loaded_->values.find(key);
  if (found == loaded_->values.end()) throw std::logic_error("nobody declared the key " + std::string(key));
  return found->second.text;
}
bool Config::flag(std::string_view key) const { return text(key) == "true"; }
std::int64_t Config::integer(std::string_view key) const { return std::stoll(text(key)); }
milliseconds Config::duration(std::string_view key) const {
  const auto value = text(key);
  return value.empty() ? milliseconds(0) : *parse_duration(value);
}
std::vector<std::string> Config::list(std::string_view key) const { return split_list(text(key)); }
std::map<std::string, std::string> Config::table(std::string_view key) const {
  const auto found = loaded_->tables.find(key);
  if (found == loaded_->tables.end()) throw std::logic_error("nobody declared the table " + std::string(key));
  return found->second;
}
bool Config::set(std::string_view key) const {
  const auto found = loaded_->values.find(key);
  return found != loaded_->values.end() && found->second.origin != "default";
}
const std::vector<std::string>& Config::warnings() const { return loaded_->warnings; }
const std::vector<ConfigKey>& Config::keys() const { return loaded_->keys; }

std::vector<Config::Shown> Config::shown() const {
  std::vector<Shown> out;
  for (const auto& key : loaded_->keys) {
    const std::string name(key.name);
    const auto masked = [&](const std::string& text) { return key.secret && !text.empty() ? std::string("********") : text; };
    if (key.kind == ConfigKey::Kind::table) {
      for (const auto& [part, value] : loaded_->tables.at(name)) out.push_back({name + "." + part, masked(value), "file or --set"});
    } else {
      const auto& value = loaded_->values.at(name);
      out.push_back({name, masked(value.text), value.origin});
    }
  }
  std::sort(out.begin(), out.end(), [](const Shown& a, const Shown& b) { return a.key < b.key; });
  return out;
}

std::string variable_of(std::string_view key) {
  std::string out = "LOGGIA_";
  for (const char c : key) out += c == '.' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return out;
}

}  // namespace loggia
