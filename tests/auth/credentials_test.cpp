#include "credentials.hpp"
#include <doctest/doctest.h>

using namespace loggia::auth;

TEST_CASE("a username has 2 to 32 of a-z A-Z 0-9 _ - . and begins with a letter or digit") {
  for (const char* good : {"ab", "A1", "0x", "ada.lovelace", "a_-.", "abcdefghijklmnopqrstuvwxyz012345"}) CHECK_FALSE(wrong_username(good));
  for (const char* bad : {"", "a", "-ab", ".ab", "_ab", "a b", "a@b", "abcdefghijklmnopqrstuvwxyz0123456", "\xC5\xBC\xC3\xB3\xC5\x82w", "ab\n"}) {
    CAPTURE(bad);
    CHECK(wrong_username(bad));
  }
}

TEST_CASE("reserved words are no usernames, in whatever case") {
  for (const char* word : {"room", "all", "here", "everyone", "me", "admin", "system", "Admin", "EVERYONE"}) CHECK(wrong_username(word));
  CHECK_FALSE(wrong_username("admins"));
}

TEST_CASE("a password has 10 to 256 characters, which are code points") {
  CHECK(wrong_password("123456789"));
  CHECK_FALSE(wrong_password("1234567890"));
  CHECK_FALSE(wrong_password(std::string(256, 'x')));
  CHECK(wrong_password(std::string(257, 'x')));
  std::string owls;
  for (int count = 0; count < 10; ++count) owls += "\xF0\x9F\xA6\x89";
  CHECK_FALSE(wrong_password(owls));
  CHECK(wrong_password(owls.substr(4)));
}

TEST_CASE("a mail address has one @ between two parts and nothing that breaks a header") {
  CHECK_FALSE(wrong_email("ada@example.org"));
  for (const char* bad : {"ada", "@example.org", "ada@", "a@b@c", "a b@c", "a@b\r\nBcc: x@y", "<a@b>", "a@b,c@d"}) {
    CAPTURE(bad);
    CHECK(wrong_email(bad));
  }
}

TEST_CASE("roles are admin, member, guest and bot, each once, in this order") {
  CHECK(join_roles({"member", "admin", "member"}) == "admin,member");
  CHECK(split_roles("admin,,member") == std::vector<std::string>{"admin", "member"});
  CHECK(split_roles("").empty());
  CHECK(wrong_roles({}));
  CHECK(wrong_roles({"member", "king"}));
  CHECK_FALSE(wrong_roles({"bot"}));
  CHECK(loses_role({"admin", "member"}, {"member"}));
  CHECK_FALSE(loses_role({"member"}, {"admin", "member"}));
}
