// Text: what came from outside becomes a value, what goes out is quoted.
#include "loggia/kernel/json.hpp"
#include "loggia/kernel/json_value.hpp"
#include "loggia/kernel/storable.hpp"

namespace loggia {
namespace {

constexpr std::size_t depth_max = 32;
constexpr std::size_t nodes_max = 10000, nodes_of_modules_max = 2000000;

/// Builds the value, and stops at what nlohmann 3.11.2 lets pass: deep nesting, duplicate keys, endless lists.
class Builder : public nlohmann::json_sax<json> {
 public:
  explicit Builder(std::size_t most) : most_{most} {}
  json root;
  std::string why;

  bool null() override { return put(json(nullptr)); }
  bool boolean(bool value) override { return put(json(value)); }
  bool number_integer(number_integer_t value) override { return put(json(value)); }
  bool number_unsigned(number_unsigned_t value) override { return put(json(value)); }
  bool number_float(number_float_t value, const string_t&) override { return put(json(value)); }
  bool string(string_t& value) override { return put(json(std::move(value))); }
  bool binary(binary_t&) override { return false; }
  bool start_object(std::size_t) override { return open(json::object()); }
  bool key(string_t& name) override {
    if (open_.back()->contains(name)) return refuse("a key stands twice in one object");
    key_ = std::move(name);
    return true;
  }
  bool end_object() override { return close(); }
  bool start_array(std::size_t) override { return open(json::array()); }
  bool end_array() override { return close(); }
  bool parse_error(std::size_t position, const std::string&, const nlohmann::detail::exception&) override {
    return refuse("does not parse as JSON, near byte " + std::to_string(position));
  }

 private:
  bool refuse(std::string reason) {
    if (why.empty()) why = std::move(reason);
    return false;
  }
  bool put(json&& value) { return add(std::move(value)) != nullptr; }
  json* add(json&& value) {
    if (++nodes_ > most_) return refuse("has more than " + std::to_string(most_) + " values"), nullptr;
    if (open_.empty()) {
      root = std::move(value);
      return &root;
    }
    auto& parent = *open_.back();
    if (parent.is_array()) return parent.push_back(std::move(value)), &parent.back();
    return &parent.get_ref<json::object_t&>().emplace(std::move(key_), std::move(value)).first->second;
  }
  bool open(json&& value) {
    if (open_.size() >= depth_max) return refuse("is nested deeper than 32");
    auto* place = add(std::move(value));
    if (place) open_.push_back(place);
    return place != nullptr;
  }
  bool close() {
    open_.pop_back();
    return true;
  }

  const std::size_t most_;
  std::vector<json*> open_;
  std::string key_;
  std::size_t nodes_ = 0;
};

/// The length of the well-formed UTF-8 sequence at `at` (RFC 3629), or 0.
std::size_t sequence_at(std::string_view text, std::size_t at) {
  const auto byte = [&](std::size_t offset) { return at + offset < text.size() ? static_cast<unsigned char>(text[at + offset]) : 0u; };
  const auto tail = [&](std::size_t offset) { return (byte(offset) & 0xC0u) == 0x80u; };
  const auto first = byte(0);
  if (first < 0x80) return 1;
  if (first >= 0xC2 && first <= 0xDF) return tail(1) ? 2 : 0;
  if (first >= 0xE0 && first <= 0xEF) {
    if (first == 0xE0 && byte(1) < 0xA0) return 0;
    if (first == 0xED && byte(1) > 0x9F) return 0;
    return tail(1) && tail(2) ? 3 : 0;
  }
  if (first >= 0xF0 && first <= 0xF4) {
    if (first == 0xF0 && byte(1) < 0x90) return 0;
    if (first == 0xF4 && byte(1) > 0x8F) return 0;
    return tail(1) && tail(2) && tail(3) ? 4 : 0;
  }
  return 0;
}

void append_escaped(std::string& out, unsigned char c) {
  constexpr char digits[] = "0123456789abcdef";
  switch (c) {
    case '"':
      out += "\\\"";
      break;
    case '\\':
      out += "\\\\";
      break;
    case '\n':
      out += "\\n";
      break;
    case '\r':
      out += "\\r";
      break;
    case '\t':
      out += "\\t";
      break;
    default:
      ((out += "\\u00") += digits[c >> 4]) += digits[c & 15];
  }
}

}  // namespace

namespace {

Result<json> parse(std::string_view text, std::size_t most) {
  Builder builder(most);
  // nlohmann takes a NUL for the end of the input.
  if (text.find('\0') != text.npos) return Error(Errc::malformed, "the input does not parse as JSON: it holds a NUL");
  // It skips a byte order mark; RFC 8259, 8.1, lets a reader do so or not, and what two could read differently is refused.
  if (text.starts_with("\xEF\xBB\xBF")) return Error(Errc::malformed, "the input does not parse as JSON: it begins with a byte order mark");
  if (!json::sax_parse(text.begin(), text.end(), &builder))
    return Error(Errc::malformed, "the input " + (builder.why.empty() ? "does not parse as JSON" : builder.why));
  return std::move(builder.root);
}

}  // namespace

Result<json> parse_untrusted(std::string_view text) { return parse(text, nodes_max); }
Result<json> parse_of_module(std::string_view text) { return parse(text, nodes_of_modules_max); }

void append_quoted(std::string& out, std::string_view text) {
  out += '"';
  std::size_t plain = 0;  // where the run of bytes that go out as they are began
  for (std::size_t at = 0; at < text.size();) {
    const auto c = static_cast<unsigned char>(text[at]);
    if (c >= 0x20 && c < 0x80 && c != '"' && c != '\\') {
      ++at;
      continue;
    }
    if (c >= 0x80) {
      if (const auto size = sequence_at(text, at)) {
        at += size;
        continue;
      }
    }
    out.append(text, plain, at - plain);
    if (c >= 0x80) out += "\xEF\xBF\xBD";
    else append_escaped(out, c);
    plain = ++at;
  }
  out.append(text, plain);
  out += '"';
}

bool storable(std::string_view text) {
  for (std::size_t at = 0, size = 0; at < text.size(); at += size)
    if (size = sequence_at(text, at); size == 0 || text[at] == '\0') return false;
  return true;
}

std::size_t count_code_points(std::string_view utf8) {
  std::size_t count = 0;
  for (const char c : utf8) count += (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  return count;
}

}  // namespace loggia
