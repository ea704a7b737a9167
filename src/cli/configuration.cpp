#include <algorithm>
#include <iostream>
#include "cli/commands.hpp"
#include "loggia/kernel/process.hpp"

extern char** environ;

namespace loggia::cli {

std::map<std::string, std::string> our_environment() {
  std::map<std::string, std::string> out;
  for (char** entry = environ; *entry; ++entry) {
    const std::string_view text(*entry);
    const auto at = text.find('=');
    if (text.starts_with("LOGGIA_") && at != text.npos) out.emplace(text.substr(0, at), text.substr(at + 1));
  }
  return out;
}

void print_mistakes(const std::vector<FieldError>& wrong) {
  for (const auto& mistake : wrong) std::cerr << "loggia: " << mistake.pointer << ": " << mistake.detail << '\n';
}

std::optional<Config> Shell::config(bool whole) const {
  Config::Source source;
  source.keys = all_keys(modules);
  if (arguments.config) source.file = *arguments.config;
  source.usual_files = {"config/loggia.toml", "/etc/loggia/loggia.toml"};
  source.environment = our_environment();
  source.flags = arguments.flags;
  auto loaded = Config::load(source);
  if (!loaded) {
    const auto& error = loaded.error();
    print_mistakes(error.fields);
    if (error.fields.empty()) std::cerr << "loggia: " << error.detail << '\n';
    return std::nullopt;
  }
  for (const auto& warning : loaded->warnings()) std::cerr << "loggia: warning: " << warning << '\n';
  if (!whole) return *loaded;
  const auto wrong = check_process(*loaded, modules);
  print_mistakes(wrong);
  return wrong.empty() ? std::optional(*loaded) : std::nullopt;
}

int show_config(Shell& shell) {
  const auto config = shell.config(false);
  if (!config) return 2;
  const auto shown = config->shown();
  std::size_t key_width = 0, value_width = 0;
  for (const auto& line : shown) {
    key_width = std::max(key_width, line.key.size());
    value_width = std::max(value_width, std::min<std::size_t>(line.value.size(), 40));
  }
  const auto padded = [](std::string text, std::size_t width) {
    text.resize(std::max(text.size(), width), ' ');
    return text;
  };
  for (const auto& line : shown)
    std::cout << padded(line.key, key_width) << " = " << padded(line.value, value_width) << "  # " << line.origin << '\n';
  return 0;
}

int check_config(Shell& shell) {
  if (!shell.config(true)) return 2;
  std::cout << "the configuration is good\n";
  return 0;
}

}  // namespace loggia::cli
