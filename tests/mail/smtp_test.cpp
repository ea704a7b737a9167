// libcurl against a server in this process: what is on the wire, and what each answer comes to.
#include <doctest/doctest.h>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_future.hpp>
#include "loggia/kernel/mail.hpp"
#include "mail/relay.hpp"
#include "support/print.hpp"

using namespace loggia;
using How = Delivery::How;
using test::Relay;

namespace {

struct Client {
  explicit Client(Relay::Answers answers = Relay::Answers(), const std::string& login = "") : relay{std::move(answers)} { use(relay.port(), login); }
  ~Client() {
    mailer->stop();
    mailer.reset();
    stop_shards(*shards);
  }
  void use(int port, const std::string& login, SmtpOptions options = patient()) {
    options.server = smtp_server("smtp://" + login + "127.0.0.1:" + std::to_string(port), "Loggia <chat@example.org>").value();
    mailer = smtp_mailer(std::move(options), shards);
  }
  static SmtpOptions patient() {
    SmtpOptions out;
    out.try_timeout = milliseconds(20000);
    return out;
  }
  std::future<Delivery> begin(Mail mail) {
    return boost::asio::co_spawn(shards->executor(0), mailer->send(std::move(mail)), boost::asio::use_future);
  }
  Delivery send(Mail mail) { return begin(std::move(mail)).get(); }

  Relay relay;
  std::shared_ptr<Shards> shards = thread_shards(1);
  std::shared_ptr<Mailer> mailer;
};

Mail a_mail() {
  Mail out;
  out.to = "ada@example.org";
  out.subject = "Größe";
  out.text = "first\n.dot at the start\n..two\n.\nGröße " + std::string(200, 'x') + "\n";
  out.html = "<p>first</p>\n";
  out.id = "01a2";
  out.written = *parse_rfc3339("2026-11-30T08:00:00.000Z");
  return out;
}

bool has(const std::string& text, std::string_view part) { return text.find(part) != text.npos; }

}  // namespace

TEST_CASE("a mail is on the wire as it was written: envelope, headers, both parts, dots") {
  if (!can_send_mail()) return;
  Client world;
  const auto done = world.send(a_mail());
  CHECK(done.how == How::taken);
  CHECK(world.mailer->trouble().empty());
  CHECK(world.relay.heard("EHLO example.org"));
  CHECK(world.relay.heard("MAIL FROM:<chat@example.org>"));
  CHECK(world.relay.heard("RCPT TO:<ada@example.org>"));
  const auto content = world.relay.content();
  for (const char* line : {"Subject: =?UTF-8?B?R3LDtsOfZQ==?=\r\n", "From: Loggia <chat@example.org>\r\n", "To: <ada@example.org>\r\n",
                           "Message-ID: <01a2@example.org>\r\n", "Date: Mon, 30 Nov 2026 08:00:00 +0000\r\n",
                           "Content-Type: multipart/alternative; boundary=", "Content-Type: text/plain; charset=utf-8\r\n",
                           "Content-Type: text/html; charset=utf-8\r\n", "Content-Transfer-Encoding: quoted-printable\r\n"}) {
    CAPTURE(line);
    CHECK(has(content, line));
  }
  // A dot at the start of a line is doubled on the wire (RFC 5321, 4.5.2), and a line of one dot does not end the mail.
  CHECK(has(content, "\r\n\r\nfirst\r\n..dot at the start\r\n...two\r\n..\r\nGr=C3=B6=C3=9Fe xxx"));
  CHECK(has(content, "<p>first</p>"));
  for (std::size_t at = 0; at < content.size();) {
    const auto end = std::min(content.find("\r\n", at), content.size());
    const auto line = content.substr(at, end - at);
    CAPTURE(line);
    CHECK((line.size() <= 78 || line.starts_with("Content-Type: multipart/alternative; boundary=")));  // libcurl folds none of its own
    at = end + 2;
  }
}

