#include <toml++/toml.h>
#include <fstream>
#include <sstream>
#include "config/settings.hpp"

namespace loggia::settings {
namespace {

/// What a node says as text, or nothing where it is no simple value.
std::optional<std::string> simple(const toml::node& node) {
  if (const auto* text = node.as_string()) return text->get();
  if (const auto* number = node.as_integer()) return std::to_string(number->get());
  if (const auto* flag = node.as_boolean()) return std::string(flag->get() ? "true" : "false");
  return std::nullopt;
}

class Reader {
 public:
  Reader(const Known* known, std::string file, std::string origin, Collected& out)
      : known_{known}, file_{std::move(file)}, origin_{std::move(origin)}, out_{out} {}

  void section(const std::string& prefix, const toml::table& table) {
    for (const auto& [key, node] : table) {
      const auto name = prefix.empty() ? std::string(key.str()) : prefix + '.' + std::string(key.str());
      const auto* known = known_->find(name);
      if (known && known->kind == ConfigKey::Kind::table) {
        if (const auto* names = node.as_table()) free_names(*known, std::string(), *names);
        else out_.refuse(place(node), name + " is a table");
      } else if (known) {
        value(*known, std::string(), name, node);
      } else if (const auto* inner = node.as_table(); inner && (!inner->empty() || known_->section(name))) {
        section(name, *inner);
      } else if (known_->section(name)) {
        out_.refuse(place(node), name + " is a section: write [" + name + "] and its keys below it");
      } else {
        out_.refuse(place(node), known_->unknown(name));
      }
    }
  }

  /// Names that nobody declared, nested ones joined by dots; `{file = "PATH"}` stands for what the file holds.
  void free_names(const ConfigKey& key, const std::string& prefix, const toml::table& table) {
    for (const auto& [word, node] : table) {
      const auto name = prefix.empty() ? std::string(word.str()) : prefix + '.' + std::string(word.str());
      const auto* inner = node.as_table();
      if (!inner) {
        value(key, name, std::string(key.name) + '.' + name, node);
      } else if (const auto* path = inner->get("file"); path && inner->size() == 1 && path->is_string()) {
        const auto file = path->as_string()->get();
        auto content = content_of(file);
        if (!content) {
          out_.refuse(place(node), std::string(key.name) + '.' + name + ": " + content.error().detail);
          continue;
        }
        auto setting = at(key, name, node);
        setting.text = std::move(*content);
        setting.hidden = true;
        out_.found.push_back(std::move(setting));
      } else {
        free_names(key, name, *inner);
      }
    }
  }

 private:
  std::string place(const toml::node& node) const { return file_.empty() ? origin_ : file_ + ':' + std::to_string(node.source().begin.line); }

  Setting at(const ConfigKey& key, const std::string& name, const toml::node& node) const {
    Setting setting;
    setting.key = &key;
    setting.name = name;
    setting.place = place(node);
    setting.origin = setting.place;
    return setting;
  }

  void value(const ConfigKey& key, const std::string& name, const std::string& full, const toml::node& node) {
    auto setting = at(key, name, node);
    if (const auto* list = node.as_array()) {
      setting.is_list = true;
      for (const auto& item : *list) {
        auto text = simple(item);
        if (!text) return out_.refuse(place(item), full + " is a list of texts");
        setting.list.push_back(std::move(*text));
      }
    } else if (auto text = simple(node)) {
      setting.text = std::move(*text);
    } else {
      return out_.refuse(place(node), full + (node.is_table() ? " is a value, not a section" : " is a text, a whole number, true, false or a list"));
    }
    out_.found.push_back(std::move(setting));
  }

  const Known* known_;
  std::string file_, origin_;
  Collected& out_;
};

}  // namespace

Result<std::string> content_of(const std::filesystem::path& file) {
  std::error_code problem;
  std::ifstream in(file, std::ios::binary);
  if (!in || std::filesystem::is_directory(file, problem))
    return Error(Errc::invalid_request, "the file " + file.string() + " cannot be read; does it exist, and may this user read it?");
  std::stringstream content;
  content << in.rdbuf();
  auto text = content.str();
  if (text.ends_with('\n')) text.pop_back();
  if (text.ends_with('\r')) text.pop_back();
  return text;
}

void read_file(const Known& known, const std::filesystem::path& file, Collected& out) {
  const auto content = content_of(file);
  if (!content) return out.refuse(file.string(), content.error().detail);
  try {
    const auto table = toml::parse(*content, file.string());
    Reader(&known, file.string(), std::string(), out).section(std::string(), table);
  } catch (const toml::parse_error& problem) {
    out.refuse(file.string() + ':' + std::to_string(problem.source().begin.line), "is no TOML: " + std::string(problem.description()));
  }
}

void read_table(const ConfigKey& key, const std::string& text, const std::string& origin, Collected& out) {
  try {
    const auto parsed = toml::parse("value = " + text);
    const auto* table = parsed.get("value")->as_table();
    if (parsed.size() != 1 || !table) return out.refuse(origin, std::string(key.name) + " is a table, such as {name = \"value\"}");
    Reader(nullptr, std::string(), origin, out).free_names(key, std::string(), *table);
  } catch (const toml::parse_error&) {
    out.refuse(origin, std::string(key.name) + " is a table, such as {name = \"value\"}");
  }
}

}  // namespace loggia::settings
