#include "lifecycle/joining.hpp"
#include <algorithm>
#include <charconv>
#include <map>
#include <set>
#include "loggia/kernel/json_value.hpp"

namespace loggia {
namespace {

using json = nlohmann::json;

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> out;
  for (std::size_t at = 0; at < text.size();) {
    const auto end = std::min(text.find('\n', at), text.size());
    if (end > at) out.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return out;
}

/// The first words of a line, which say what the rest of it is about.
std::string subject_of(const std::string& line, int words) {
  std::string out;
  std::size_t at = 0;
  while (words-- > 0 && at < line.size()) {
    const auto end = std::min(line.find(' ', at), line.size());
    out += line.substr(at, end - at) + ' ';
    at = std::min(line.find_first_not_of(' ', end), line.size());
  }
  return out;
}

/// The head is a line like the others: it is there once, and first.
std::string table_of(const std::vector<std::string>& texts, int words) {
  std::set<std::string> seen;
  std::string out;
  for (const auto& text : texts)
    for (const auto& line : lines_of(text))
      if (seen.insert(subject_of(line, words)).second) out += line + '\n';
  return out;
}

/// MODULE ADDRESS …, and "-" for the address of a module of which nothing is known.
std::string instances_of(const std::vector<std::string>& texts) {
  std::vector<std::string> modules;
  std::map<std::string, std::vector<std::string>> lines;
  std::set<std::string> seen;
  for (const auto& text : texts)
    for (auto& line : lines_of(text)) {
      if (!seen.insert(subject_of(line, 2)).second) continue;
      auto module = subject_of(line, 1);
      if (!lines.contains(module)) modules.push_back(module);
      lines[module].push_back(std::move(line));
    }
  std::string out;
  for (const auto& module : modules) {
    const bool known = std::any_of(lines[module].begin(), lines[module].end(), [](const auto& line) { return !lacks_instances(line); });
    for (const auto& line : lines[module])
      if (!known || !lacks_instances(line)) out += line + '\n';
  }
  return out;
}

std::string newest_of(const std::vector<std::string>& texts, const std::vector<std::string>& arguments) {
  std::size_t count = 10;
  bool since = false;
  for (std::size_t at = 0; at < arguments.size(); ++at) {
    if (arguments[at] == "--from") since = true;
    if (arguments[at] == "--count" && at + 1 < arguments.size())
      std::from_chars(arguments[at + 1].data(), arguments[at + 1].data() + arguments[at + 1].size(), count);
  }
  struct Line {
    std::string time, text;
  };
  std::vector<Line> found;
  std::set<std::string> seen;
  for (const auto& text : texts)
    for (auto& line : lines_of(text)) {
      const auto event = json::parse(line, nullptr, false);
      if (!event.is_object() || !seen.insert(event.value("id", line)).second) continue;
      found.push_back({event.value("time", ""), std::move(line)});
    }
  std::stable_sort(found.begin(), found.end(), [](const auto& a, const auto& b) { return a.time < b.time; });
  std::string out;
  for (std::size_t at = since || found.size() <= count ? 0 : found.size() - count; at < found.size(); ++at) out += found[at].text + '\n';
  return out;
}

}  // namespace

Result<std::string> join_answers(const std::string& command, const std::vector<std::string>& arguments, std::vector<Result<std::string>> answers) {
  std::vector<std::string> texts;
  for (const auto& answer : answers)
    if (answer) texts.push_back(*answer);
  if (texts.empty()) {
    // "There is no such topic" is the least that can be said: others may know more.
    const auto telling = std::find_if(answers.begin(), answers.end(), [](const auto& one) { return one.error().code != Errc::not_found; });
    return telling == answers.end() ? answers.front() : *telling;
  }
  if (texts.size() == 1) return texts.front();
  if (command == "topics.list") return table_of(texts, 2);
  if (command == "topics.lag") return table_of(texts, 3);
  if (command == "topics.tail") return newest_of(texts, arguments);
  if (command == "instances") return instances_of(texts);
  return texts.front();
}

bool lacks_instances(const std::string& table) {
  const auto lines = lines_of(table);
  // Behind MODULE and ADDRESS. What is said at the end of a line may have the same words.
  return std::any_of(lines.begin(), lines.end(), [](const auto& line) { return subject_of(line, 4) == subject_of(line, 2) + "not known "; });
}

}  // namespace loggia
