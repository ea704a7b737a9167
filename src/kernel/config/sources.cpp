// What is not the file: environment and flags; and the keys that there are.
#include <algorithm>
#include <cctype>
#include <stdexcept>
#include "config/settings.hpp"

namespace loggia::settings {

void Collected::refuse(std::string place, std::string detail) {
  FieldError mistake;
  mistake.pointer = std::move(place);
  mistake.detail = std::move(detail);
  wrong.push_back(std::move(mistake));
}

Known::Known(const std::vector<ConfigKey>& keys) {
  std::map<std::string, std::string> variables;
  for (const auto& key : keys) {
    const std::string name(key.name);
    // `_FILE` is ours, `_PORT` and `_SERVICE_HOST` are what orchestrators set for a service called loggia.
    const auto variable = variable_of(name);
    if (variable.ends_with("_FILE") || variable.ends_with("_PORT") || variable.ends_with("_SERVICE_HOST"))
      throw std::logic_error("key " + name + " ends as variables of others do; call it otherwise");
    if (!variables.emplace(variable, name).second) throw std::logic_error("two keys have the variable " + variable);
    keys_.emplace(name, &key);
    names_.push_back(name);
  }
  std::sort(names_.begin(), names_.end());
}

const ConfigKey* Known::find(std::string_view name) const {
  const auto found = keys_.find(name);
  return found == keys_.end() ? nullptr : found->second;
}

const ConfigKey* Known::table_of(std::string_view name, std::string& rest) const {
  for (auto dot = name.find('.'); dot != name.npos; dot = name.find('.', dot + 1)) {
    const auto* key = find(name.substr(0, dot));
    if (!key || key->kind != ConfigKey::Kind::table) continue;
    rest = name.substr(dot + 1);
    return key;
  }
  return nullptr;
}

bool Known::section(std::string_view name) const {
  const auto prefix = std::string(name) + '.';
  const auto next = keys_.lower_bound(prefix);
  return next != keys_.end() && next->first.starts_with(prefix);
}

std::string Known::unknown(std::string_view name) const {
  const auto meant = nearest(name, names_);
  const auto closest_one = meant ? *meant : closest(name, names_);
  std::string out = "there is no key \"" + std::string(name) + "\"";
  if (closest_one.empty()) return out;
  return out + (meant ? "; did you mean \"" + closest_one + "\"?" : "; the nearest is \"" + closest_one + "\". `loggia config show` lists them all");
}

namespace {

std::string lower(std::string_view text) {
  std::string out(text);
  for (auto& c : out) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return out;
}

/// What a variable is about: a key, or a free name in a table.
struct Meaning {
  const ConfigKey* key = nullptr;
  std::string name;
};

Meaning meaning_of(const Known& known, const std::string& variable, const std::vector<Setting>& so_far) {
  Meaning meaning;
  for (const auto& name : known.names()) {
    const auto own = variable_of(name);
    const auto* key = known.find(name);
    if (variable == own) {
      meaning.key = key;
      meaning.name.clear();
      return meaning;
    }
    if (key->kind != ConfigKey::Kind::table || !variable.starts_with(own + '_') || variable.size() == own.size() + 1) continue;
    meaning.key = key;
    meaning.name = lower(std::string_view(variable).substr(own.size() + 1));
    // Names that the file has already may hold dots: LOGGIA_AUTH_OIDC_CORP_CLIENT_SECRET is auth.oidc.corp.client_secret.
    for (const auto& setting : so_far)
      if (setting.key == key && variable_of(name + '.' + setting.name) == variable) meaning.name = setting.name;
  }
  return meaning;
}

}  // namespace

void read_environment(const Known& known, const std::map<std::string, std::string>& environment, const std::vector<Setting>& so_far, Collected& out,
                      std::vector<std::string>& warnings) {
  std::vector<std::string> variables;
  for (const auto& name : known.names()) variables.push_back(variable_of(name));
  for (const auto& [variable, value] : environment) {
    const bool file = variable.ends_with("_FILE");
    const auto base = file ? variable.substr(0, variable.size() - 5) : variable;
    const auto meaning = meaning_of(known, base, so_far);
    if (!meaning.key) {
      const auto meant = nearest(base, variables);
      warnings.push_back("the variable " + variable + " is not known" + (meant ? "; did you mean " + *meant + "?" : ""));
      continue;
    }
    if (file && environment.contains(base)) {
      out.refuse(variable, "is set, and " + base + " too; remove one of them");
      continue;
    }
    Setting setting;
    setting.key = meaning.key;
    setting.name = meaning.name;
    setting.origin = setting.place = variable;
    setting.text = value;
    if (file) {
      auto content = content_of(value);
      if (!content) {
        out.refuse(variable, content.error().detail);
        continue;
      }
      setting.text = std::move(*content);
      setting.hidden = true;
    }
    if (meaning.key->kind == ConfigKey::Kind::table && meaning.name.empty()) read_table(*meaning.key, setting.text, variable, out);
    else out.found.push_back(std::move(setting));
  }
}

void read_flags(const Known& known, const std::vector<std::pair<std::string, std::string>>& flags, Collected& out) {
  for (const auto& [name, value] : flags) {
    Setting setting;
    setting.key = known.find(name);
    if (!setting.key) setting.key = known.table_of(name, setting.name);
    setting.origin = "--set";
    setting.place = "--set " + name;
    setting.text = value;
    if (!setting.key) out.refuse(setting.place, known.unknown(name));
    else if (setting.key->kind == ConfigKey::Kind::table && setting.name.empty()) read_table(*setting.key, value, setting.place, out);
    else out.found.push_back(std::move(setting));
  }
}

}  // namespace loggia::settings
