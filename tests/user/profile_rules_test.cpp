#include "profile_rules.hpp"
#include <doctest/doctest.h>
#include "support/print.hpp"

using namespace loggia;
using namespace loggia::user;

TEST_CASE("a display name has 1 to 64 code points after normalisation, without blanks at its ends") {
  CHECK(normalised_display_name("Ada \xC5\x81ukasiewicz \xF0\x9F\xA6\x89").value() == "Ada \xC5\x81ukasiewicz \xF0\x9F\xA6\x89");
  CHECK(normalised_display_name("  Ada\xC2\xA0 ").value() == "Ada");
  CHECK(normalised_display_name("e\xCC\x81").value() == "\xC3\xA9");
  CHECK(normalised_display_name(std::string(64, 'x')));
  CHECK_FALSE(normalised_display_name(std::string(65, 'x')));
  CHECK_FALSE(normalised_display_name(""));
  CHECK_FALSE(normalised_display_name("  \xE2\x80\x83 "));
  CHECK_FALSE(normalised_display_name("\xC3"));
}

TEST_CASE("a display name holds no control and no direction characters") {
  for (const char* bad : {"a\nb", "a\tb", "a\x7F",
                          "a\xC2\x85"
                          "b",
                          "a\xE2\x80\xAE"
                          "b",
                          "a\xE2\x80\xAA"
                          "b",
                          "a\xE2\x81\xA6"
                          "b",
                          "a\xE2\x81\xA9"
                          "b",
                          "a\xE2\x80\x8E"
                          "b",
                          "a\xE2\x80\x8F"
                          "b",
                          "a\xD8\x9C"
                          "b",
                          "a\xE2\x80\xA8"
                          "b"}) {
    CAPTURE(bad);
    CHECK_FALSE(normalised_display_name(bad));
  }
  CHECK_FALSE(normalised_display_name(std::string("a\0b", 3)));
}

TEST_CASE("a bio has lines and tabs, and no other control characters") {
  CHECK(normalised_lines("one\n\ttwo\n", 20, "/bio").value() == "one\n\ttwo\n");
  CHECK(normalised_lines("", 20, "/bio").value().empty());
  CHECK_FALSE(normalised_lines("a\rb", 20, "/bio"));
  CHECK_FALSE(normalised_lines("a\x1B[31m", 20, "/bio"));
  CHECK_FALSE(normalised_lines(std::string(21, 'x'), 20, "/bio"));
}

TEST_CASE("folded texts are equal without regard to case, width and composition") {
  CHECK(folded("ADA") == "ada");
  CHECK(folded("STRASSE") == folded("stra\xC3\x9F"
                                    "e"));
  CHECK(folded("\xEF\xBC\xA1") == "a");  // fullwidth A
  CHECK(folded("E\xCC\x81") == folded("\xC3\xA9"));
}

TEST_CASE("a locale has the shape of a language tag") {
  for (const char* good : {"en", "de-AT", "pt-BR", "zh-Hans-CN", "sr-Latn", "de-1996", "x-y"}) {
    CAPTURE(good);
    CHECK(is_locale(good) == (std::string(good) != "x-y"));
  }
  for (const char* bad : {"", "e", "1n", "en-", "-en", "en--US", "en_US", "englishlang", "en US", "en-\xC3\xA9"}) {
    CAPTURE(bad);
    CHECK_FALSE(is_locale(bad));
  }
}

TEST_CASE("a time zone is a name that the database has, links too") {
  const auto zones = TimeZones::parse(
      "# version 1\nR d 1916 o - Jun 14 23s 1 S\nZ Europe/Berlin 0:53:28 - LMT\n0:53 E CE%sT\nL Europe/Berlin "
      "Europe/Oslo\n");
  CHECK(zones.known("Europe/Berlin"));
  CHECK(zones.known("Europe/Oslo"));
  CHECK(zones.known("UTC"));
  for (const char* bad : {"", "Europe/Atlantis", "europe/berlin", "../../etc/passwd", "CET-1", "d"}) CHECK_FALSE(zones.known(bad));
}

TEST_CASE("without a database every name of the right shape is a time zone") {
  const auto zones = TimeZones::parse("");
  CHECK(zones.known("America/Argentina/Buenos_Aires"));
  CHECK(zones.known("Etc/GMT+3"));
  for (const char* bad : {"", "/etc/passwd", "a b", "a;b", "..", "\xC3\xA9"}) CHECK_FALSE(zones.known(bad));
}
