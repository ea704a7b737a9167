// YAML 1.2 for people who read descriptions: block style; a text is bare only where no reader of YAML 1.1 or 1.2 can take it for
// anything else, otherwise quoted as in JSON, which YAML contains.
#include <algorithm>
#include <array>
#include "loggia/kernel/openapi.hpp"

namespace loggia {
namespace {

using nlohmann::json;

bool letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool harmless(char c) {
  return letter(c) || (c >= '0' && c <= '9') || c == ' ' || c == '_' || c == '-' || c == '.' || c == '/' || c == '(' || c == ')';
}

bool bare(std::string_view text) {
  static constexpr std::array<std::string_view, 9> words{"true", "false", "null", "yes", "no", "on", "off", "y", "n"};
  if (text.empty() || text.size() > 120 || !letter(text.front()) || text.back() == ' ' || !std::all_of(text.begin(), text.end(), harmless))
    return false;
  std::string low(text);
  std::transform(low.begin(), low.end(), low.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return std::find(words.begin(), words.end(), low) == words.end();
}

std::string scalar(const json& value) {
  if (value.is_string() && bare(value.get_ref<const std::string&>())) return value.get<std::string>();
  return value.dump(-1, ' ', false, json::error_handler_t::replace);
}

bool empty_or_scalar(const json& value) { return !value.is_structured() || value.empty(); }

void write(std::string& out, const json& value, std::size_t indent);

/// Behind `key:`: a scalar in the line, what has parts below it.
void write_below(std::string& out, const json& value, std::size_t indent) {
  if (empty_or_scalar(value)) {
    (out += ' ') += scalar(value);
    out += '\n';
    return;
  }
  out += '\n';
  write(out, value, indent);
}

void write_object(std::string& out, const json& value, std::size_t indent, bool begun) {
  for (const auto& [name, item] : value.items()) {
    if (!begun) out.append(indent, ' ');
    begun = false;
    (out += scalar(json(name))) += ':';
    write_below(out, item, indent + 2);
  }
}

void write(std::string& out, const json& value, std::size_t indent) {
  if (value.is_object()) return write_object(out, value, indent, false);
  for (const auto& item : value) {
    out.append(indent, ' ') += '-';
    if (item.is_object() && !item.empty()) {
      out += ' ';
      write_object(out, item, indent + 2, true);
    } else {
      write_below(out, item, indent + 2);
    }
  }
}

}  // namespace

std::string to_yaml(const json& document) {
  if (empty_or_scalar(document)) return scalar(document) + '\n';
  std::string out;
  write(out, document, 0);
  return out;
}

}  // namespace loggia
