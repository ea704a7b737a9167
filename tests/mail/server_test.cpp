#include <doctest/doctest.h>
#include "loggia/kernel/mail.hpp"
#include "support/print.hpp"

using namespace loggia;

namespace {

constexpr const char* sender = "Loggia <chat@example.org>";

std::string wrong(const std::string& url, const std::string& from = sender) {
  const auto server = smtp_server(url, from);
  return server ? "accepted" : server.error().fields.at(0).pointer + " " + server.error().fields.at(0).detail;
}

}  // namespace

TEST_CASE("smtp.url names scheme, login, host and port; what is left out is the usual") {
  const auto full = smtp_server("smtp://me%40example.org:a%3Ab%2Fc%25@mail.example.org:2525", sender).value();
  CHECK_FALSE(full.tls_from_start);
  CHECK(full.user == "me@example.org");
  CHECK(full.password == "a:b/c%");
  CHECK(full.host == "mail.example.org");
  CHECK(full.port == 2525);
  CHECK(full.sender_name == "Loggia");
  CHECK(full.sender == "chat@example.org");
  CHECK(full.sender_domain() == "example.org");
  const auto plain = smtp_server("smtp://127.0.0.1", "chat@example.org").value();
  CHECK(plain.port == 587);
  CHECK(plain.user.empty());
  CHECK(plain.sender_name.empty());
  const auto tls = smtp_server("smtps://u:p@[::1]/", "\"Größe\" <chat@example.org>").value();
  CHECK(tls.tls_from_start);
  CHECK(tls.host == "::1");
  CHECK(tls.port == 465);
  CHECK(tls.sender_name == "Größe");
  CHECK(smtp_server("smtp://me@example.org:word@mail", sender).value().user == "me@example.org");  // the last @ is meant
}

TEST_CASE("what is wrong is named by its key and never repeated") {
  CHECK(wrong("mail.example.org").starts_with("smtp.url begins with"));
  CHECK(wrong("http://mail.example.org").starts_with("smtp.url begins with"));
  for (const char* url :
       {"smtp://", "smtp://u:p@", "smtp://ho st", "smtp://.host", "smtp://host..org", "smtp://host/path", "smtp://[]", "smtp://[host]"}) {
    CAPTURE(url);
    CHECK(wrong(url).starts_with("smtp.url "));
  }
  for (const char* url : {"smtp://host:0", "smtp://host:65536", "smtp://host:x", "smtp://host:25x", "smtp://[::1]x25"}) {
    CAPTURE(url);
    CHECK(wrong(url).starts_with("smtp.url has "));
  }
  for (const char* url : {"smtp://canary@host", "smtp://canary:@host", "smtp://:canary@host", "smtp://u:canary%@host", "smtp://u:canary%0A@host",
                          "smtp://u:canary%4@host"}) {
    CAPTURE(url);
    CHECK(wrong(url).starts_with("smtp.url "));
    CHECK(wrong(url).find("canary") == std::string::npos);
  }
  CHECK(wrong("smtp://host", "").starts_with("smtp.from is missing"));
  for (const char* from : {"nobody", "Loggia <>", "Loggia <a@b> x", "Log\r\nBcc: x <a@b.org>", "a@b, c@d"}) {
    CAPTURE(from);
    CHECK(wrong("smtp://host", from).starts_with("smtp.from is no sender"));
  }
}

TEST_CASE("an address is one address and nothing beside") {
  for (const char* good : {"a@b", "ada.lovelace+chat@mail.example.org", "o'brien@example.org", "größe@exämple.org", "x=y@example.org"}) {
    CAPTURE(good);
    CHECK(is_mail_address(good));
  }
  for (const char* bad :
       {"",        "a",       "@",    "@b",   "a@",     "a@b@c", "a b@c", "a@b c", "a@b\r\nBcc: c@d", "<a@b>",         "a@b>", "a,b@c", "a;b@c",
        "\"a\"@b", "a@b,c@d", ".a@b", "a.@b", "a..b@c", "a@.b",  "a@b.",  "a@-b",  "a@b/c",           "a@[127.0.0.1]", "a\\@b"}) {
    CAPTURE(bad);
    CHECK_FALSE(is_mail_address(bad));
  }
  CHECK_FALSE(is_mail_address("a@" + std::string(260, 'b')));
  CHECK_FALSE(is_mail_address(std::string(65, 'a') + "@b"));
}

TEST_CASE("mail_mistakes says nothing where no mail is configured, and all that is wrong where it is") {
  const auto mistakes = [](std::vector<std::pair<std::string, std::string>> flags) {
    Config::Source source;
    for (const char* name : {"smtp.url", "smtp.from"}) {
      ConfigKey key;
      key.name = name;
      key.kind = ConfigKey::Kind::text;
      source.keys.push_back(key);
    }
    source.flags = std::move(flags);
    return mail_mistakes(Config::load(source).value());
  };
  CHECK(mistakes({}).empty());
  CHECK(mistakes({{"smtp.from", "a@example.org"}}).empty());
  CHECK(mistakes({{"smtp.url", "smtp://host"}, {"smtp.from", "a@example.org"}}).size() == (can_send_mail() ? 0 : 1));
  CHECK(mistakes({{"smtp.url", "smtp://host"}}).at(0).pointer == "smtp.from");
}