TEST_CASE("what the server answers comes back, and the next mail gets a talk of its own") {
  if (!can_send_mail()) return;
  struct Case {
    Relay::Answers answers;
    How how;
    const char* why;
  };
  const std::vector<Case> cases{
      {{{"RCPT", "550 5.1.1 no such box"}}, How::refused, "550 5.1.1 no such box"},
      {{{"RCPT", "450 4.2.0 greylisted"}}, How::later, "450 4.2.0 greylisted"},
      {{{".", "554 5.7.1 spam"}}, How::refused, "554 5.7.1 spam"},
      {{{".", "451 4.3.0 disk"}}, How::later, "451 4.3.0 disk"},
      {{{".", ""}}, How::away, "broke"},
      {{{"MAIL", "553 5.1.8 not yours"}}, How::away, "refuses the sender of smtp.from"},
      {{{"greeting", "554 no"}}, How::away, "554 no"},
      {{{"greeting", ""}}, How::away, "broke"},
      {{{"RCPT", "421 closing"}}, How::away, "421 closing"},
  };
  for (const auto& one : cases) {
    CAPTURE(one.why);
    Client world(one.answers);
    const auto done = world.send(a_mail());
    CHECK(done.how == one.how);
    CHECK(has(done.why, one.why));
    CHECK(world.mailer->trouble().empty() == (one.how != How::away));
  }
}

TEST_CASE("a password is never said in the clear") {
  if (!can_send_mail()) return;
  Client world({{"EHLO", "250-relay\r\n250 AUTH PLAIN LOGIN"}}, "user:secret@");
  const auto done = world.send(a_mail());
  CHECK(done.how == How::away);
  CHECK(has(done.why, "takes no STARTTLS"));
  CHECK_FALSE(world.relay.heard("AUTH"));
  CHECK_FALSE(world.relay.heard("MAIL"));
}

TEST_CASE("a server that offers STARTTLS and then refuses it gets no mail in the clear") {
  if (!can_send_mail()) return;
  const Relay::Answers answers{{"EHLO", "250-relay\r\n250 STARTTLS"}, {"STARTTLS", "454 not today"}};
  Client world(answers);
  const auto done = world.send(a_mail());
  CHECK(done.how == How::away);
  CHECK(has(done.why, "takes no STARTTLS"));
  CHECK(world.relay.heard("STARTTLS"));
  CHECK_FALSE(world.relay.heard("MAIL"));
}

TEST_CASE("what is no address is refused before anybody is asked") {
  if (!can_send_mail()) return;
  Client world;
  auto bad = a_mail();
  bad.to = "ada@example.org>\r\nRCPT TO:<eve@example.org";
  CHECK(world.send(bad).how == How::refused);
  CHECK(world.relay.lines().empty());
}

TEST_CASE("where nobody listens, that is said, until somebody does") {
  if (!can_send_mail()) return;
  Client world;
  int closed = 0;
  {
    const Relay other;
    closed = other.port();
  }
  world.use(closed, "");
  CHECK(world.send(a_mail()).how == How::away);
  CHECK(has(world.mailer->trouble(), "takes no connection"));
}

TEST_CASE("a mail whose turn does not come in time is not sent: by then another process may be sending it") {
  if (!can_send_mail()) return;
  const Relay::Answers answers{{"EHLO", "…"}};
  Client world(answers);
  SmtpOptions options;
  options.threads = 1;
  options.try_timeout = milliseconds(500);
  options.turn_timeout = milliseconds(100);
  world.use(world.relay.port(), "", options);
  auto first = world.begin(a_mail()), second = world.begin(a_mail());
  CHECK(has(first.get().why, "does not answer in time"));
  const auto done = second.get();
  CHECK(done.how == How::away);
  CHECK(has(done.why, "the mails before this one"));
  CHECK(world.relay.lines().size() == 1);
}

TEST_CASE("stop() ends a try with a server that says nothing") {
  if (!can_send_mail()) return;
  const Relay::Answers answers{{"greeting", "…"}};
  Client world(answers);
  auto under_way = world.begin(a_mail());
  world.mailer->stop();
  CHECK(under_way.get().how == How::later);
  CHECK(world.mailer->trouble().empty());
}
