#include "message_text.hpp"
#include "support/print.hpp"

using namespace loggia;
using namespace loggia::chat;

namespace {

std::string times(std::string_view text, std::size_t count) {
  std::string out;
  for (std::size_t at = 0; at < count; ++at) out += text;
  return out;
}
/// The longest reading of each mention.
std::string meant(std::string_view text) {
  const auto found = find_mentions(text);
  std::string out;
  for (const auto& names : found.names) out += (out.empty() ? "" : " ") + names.front();
  return out + (found.room ? " +room" : "");
}

}  // namespace

TEST_CASE("a text has 1 to 8000 code points after normalisation") {
  CHECK(normalised_text(times("x", 8000)));
  CHECK(normalised_text(times("🦉", 8000)));
  CHECK(normalised_text(times("a\u0301", 8000)));
  CHECK_FALSE(normalised_text(times("x", 8001)));
  CHECK_FALSE(normalised_text(times("🦉", 8001)));
  CHECK_FALSE(normalised_text(""));
}

TEST_CASE("a text is kept as NFC") {
  CHECK(normalised_text("a\u0301").value() == "\u00e1");
  CHECK(normalised_text("tab\tand\nline").value() == "tab\tand\nline");
}

TEST_CASE("a text has no control characters but line feed and tab, and is Unicode") {
  for (const std::string_view bad :
       {std::string_view("a\0b", 3), std::string_view("a\u0007b"), std::string_view("a\rb"), std::string_view("a\u007Fb"),
        std::string_view("a\u0085b"), std::string_view("\xff\xfe"), std::string_view("\xED\xA0\x80")}) {
    const auto refused = normalised_text(bad);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == Errc::invalid_request);
    CHECK(refused.error().fields.at(0).pointer == "/text");
  }
}

TEST_CASE("a name is one line without characters that hide or turn it") {
  CHECK(normalised_line("Pläne 🦉", 1, 100, "/name").value() == "Pläne 🦉");
  for (const char* bad : {"", "   ", "a\nb", "a\u202eb", "a\u2066b"}) CHECK_FALSE(normalised_line(bad, 1, 100, "/name"));
  CHECK_FALSE(normalised_line(times("x", 101), 1, 100, "/name"));
  CHECK(normalised_line("", 0, 500, "/topic").value().empty());
}

TEST_CASE("a mention is @username, without regard to case, where a word begins") {
  CHECK(meant("hi @Ada!") == "ada");
  CHECK(meant("@ada @bob, @ada") == "ada bob");
  CHECK(meant("(@ada)") == "ada");
  CHECK(meant("mail@ada.example") == "");
  CHECK(meant("é@ada") == "");
  CHECK(meant("@adaé") == "");
  CHECK(meant("@ ada @@ @-ada @a") == "");
  CHECK(meant("@" + times("a", 32)) == times("a", 32));
  CHECK(meant("@" + times("a", 33)) == "");
}

TEST_CASE("what ends a sentence may belong to a name or not") {
  const auto found = find_mentions("ask @ada.");
  REQUIRE(found.names.size() == 1);
  CHECK(found.names[0] == std::vector<std::string>{"ada.", "ada"});
  CHECK(find_mentions("@ada........").names.at(0).back() == "ada");
}

TEST_CASE("@room means everybody") {
  CHECK(meant("@room look") == " +room");
  CHECK(meant("@Room.") == " +room");
  CHECK(meant("@rooms") == "rooms");
  CHECK(meant("`@room`") == "");
}

TEST_CASE("what is in code mentions nobody") {
  CHECK(meant("`@ada` @bob") == "bob");
  CHECK(meant("``a ` @ada`` @bob") == "bob");
  CHECK(meant("`@ada @bob") == "ada bob");
  CHECK(meant("\\`@ada\\` @bob") == "ada bob");
  CHECK(meant("```\n@ada\n```\n@bob") == "bob");
  CHECK(meant("~~~~ c++\n@ada\n~~~\n@cid\n~~~~\n@bob") == "bob");
  CHECK(meant("x\n   ```\n@ada") == "");
  CHECK(meant("```not a fence``` @bob") == "bob");
  CHECK(meant("    ```\n@ada\n    ```") == "");
  CHECK(meant("a ` b\n\n```\n@cid\n```\n@bob `") == "bob");
}

TEST_CASE("looking for mentions takes no longer for a hostile text") {
  CHECK(meant(times("`", 8000)) == "");
  std::string runs;
  for (std::size_t length = 1; length < 120; ++length) runs += times("`", length) + " ";
  CHECK(meant(runs + "@ada") == "ada");
  CHECK(find_mentions(times("@ab ", 2000)).names.size() == 1);
}

TEST_CASE("an emoji is one grapheme cluster of at most 64 bytes") {
  for (const char* good : {"👍", "👍🏽", "❤️", "❤", "🇵🇱", "👨‍👩‍👧‍👦", "🏴󠁧󠁢󠁥󠁮󠁧󠁿", "1️⃣", "🦉"})
    CHECK(normalised_emoji(good).value() == good);
  for (const char* bad : {"", "👍👍", "not an emoji", "\n", " ", "\uFE0F", "\xff"}) CHECK_FALSE(normalised_emoji(bad));
  CHECK_FALSE(normalised_emoji("not an emoji but a text that is much too long to be one, really"));
  CHECK_FALSE(normalised_emoji("a" + times("\u0301", 40)));
}

TEST_CASE("emoji are compared without U+FE0F") {
  CHECK(folded_emoji("❤️") == folded_emoji("❤"));
  CHECK(folded_emoji("👍") != folded_emoji("👎"));
}

TEST_CASE("names are found without regard to case and accents") {
  CHECK(folded("Żółw") == folded("zołw"));
  CHECK(folded("PLANS") == "plans");
  CHECK(folded("Ünï") == "uni");
}
