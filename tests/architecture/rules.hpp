#pragma once
// The rules of the tree over any root, so that a test can plant what they forbid and see that it is found.
#include <cstddef>
#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace loggia::architecture {

/// What is wrong, where, and what to do instead.
struct Finding {
  std::string path;
  std::size_t line = 1;
  std::string what, remedy;
  std::string text() const { return path + ":" + std::to_string(line) + ": " + what + "; " + remedy; }
};
using Findings = std::vector<Finding>;

/// A source of include/, modules/ or src/, its path relative to the root. In `code` comments and the insides of texts are blanks, at
/// the same places.
struct Source {
  std::string path, text, code;
};
struct Tree {
  std::filesystem::path root;
  std::vector<Source> sources;
};
Tree read_tree(const std::filesystem::path& root);

/// What a module says of itself in `loggia_module(NAME NEEDS … HEARS …)`.
struct Declaration {
  std::set<std::string> needs, hears;
  std::size_t line = 1;
};
std::map<std::string, Declaration> declarations(const std::filesystem::path& root);

Findings undeclared_contracts(const Tree& tree);
Findings modules_in_the_kernel(const Tree& tree);
Findings heavy_contracts(const Tree& tree);
Findings other_arrows(const Tree& tree);  // than those of the table
Findings circles(const Tree& tree);
Findings banned_words(const Tree& tree);
Findings braced_awaits(const Tree& tree);
Findings long_files(const Tree& tree);

/// All of them.
Findings check(const Tree& tree);

std::size_t line_of(const std::string& text, std::size_t at);
/// `text` with blanks for comments, and for what is inside of texts and characters.
std::string code_of(const std::string& text);

}  // namespace loggia::architecture
