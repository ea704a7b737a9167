// Reading the tree: sources without comments and texts, and what modules declare.
#include <algorithm>
#include <cctype>
#include <fstream>
#include <regex>
#include <sstream>
#include "architecture/rules.hpp"

namespace loggia::architecture {
namespace fs = std::filesystem;

namespace {

std::string content_of(const fs::path& file) {
  std::stringstream text;
  text << std::ifstream(file, std::ios::binary).rdbuf();
  return text.str();
}

void blank(std::string& text, std::size_t from, std::size_t to) {
  for (auto at = from; at < std::min(to, text.size()); ++at)
    if (text[at] != '\n') text[at] = ' ';
}

/// The end of the text or character that begins at `at`, behind its closing quote.
std::size_t end_of_quoted(const std::string& text, std::size_t at) {
  const char quote = text[at++];
  while (at < text.size() && text[at] != quote && text[at] != '\n') at += text[at] == '\\' ? 2 : 1;
  return std::min(at + 1, text.size());
}

bool word(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; }

}  // namespace

std::size_t line_of(const std::string& text, std::size_t at) {
  return 1 + static_cast<std::size_t>(std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(std::min(at, text.size())), '\n'));
}

std::string code_of(const std::string& text) {
  std::string out = text;
  for (std::size_t at = 0; at < text.size();) {
    if (text.compare(at, 2, "//") == 0) {
      const auto end = std::min(text.find('\n', at), text.size());
      blank(out, at, end);
      at = end;
    } else if (text.compare(at, 2, "/*") == 0) {
      const auto end = std::min(text.find("*/", at + 2), text.size());
      blank(out, at, end + 2);
      at = end + 2;
    } else if (text.compare(at, 2, "R\"") == 0 && (at == 0 || !word(text[at - 1]))) {
      const auto open = text.find('(', at);
      if (open == text.npos) return out;
      const auto close = ')' + text.substr(at + 2, open - at - 2) + '"';
      const auto end = std::min(text.find(close, open), text.size());
      blank(out, open + 1, end);
      at = end + close.size();
    } else if (text[at] == '"' || (text[at] == '\'' && (at == 0 || !word(text[at - 1])))) {
      const auto end = end_of_quoted(text, at);
      blank(out, at + 1, end - 1);
      at = end;
    } else {
      ++at;
    }
  }
  return out;
}

Tree read_tree(const fs::path& root) {
  Tree tree;
  tree.root = root;
  for (const char* folder : {"include", "modules", "src"}) {
    if (!fs::exists(root / folder)) continue;
    for (const auto& entry : fs::recursive_directory_iterator(root / folder)) {
      if (entry.path().extension() != ".hpp" && entry.path().extension() != ".cpp") continue;
      Source source;
      source.path = fs::relative(entry.path(), root).generic_string();
      source.text = content_of(entry.path());
      source.code = code_of(source.text);
      tree.sources.push_back(std::move(source));
    }
  }
  std::sort(tree.sources.begin(), tree.sources.end(), [](const Source& a, const Source& b) { return a.path < b.path; });
  return tree;
}

std::map<std::string, Declaration> declarations(const fs::path& root) {
  std::map<std::string, Declaration> out;
  if (!fs::exists(root / "modules")) return out;
  static const std::regex call(R"(loggia_module\s*\(\s*(\w+)([^)]*)\))");
  for (const auto& folder : fs::directory_iterator(root / "modules")) {
    const auto text = std::regex_replace(content_of(folder.path() / "CMakeLists.txt"), std::regex("#[^\n]*"), "");
    std::smatch found;
    if (!std::regex_search(text, found, call)) continue;
    auto& declared = out[found[1]];
    declared.line = line_of(text, static_cast<std::size_t>(found.position()));
    std::istringstream words(found[2]);
    std::string word, part;
    while (words >> word) {
      if (word == "NEEDS" || word == "HEARS" || word == "LINKS") part = word;
      else if (part == "NEEDS") declared.needs.insert(word);
      else if (part == "HEARS") declared.hears.insert(word);
    }
  }
  return out;
}

}  // namespace loggia::architecture
