#include "loggia/kernel/json.hpp"
#include <doctest/doctest.h>
#include "loggia/kernel/json_value.hpp"
#include "loggia/kernel/storable.hpp"
#include "support/print.hpp"

using namespace loggia;

namespace {
std::string nested(std::size_t depth, char open, char close) { return std::string(depth, open) + std::string(depth, close); }
std::string in_quotes(std::string_view text) {
  std::string out;
  append_quoted(out, text);
  return out;
}
std::string numbers(std::size_t count) {
  std::string out("[0");
  for (std::size_t at = 1; at < count; ++at) out += ",0";
  return out + ']';
}
}  // namespace

TEST_CASE("what does not parse as JSON is malformed, and so are the attacks that nlohmann 3.11.2 lets pass") {
  const std::pair<std::string, std::string> attacks[] = {
      {"nothing", ""},
      {"a hundred thousand brackets", std::string(100000, '[')},
      {"a hundred thousand lists, all closed", nested(100000, '[', ']')},
      {"33 levels", nested(33, '[', ']')},
      {"10,001 values", numbers(10000)},
      {"a key twice", R"({"a":1,"a":2})"},
      {"a key twice, deep down", R"({"x":[{"a":1,"b":2,"a":3}]})"},
      {"a key twice, once escaped", R"({"a":1,"\u0061":2})"},
      {"a number beyond a double", "1e309"},
      {"not a number", "NaN"},
      {"bytes that are no UTF-8", "\"\xff\""},
      {"an overlong slash", "\"\xc0\xaf\""},
      {"a surrogate in UTF-8", "\"\xed\xa0\x80\""},
      {"half a surrogate pair", R"("\ud800")"},
      {"a comma at the end", "[1,]"},
      {"a comment", "/* */ 1"},
      {"something behind", "{} {}"},
      {"a raw newline in a text", "\"a\nb\""},
      {"single quotes", "{'a':1}"},
      {"an open text", "\"abc"},
      {"a NUL", std::string("{}\0", 3)},
      {"a byte order mark", "\xEF\xBB\xBF{}"},
  };
  for (const auto& [what, text] : attacks) {
    CAPTURE(what);
    const auto parsed = parse_untrusted(text);
    REQUIRE_FALSE(parsed);
    CHECK(parsed.error().code == Errc::malformed);
    CHECK_FALSE(parsed.error().detail.empty());
  }
}

TEST_CASE("what is within the limits parses, up to the very limits") {
  CHECK(parse_untrusted(nested(32, '[', ']')));
  CHECK(parse_untrusted(numbers(9999)));
  CHECK(parse_untrusted(R"({"a":{"a":1},"b":{"a":2}})"));
  CHECK(parse_untrusted(" \t\r\n null ").value().is_null());
  const auto parsed = parse_untrusted(R"({"text":"\ud83d\ude00","list":[1,-2,3.5,true,null],"empty":{}})");
  REQUIRE(parsed);
  CHECK((*parsed)["text"] == "\xF0\x9F\x98\x80");
  CHECK((*parsed)["list"].dump() == "[1,-2,3.5,true,null]");
  CHECK((*parsed)["empty"].is_object());
}

TEST_CASE("a whole number is taken only where it is one, and fits") {
  struct Case {
    const char* text;
    std::int64_t min;
    std::uint64_t max;
    std::optional<std::int64_t> expected;
  };
  const Case cases[] = {
      {"0", 0, 10, 0},
      {"10", 0, 10, 10},
      {"11", 0, 10, std::nullopt},
      {"-1", 0, 10, std::nullopt},
      {"-1", -5, 10, -1},
      {"-6", -5, 10, std::nullopt},
      {"3.99", 0, 10, std::nullopt},
      {"3.0", 0, 10, std::nullopt},
      {"true", 0, 10, std::nullopt},
      {"\"1\"", 0, 10, std::nullopt},
      {"null", 0, 10, std::nullopt},
      {"18446744073709551615", INT64_MIN, UINT64_MAX, std::nullopt},
      {"18446744073709551616", INT64_MIN, UINT64_MAX, std::nullopt},
      {"9223372036854775807", INT64_MIN, INT64_MAX, INT64_MAX},
      {"-9223372036854775808", INT64_MIN, INT64_MAX, INT64_MIN},
      {"1e2", 0, 1000, std::nullopt},
  };
  for (const auto& one : cases) {
    CAPTURE(one.text);
    CHECK(checked_integer(parse_untrusted(one.text).value(), one.min, one.max) == one.expected);
  }
}

