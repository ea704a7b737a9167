#pragma once
// The words behind `loggia`, parsed.
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace loggia::cli {

struct Arguments {
  std::string command;  // "serve", "config show", "user add", …
  std::optional<std::string> config;
  std::vector<std::pair<std::string, std::string>> flags;  // key, value: of --set, --data, --listen, …
  bool demo = false, dry_run = false;
  std::string name;  // of user and topic commands; the file of export and import, the directory of certs
  std::vector<std::string> roles;
  std::string email;
  std::vector<std::string> rest;  // for topics: "--from", "7", …; for certs: NAME=a,b
};

/// Nothing where the words were unusable, or help was asked for: `exit_code` then, after it was printed.
std::optional<Arguments> parse_arguments(int count, char** words, int& exit_code);

}  // namespace loggia::cli
