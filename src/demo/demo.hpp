#pragma once
// `loggia serve --demo`: sample people, rooms and messages in a directory of its own, with random passwords at each start.
#include <filesystem>
#include <string>
#include <utility>
#include <vector>
#include "loggia/kernel/module.hpp"

namespace loggia::demo {

/// The demo's data directory; a temporary one goes when this goes.
class Directory {
 public:
  Directory(std::filesystem::path path, bool temporary) : path_{std::move(path)}, temporary_{temporary} {}
  Directory(Directory&& other) noexcept : path_{std::move(other.path_)}, temporary_{std::exchange(other.temporary_, false)} {}
  ~Directory();

 private:
  std::filesystem::path path_;
  bool temporary_;
};

/// Uses the directory of `storage.dir` in the flags if it is empty, missing or a demo's; refuses any other; makes a temporary one where
/// none is given, and adds it to the flags. Listens on loopback unless the flags say otherwise.
Result<Directory> prepare(std::vector<std::pair<std::string, std::string>>& flags);

struct Login {
  std::string username, password;
};
/// Fills what is empty and gives everybody new passwords. Two people to sign in as. Not from a shard.
Result<std::vector<Login>> furnish(Kernel& kernel);

/// What the person at the shell reads: the address and the logins.
std::string greeting(const Kernel& kernel, const std::vector<Login>& people);

}  // namespace loggia::demo