TEST_CASE("a text is quoted as RFC 8259 wants it, and comes back") {
  const std::pair<std::string, std::string> cases[] = {
      {"", R"("")"},
      {"plain", R"("plain")"},
      {"a \"b\" \\ c", R"("a \"b\" \\ c")"},
      {"line\nreturn\rtab\t", R"("line\nreturn\rtab\t")"},
      {std::string("\0\x1f", 2), R"("\u0000\u001f")"},
      {"\x7f/", "\"\x7f/\""},
      {"Grüße 😀", "\"Grüße 😀\""},
      {"a\xff"
       "b",
       "\"a\xEF\xBF\xBD"
       "b\""},
      {"cut \xf0\x9f\x98", "\"cut \xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\""},
      {"\xed\xa0\x80", "\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\""},
      {"\xf4\x90\x80\x80", "\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\""},
  };
  for (const auto& [text, expected] : cases) {
    CHECK(in_quotes(text) == expected);
    CHECK(parse_untrusted(expected));
  }
  std::string every;
  for (int c = 0; c < 128; ++c) every += static_cast<char>(c);
  CHECK(parse_untrusted(in_quotes(every)).value() == every);
}

TEST_CASE("code points are counted, not bytes") {
  CHECK(count_code_points("") == 0);
  CHECK(count_code_points("abc") == 3);
  CHECK(count_code_points("Grüße") == 5);
  CHECK(count_code_points("😀😀") == 2);
}

TEST_CASE("what a store takes is UTF-8 without U+0000") {
  using namespace std::string_view_literals;
  for (const auto text : {""sv, "abc"sv,
                          "Gr\xC3\xBC\xC3\x9F"
                          "e\n"sv,
                          "\xF0\x9F\x98\x80"sv, "\x7F"sv, "\xEF\xBF\xBF"sv})
    CHECK(storable(text));
  for (const auto text : {"\0"sv, "a\0b"sv, "\xFF"sv, "a\xC3"sv, "\xC0\xAF"sv, "\xED\xA0\x80"sv, "\xF4\x90\x80\x80"sv, "\x80"sv})
    CHECK_FALSE(storable(text));
}

TEST_CASE("a JSON pointer escapes what RFC 6901 reserves") {
  CHECK(pointer_to("", "a") == "/a");
  CHECK(pointer_to("/a", "0") == "/a/0");
  CHECK(pointer_to("", "a/b~c") == "/a~1b~0c");
  CHECK(pointer_to("", "") == "/");
}

TEST_CASE("a rule appears in the schema of its field, or of the items it is about") {
  const auto ruled = [](const char* schema, const Rule& rule) {
    auto out = json::parse(schema);
    apply_rule(out, rule);
    return out;
  };
  const char* text = R"({"type":"string"})";
  const char* list = R"({"type":"array","items":{"type":"string"}})";
  const char* map = R"({"type":"object","additionalProperties":{"type":"integer"}})";
  CHECK(ruled(text, length("x", 1, 64)) == json::parse(R"({"type":"string","minLength":1,"maxLength":64})"));
  CHECK(ruled(text, printable("x", 1, 64)) == json::parse(R"({"type":"string","minLength":1,"maxLength":64,"pattern":"^[ -~]*$"})"));
  CHECK(ruled(text, one_of("x", "open|closed")) == json::parse(R"({"type":"string","enum":["open","closed"]})"));
  CHECK(ruled(R"({"type":"integer"})", range("x", 1, 200)) == json::parse(R"({"type":"integer","minimum":1,"maximum":200})"));
  CHECK(ruled(R"({"type":"integer"})", range("x", 1, INT64_MAX)) == json::parse(R"({"type":"integer","minimum":1})"));
  CHECK(ruled(list, items("x", 1, 10)) == json::parse(R"({"type":"array","items":{"type":"string"},"minItems":1,"maxItems":10})"));
  CHECK(ruled(list, length("x", 1, 5)) == json::parse(R"({"type":"array","items":{"type":"string","minLength":1,"maxLength":5}})"));
  CHECK(ruled(map, items("x", 0, 3))["maxProperties"] == 3);
  CHECK(ruled(map, range("x", 0, 9))["additionalProperties"]["maximum"] == 9);
}

TEST_CASE("every error travels as a status and a code, and comes back as what it was") {
  for (int at = 0; at <= static_cast<int>(Errc::insufficient_storage); ++at) {
    const auto kind = static_cast<Errc>(at);
    const auto [status, code] = fault(kind);
    CHECK(errc_of(status, code) == kind);
  }
  CHECK(errc_of(418, "teapot") == Errc::internal);
  const auto error = wrong_field("/text", "has 1 to 8000 characters");
  CHECK(error.code == Errc::invalid_request);
  REQUIRE(error.fields.size() == 1);
  CHECK(error.fields[0].pointer == "/text");
}

TEST_CASE("an error that is taken for a value is thrown") {
  const Result<int> failed = Error(Errc::conflict, "twice");
  CHECK_THROWS_AS(static_cast<void>(failed.value()), std::runtime_error);
}
