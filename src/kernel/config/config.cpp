#include "loggia/kernel/config.hpp"
#include <algorithm>
#include <stdexcept>
#include "config/settings.hpp"

namespace loggia {

using Kind = ConfigKey::Kind;

struct Config::Loaded {
  std::vector<ConfigKey> keys;
  std::map<std::string, settings::Entry, std::less<>> entries;
  std::vector<std::string> warnings;

  const settings::Entry& entry(std::string_view name, std::initializer_list<Kind> kinds) const {
    for (const auto& key : keys) {
      if (key.name != name) continue;
      for (const auto kind : kinds)
        if (kind == key.kind) return entries.find(name)->second;
      throw std::logic_error("the key " + std::string(name) + " is of another kind than it is asked for");
    }
    throw std::logic_error("nobody declared the key " + std::string(name));
  }
};

Result<Config> Config::load(const Source& source) {
  auto loaded = std::make_shared<Loaded>();
  loaded->keys = source.keys;
  const settings::Known known(loaded->keys);
  settings::Collected all;

  // A default that is not sound is a mistake of the program.
  for (const auto& key : loaded->keys) {
    auto& entry = loaded->entries[std::string(key.name)];
    if (key.kind == Kind::table) continue;
    settings::Setting standard;
    standard.key = &key;
    standard.text = key.standard;
    standard.origin = "default";
    if (const auto complaint = settings::apply(standard, entry)) throw std::logic_error("the default of " + std::string(key.name) + " " + *complaint);
  }

  if (source.file) {
    settings::read_file(known, *source.file, all);
  } else {
    std::error_code problem;
    for (const auto& usual : source.usual_files)
      if (std::filesystem::exists(usual, problem)) {
        settings::read_file(known, usual, all);
        break;
      }
  }
  // Weakest first: what comes later wins.
  const auto from_file = all.found;
  settings::read_environment(known, source.environment, from_file, all, loaded->warnings);
  settings::read_flags(known, source.flags, all);

  for (const auto& setting : all.found) {
    const std::string name(setting.key->name);
    if (const auto complaint = settings::apply(setting, loaded->entries[name])) all.refuse(setting.place, name + " " + *complaint);
  }
  if (!all.wrong.empty()) {
    std::string detail = "the configuration is not usable: " + all.wrong.front().pointer + ": " + all.wrong.front().detail;
    return Error(Errc::invalid_request, std::move(detail), std::move(all.wrong));
  }
  Config out;
  out.loaded_ = std::move(loaded);
  return out;
}

std::string Config::text(std::string_view key) const {
  return loaded_->entry(key, {Kind::text, Kind::flag, Kind::integer, Kind::duration, Kind::bytes, Kind::address, Kind::list}).text;
}
bool Config::flag(std::string_view key) const { return loaded_->entry(key, {Kind::flag}).flag; }
std::int64_t Config::integer(std::string_view key) const { return loaded_->entry(key, {Kind::integer, Kind::bytes}).number; }
milliseconds Config::duration(std::string_view key) const { return milliseconds(loaded_->entry(key, {Kind::duration}).number); }
std::vector<std::string> Config::list(std::string_view key) const { return loaded_->entry(key, {Kind::list}).list; }

std::map<std::string, std::string> Config::table(std::string_view key) const {
  std::map<std::string, std::string> out;
  for (const auto& [name, named] : loaded_->entry(key, {Kind::table}).table) out.emplace(name, named.value);
  return out;
}

bool Config::declares(std::string_view key) const {
  return std::any_of(loaded_->keys.begin(), loaded_->keys.end(), [&](const auto& one) { return one.name == key; });
}

bool Config::set(std::string_view key) const {
  return loaded_->entry(key, {Kind::text, Kind::flag, Kind::integer, Kind::duration, Kind::bytes, Kind::address, Kind::list, Kind::table}).origin !=
         "default";
}

const std::vector<std::string>& Config::warnings() const { return loaded_->warnings; }
const std::vector<ConfigKey>& Config::keys() const { return loaded_->keys; }

namespace {

/// Names in free tables that hold secrets whatever the key says of itself.
bool sounds_secret(std::string_view name) {
  for (const std::string_view word : {"secret", "password", "token", "key"})
    if (name.find(word) != name.npos) return true;
  return false;
}
std::string masked(const std::string& value, bool secret) { return secret && !value.empty() ? "********" : value; }

}  // namespace

std::vector<Config::Shown> Config::shown() const {
  std::vector<Shown> out;
  const auto add = [&](std::string key, std::string value, std::string origin) {
    Shown line;
    line.key = std::move(key);
    line.value = std::move(value);
    line.origin = std::move(origin);
    out.push_back(std::move(line));
  };
  for (const auto& [name, entry] : loaded_->entries) {
    const ConfigKey* key = nullptr;
    for (const auto& candidate : loaded_->keys)
      if (candidate.name == name) key = &candidate;
    if (key->kind != Kind::table || entry.table.empty()) {
      add(name, masked(entry.text, key->secret), entry.origin);
      continue;
    }
    for (const auto& [free, named] : entry.table)
      add(name + '.' + free, masked(named.value, key->secret || named.hidden || sounds_secret(free)), named.origin);
  }
  return out;
}

}  // namespace loggia
