// What each way in which a talk with the server can go means for the mail.
#include "mail/talk.hpp"
#include <doctest/doctest.h>

using namespace loggia;
using mail::End;
using mail::Talk;
using How = Delivery::How;

namespace {

SmtpServer the_server() {
  SmtpServer out;
  out.host = "mail.example.org";
  out.port = 25;
  out.sender = "chat@example.org";
  return out;
}
/// Lines in turn: ours begin with a capital, the server's with a digit.
Delivery after(std::vector<std::string> lines, End end = End::broken, std::string_view recipient = "ada@example.org") {
  Talk talk;
  for (const auto& line : lines) {
    if (line[0] >= '0' && line[0] <= '9') talk.heard(line);
    else talk.said(line);
  }
  return talk.judge(end, the_server(), recipient);
}
using Lines = std::vector<std::string>;
Lines with(Lines more) {
  Lines out{
      "220 hi\r\n", "EHLO us\r\n", "250-hi\r\n", "250 SIZE\r\n", "MAIL FROM:<chat@example.org>\r\n", "250 ok\r\n", "RCPT TO:<ada@example.org>\r\n"};
  out.insert(out.end(), more.begin(), more.end());
  return out;
}

}  // namespace

TEST_CASE("taken is what the server took") { CHECK(after(with({"250 ok", "DATA\r\n", "354 go on", "250 queued"}), End::done).how == How::taken); }

TEST_CASE("a 5xx about the recipient or the mail is for good, a 4xx is not, and 421 is the server's farewell") {
  const auto refused = after(with({"550 5.1.1 <ADA@example.org> is unknown\r\n", "QUIT\r\n", "221 bye\r\n"}));
  CHECK(refused.how == How::refused);
  CHECK(refused.why == "550 5.1.1 <...> is unknown");  // an address is for nobody else to read
  CHECK(after(with({"250 ok", "DATA\r\n", "554 5.7.1 looks like spam\r\n"})).how == How::refused);
  CHECK(after(with({"250 ok", "DATA\r\n", "354 go on", "552 too large\r\n"})).how == How::refused);
  CHECK(after(with({"450 4.2.0 greylisted\r\n"})).how == How::later);
  CHECK(after(with({"250 ok", "DATA\r\n", "354 go on", "451 try again\r\n"})).how == How::later);
  CHECK(after(with({"421 going down\r\n"})).how == How::away);
}

TEST_CASE("of a refusal no part that is the recipient's is shown, however it is written") {
  const auto why = [](std::string_view recipient, const std::string& reply) { return after(with({reply + "\r\n"}), End::broken, recipient).why; };
  CHECK(why("j\xC3\xBCrgen@example.org", "550 <J\xC3\xBCRGEN@example.org>: j\xC3\xBCrgen@EXAMPLE.org is unknown") == "550 <...>: ... is unknown");
  CHECK(why("j\xC3\xBCrgen@example.org", "550 no mailbox j\xC3\xBCrgen here \xC3\xB6") == "550 no mailbox ... here");
  CHECK(why("\xD0\xB0\xD0\xB4\xD0\xB0@\xD0\xBF\xD0\xBE\xD1\x87\xD1\x82\xD0\xB0.example",
            "550 \xD0\xB0\xD0\xB4\xD0\xB0@\xD0\xBF\xD0\xBE\xD1\x87\xD1\x82\xD0\xB0.example: no") == "550 ...: no");
  CHECK(why("ada.l@example.org", "550 user ADA.L unknown; see ada.l@backend.internal") == "550 user ... unknown; see ...@backend.internal");
  CHECK(why("al@example.org", "550 local part of <al@example.org> also unknown") ==
        "550 local part of <...> also unknown");  // two letters are in every word
  CHECK(why("ada@example.org", "550 " + std::string(190, 'x') + " ada@example.org") == "550 " + std::string(190, 'x') + " ...");
}

TEST_CASE("a connection that breaks is no answer") {
  CHECK(after(with({"250 ok", "DATA\r\n", "354 go on"})).how == How::away);
  CHECK(after({}).why == "the connection to mail.example.org:25 broke");
  CHECK(after({"220 hi"}, End::too_long).why == "mail.example.org:25 does not answer in time");
}

TEST_CASE("what is wrong with the server is about the server, and says what to do") {
  const Lines hello{"220 hi", "EHLO us\r\n", "250 ok"};
  const auto then = [&](Lines more, End end = End::broken) {
    Lines all = hello;
    all.insert(all.end(), more.begin(), more.end());
    auto out = after(all, end);
    CHECK(out.how == How::away);
    return out.why;
  };
  CHECK(then({"AUTH PLAIN\r\n", "535 5.7.8 no\r\n"}, End::login_refused).find("refuses the user or the password of smtp.url") != std::string::npos);
  CHECK(then({"AUTH PLAIN\r\n", "535 5.7.8 no\r\n"}).find("refuses the user or the password of smtp.url") != std::string::npos);
  CHECK(then({"MAIL FROM:<chat@example.org>\r\n", "553 not yours\r\n"}).find("refuses the sender of smtp.from: 553 not yours") != std::string::npos);
  CHECK(then({"MAIL FROM:<chat@example.org>\r\n", "530 5.7.0 Authentication required\r\n"}).find("wants a login or TLS") != std::string::npos);
  CHECK(then({"MAIL FROM:<chat@example.org>\r\n", "452 full\r\n"}).find("says: 452 full") != std::string::npos);
  CHECK(after({"554 go away"}).why == "mail.example.org:25 says: 554 go away");
  for (const auto end : {End::no_host, End::no_connection, End::no_trust, End::no_tls})
    CHECK(then({}, end).find("mail.example.org") != std::string::npos);
  CHECK(after({}, End::stopped).how == How::later);
}

TEST_CASE("a server that offers STARTTLS and then refuses it ends the talk") {
  Talk talk;
  for (const char* line : {"220 hi", "250-hi", "250 STARTTLS"}) talk.heard(line);
  talk.said("STARTTLS\r\n");
  CHECK_FALSE(talk.downgraded());
  talk.heard("454 not today\r\n");
  CHECK(talk.downgraded());
  CHECK(talk.judge(End::broken, the_server(), "a@b").why.find("takes no STARTTLS") != std::string::npos);
}

TEST_CASE("what is no reply is not read as one, and what a reply holds stays printable and short") {
  const auto odd = after(with({"5\r\n", "abc\r\n", "550 a\x1b[31m\xC3\xB6" + std::string(400, 'x')}));
  CHECK(odd.how == How::refused);
  CHECK(odd.why.size() == 200);
  CHECK(odd.why.find('\x1b') == std::string::npos);
}
