#include "mail/message.hpp"
#include <doctest/doctest.h>
#include "loggia/kernel/mail_text.hpp"
#include "support/print.hpp"

using namespace loggia;
using mail::header_date;
using mail::header_text;
using mail::headers_of;

TEST_CASE("a header's text is plain where it can be, else in encoded words that end between code points") {
  CHECK(header_text("Ada wrote to you") == "Ada wrote to you");
  CHECK(header_text("Größe") == "=?UTF-8?B?R3LDtsOfZQ==?=");
  CHECK(header_text("=?UTF-8?B?eA==?=").starts_with("=?UTF-8?B?"));  // what looks like one is encoded itself
  std::string owls;
  for (int count = 0; count < 40; ++count) owls += "\xF0\x9F\xA6\x89";
  const auto folded = header_text(owls);
  std::size_t words = 0;
  for (std::size_t at = 0; at < folded.size();) {
    const auto end = std::min(folded.find("\r\n ", at), folded.size());
    const auto word = folded.substr(at, end - at);
    CHECK(word.size() <= 75);
    CHECK(word.starts_with("=?UTF-8?B?"));
    CHECK(word.ends_with("?="));
    ++words;
    at = end == folded.size() ? end : end + 3;
  }
  CHECK(words == 5);  // 9 owls of 4 bytes in each, which a cut at 39 bytes would have torn
}

TEST_CASE("nothing that is handed in ends a header") {
  CHECK(header_text("a\r\nBcc: eve@example.org\n\tx\x7F") == "a  Bcc: eve@example.org  x ");
  SmtpServer server;
  server.sender = "chat@example.org";
  Mail mail;
  mail.to = "a@b>\r\nBcc: <eve@example.org";
  mail.id = "id>\r\nX: y";
  mail.settings_url = "https://x/\r\nX: y";
  mail.subject = "s\r\nX: y";
  for (const auto& line : headers_of(mail, server)) {
    CAPTURE(line);
    CHECK(line.find('\r') == line.npos);
    CHECK(line.find('\n') == line.npos);
  }
}

TEST_CASE("a mail has the headers that it needs, and the same at each try") {
  SmtpServer server;
  server.sender = "chat@example.org";
  server.sender_name = "Our Loggia";
  Mail mail;
  mail.to = "ada@example.org";
  mail.id = "01a2";
  mail.subject = "Ada wrote to you";
  mail.written = *parse_rfc3339("2026-11-09T08:05:03.999Z");
  mail.settings_url = "https://chat.example/#/settings";
  const std::vector<std::string> wanted{"Date: Mon, 09 Nov 2026 08:05:03 +0000",
                                        "From: Our Loggia <chat@example.org>",
                                        "To: <ada@example.org>",
                                        "Subject: Ada wrote to you",
                                        "Message-ID: <01a2@example.org>",
                                        "Auto-Submitted: auto-generated",
                                        "List-Unsubscribe: <https://chat.example/#/settings>"};
  CHECK(headers_of(mail, server) == wanted);
  server.sender_name = "\"Evil\" <x>, y";
  CHECK(headers_of(mail, server).at(1).starts_with("From: =?UTF-8?B?"));
  CHECK(header_date(*parse_rfc3339("2024-02-29T23:59:59.000Z")) == "Thu, 29 Feb 2024 23:59:59 +0000");
}

TEST_CASE("what a mail says is escaped in HTML, stays in its line, and is the same in both forms") {
  MailText text("Ada <script> & \"co\"\r\nX");
  text.paragraph("one\ntwo").item("a'b").item("c").link("Open", "https://x/?a=1&b=2").note("small");
  CHECK(text.text() == "Ada <script> & \"co\"  X\n\none two\n\n* a'b\n* c\n\nOpen:\nhttps://x/?a=1&b=2\n\nsmall\n");
  const auto html = text.html();
  CHECK(html.find("<script>") == html.npos);
  CHECK(html.find("Ada &lt;script&gt; &amp; &quot;co&quot;  X</h1>") != html.npos);
  CHECK(html.find("href=\"https://x/?a=1&amp;b=2\"") != html.npos);
  CHECK(html.find("<li>a&#39;b</li>") != html.npos);
  CHECK(html.find("</ul>") < html.find("Open</a>"));
}
