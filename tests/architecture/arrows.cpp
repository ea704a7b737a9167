// Who may include whom.
#include <algorithm>
#include <regex>
#include "architecture/rules.hpp"

namespace loggia::architecture {
namespace {

using Names = std::set<std::string>;

/// The directions of design.md, as a person would read them. They stand in the modules' CMakeLists.txt too; a module that is not in
/// here is a further one, whose own declaration counts.
struct Arrows {
  Names needs, hears;
};
const std::map<std::string, Arrows>& table() {
  static const std::map<std::string, Arrows> arrows{
      {"auth", Arrows{Names{"user"}, Names{}}},
      {"user", Arrows{Names{}, Names{"auth", "realtime"}}},
      {"chat", Arrows{Names{"user"}, Names{"auth"}}},
      {"realtime", Arrows{Names{"auth", "chat", "user"}, Names{"auth", "chat", "user", "notification"}}},
      {"notification", Arrows{Names{"auth", "chat", "user"}, Names{"auth", "chat", "user", "realtime"}}},
      {"gateway", Arrows{Names{"auth", "chat", "user", "realtime", "notification"}, Names{}}},
  };
  return arrows;
}

std::string joined(const Names& names) {
  std::string out;
  for (const auto& name : names) (out += out.empty() ? "" : " ") += name;
  return out.empty() ? "nothing" : out;
}

void add(Findings& out, std::string path, std::size_t line, std::string what, std::string remedy) {
  Finding finding;
  finding.path = std::move(path);
  finding.line = line;
  finding.what = std::move(what);
  finding.remedy = std::move(remedy);
  out.push_back(std::move(finding));
}

/// `loggia/PART/FILE` for every include that is one; ids.hpp is nobody's.
struct Include {
  std::string part, file;
  std::size_t line;
};
std::vector<Include> includes_of(const Source& source) {
  static const std::regex include(R"re(#\s*include\s+["<]loggia/(\w+)(?:/(\w+))?)re");
  std::vector<Include> out;
  for (std::sregex_iterator found(source.text.begin(), source.text.end(), include), end; found != end; ++found) {
    const auto at = static_cast<std::size_t>(found->position());
    if (source.code[at] != '#') continue;  // a comment
    Include one;
    one.part = (*found)[1];
    one.file = (*found)[2];
    one.line = line_of(source.text, at);
    out.push_back(std::move(one));
  }
  return out;
}

std::string module_of(const std::string& path) {
  static const std::regex place(R"(^modules/(\w+)/)");
  std::smatch found;
  return std::regex_search(path, found, place) ? found[1].str() : std::string();
}

}  // namespace

Findings undeclared_contracts(const Tree& tree) {
  Findings out;
  const auto declared = declarations(tree.root);
  for (const auto& source : tree.sources) {
    const auto module = module_of(source.path);
    if (module.empty()) continue;
    const auto found = declared.find(module);
    const Declaration own = found == declared.end() ? Declaration() : found->second;
    for (const auto& include : includes_of(source)) {
      if (include.file.empty() || include.part == "kernel" || include.part == module || own.needs.contains(include.part)) continue;
      if (include.file == "events" && own.hears.contains(include.part)) continue;
      const std::string arrow = include.file == "events" ? "HEARS" : "NEEDS";
      add(out, source.path, include.line, module + " has not declared that it " + (include.file == "events" ? "hears " : "needs ") + include.part,
          "add " + include.part + " to " + arrow + " in modules/" + module + "/CMakeLists.txt, or do without");
    }
  }
  return out;
}

Findings modules_in_the_kernel(const Tree& tree) {
  Findings out;
  Names modules;
  for (const auto& [name, arrows] : table()) modules.insert(name);
  for (const auto& [name, declared] : declarations(tree.root)) modules.insert(name);
  std::string any;
  for (const auto& name : modules) (any += any.empty() ? "" : "|") += name;
  const std::regex qualified("\\bloggia::(" + any + ")\\b");
  for (const auto& source : tree.sources) {
    if (!source.path.starts_with("src/kernel/") && !source.path.starts_with("include/loggia/kernel/")) continue;
    for (const auto& include : includes_of(source))
      if (include.part != "kernel")
        add(out, source.path, include.line, "the kernel knows no module, and this names " + include.part,
            "hand in what it needs: a function, a key, a row of ModuleDescriptor");
    for (std::sregex_iterator found(source.code.begin(), source.code.end(), qualified), end; found != end; ++found)
      add(out, source.path, line_of(source.code, static_cast<std::size_t>(found->position())),
          "the kernel knows no module, and this names " + (*found)[1].str(), "hand in what it needs: a function, a key, a row of ModuleDescriptor");
  }
  return out;
}

Findings heavy_contracts(const Tree& tree) {
  Findings out;
  static const std::regex place(R"(^include/loggia/(\w+)(?:/(\w+))?\.hpp$)");
  for (const auto& source : tree.sources) {
    std::smatch own;
    if (!std::regex_search(source.path, own, place) || own[1] == "kernel") continue;
    const bool events = own[2] == "events";
    for (const auto& include : includes_of(source)) {
      const bool ids = include.part == "ids" && include.file.empty();
      if (include.part == "kernel" || ids || (include.part == own[1] && !events)) continue;
      add(out, source.path, include.line,
          std::string(events ? "events know" : "a contract knows") + " the kernel and ids.hpp alone, and this includes " + include.part,
          "name the other's things by their ids of loggia/ids.hpp");
    }
  }
  return out;
}

Findings other_arrows(const Tree& tree) {
  Findings out;
  for (const auto& [name, declared] : declarations(tree.root)) {
    const auto found = table().find(name);
    if (found == table().end()) continue;
    const auto path = "modules/" + name + "/CMakeLists.txt";
    const auto& right = found->second;
    // An arrow of the design may be missing, none may be added.
    for (const auto& needed : declared.needs)
      if (!right.needs.contains(needed))
        add(out, path, declared.line, name + " NEEDS " + needed + ", but in the design " + joined(right.needs),
            "change the one or, with a reason in design.md, the table of tests/architecture/arrows.cpp");
    // Whom one needs one hears as well, so hearing may go without saying.
    for (const auto& heard : declared.hears)
      if (!right.hears.contains(heard) && !right.needs.contains(heard))
        add(out, path, declared.line, name + " HEARS " + heard + ", but in the design " + joined(right.hears),
            "change the one or, with a reason in design.md, the table of tests/architecture/arrows.cpp");
  }
  return out;
}

Findings circles(const Tree& tree) {
  const auto declared = declarations(tree.root);
  Names settled;
  for (auto before = settled.size() + 1; before != settled.size();) {
    before = settled.size();
    for (const auto& [name, module] : declared) {
      const bool all = std::all_of(module.needs.begin(), module.needs.end(),
                                   [&](const std::string& other) { return settled.contains(other) || !declared.contains(other); });
      if (all) settled.insert(name);
    }
  }
  Findings out;
  for (const auto& [name, module] : declared)
    if (!settled.contains(name))
      add(out, "modules/" + name + "/CMakeLists.txt", module.line, name + " is in, or needs, a circle of needs",
          "let one of them hear the other's events instead");
  return out;
}

Findings check(const Tree& tree) {
  Findings out;
  for (const auto rule :
       {&undeclared_contracts, &modules_in_the_kernel, &heavy_contracts, &other_arrows, &circles, &banned_words, &braced_awaits, &long_files})
    for (auto& finding : rule(tree)) out.push_back(std::move(finding));
  return out;
}

}  // namespace loggia::architecture
