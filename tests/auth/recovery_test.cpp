// An address is proved by a mail, and a password chosen anew by one. The module's own queue, on a clock that the test moves.
#include "mailing.hpp"
#include "support/fake_mailer.hpp"
#include "world.hpp"

using namespace loggia;
using namespace loggia::auth;
using namespace loggia::auth::testing;

namespace {

struct Post {
  World world;
  std::shared_ptr<test::FakeMailer> mailer = std::make_shared<test::FakeMailer>();
  std::shared_ptr<MailRunner> runner;

  explicit Post(bool configured = true) {
    world.parts->settings.mail = configured;
    world.parts->link_base = [] { return std::string("https://chat.example"); };
    world.kernel.kernel.mailer = mailer;
    runner = mail_runner(world.kernel.kernel, "auth", std::make_shared<AccountMails>(world.parts), *world.parts->database);
  }

  /// Sends what is due; the mails that went out by now.
  const std::deque<Mail>& sent() {
    CHECK(world.wait(runner->turn(Context())));
    return mailer->sent;
  }
  static std::string token(const Mail& mail, const std::string& place) {
    const auto mark = "https://chat.example/#/" + place + "/";
    const auto at = mail.text.find(mark);
    REQUIRE(at != std::string::npos);
    const auto begin = at + mark.size();
    return mail.text.substr(begin, mail.text.find('\n', begin) - begin);
  }
  Tokens signed_up(const std::string& name, const std::string& email) {
    Register request;
    request.username = name;
    request.password = good_password;
    request.email = email;
    return world.wait(world.accounts.on(world.outside(), request)).value();
  }
  Result<Nothing> verify(const std::string& text) {
    VerifyEmail request;
    request.token = text;
    return world.wait(world.accounts.on(world.outside(), request));
  }
  Result<Nothing> forgot(const std::string& email) {
    ForgotPassword request;
    request.email = email;
    return world.wait(world.accounts.on(world.outside(), request));
  }
  Result<Nothing> reset(const std::string& text, const std::string& password) {
    ResetPassword request;
    request.token = text;
    request.new_password = password;
    return world.wait(world.accounts.on(world.outside(), request));
  }
  Result<Account> put(const Tokens& who, std::optional<std::string> email) {
    PutAccount request;
    request.email = std::move(email);
    return world.wait(world.accounts.on(world.with(who), request));
  }
  Result<Mailbox> mailbox(const UserId& user) {
    MailboxesHere service(world.parts);
    GetMailbox request;
    request.user = user;
    return world.wait(service.on(Context(), request));
  }
  /// Signs up and proves the address.
  Tokens verified(const std::string& name, const std::string& email) {
    auto tokens = signed_up(name, email);
    REQUIRE(verify(token(sent().back(), "verify")));
    return tokens;
  }
};

}  // namespace

TEST_CASE("an address counts once the link of its mail was followed, and a link is good once") {
  Post post;
  const auto ada = post.signed_up("ada", "Ada@Example.org");
  CHECK(code_of(post.world.login("ada@example.org")) == Errc::unauthenticated);
  CHECK_FALSE(post.mailbox(ada.user.id)->address);
  const auto& sent = post.sent();
  REQUIRE(sent.size() == 1);
  CHECK(sent[0].to == "ada@example.org");
  CHECK(sent[0].text.find("The account ada at https://chat.example") != std::string::npos);
  const auto link = Post::token(sent[0], "verify");
  CHECK(pointer_of(post.verify("x" + link)) == "/token");
  CHECK(post.verify(link));
  CHECK(pointer_of(post.verify(link)) == "/token");
  CHECK(post.world.login("ADA@example.org"));
  CHECK(post.mailbox(ada.user.id)->address == "ada@example.org");
  CHECK(post.world.audit("email.verified").size() == 1);
  CHECK(post.sent().size() == 1);
}

TEST_CASE("an address that no store takes is answered as any other, and nothing is put down") {
  Post post;
  post.verified("ada", "ada@example.org");
  CHECK(post.forgot(std::string(1, '\0')));
  CHECK(post.forgot(std::string("ada@example.org\0", 16)));
  CHECK(post.world.audit("password.forgot").size() == 2);
  const auto waits = post.world.parts->database->read_now([](Query& query) -> Result<bool> { return query.select("SELECT 1 FROM mails")->next(); });
  CHECK_FALSE(waits.value());
}

TEST_CASE("a link ages") {
  Post post;
  post.signed_up("ada", "ada@example.org");
  const auto link = Post::token(post.sent()[0], "verify");
  post.world.kernel.clock->advance(verify_link_good);
  CHECK(pointer_of(post.verify(link)) == "/token");
}

TEST_CASE("a new address is to be proved, the one before counts no more and is told; the same once more changes nothing") {
  Post post;
  const auto ada = post.verified("ada", "ada@example.org");
  CHECK(post.put(ada, "ADA@example.org")->email_verified);
  CHECK(post.sent().size() == 1);
  const auto changed = post.put(ada, "ada@new.example");
  CHECK(changed->email == "ada@new.example");
  CHECK_FALSE(changed->email_verified);
  CHECK(code_of(post.world.login("ada@example.org")) == Errc::unauthenticated);
  const auto& sent = post.sent();
  REQUIRE(sent.size() == 3);
  CHECK(sent[1].to == "ada@example.org");
  CHECK(sent[1].subject == "Your address for Loggia was changed");
  CHECK(sent[2].to == "ada@new.example");
  CHECK(post.verify(Post::token(sent[2], "verify")));
  CHECK(post.world.login("ada@new.example"));
  CHECK_FALSE(post.put(ada, std::nullopt)->email);
  CHECK(pointer_of(post.put(ada, "nowhere")) == "/email");
  CHECK(post.sent().size() == 4);  // the second address is told
}

TEST_CASE("a link of an address that was changed meanwhile is no good, and its mail does not go out") {
  Post post;
  const auto ada = post.signed_up("ada", "first@example.org");
  const auto link = Post::token(post.sent()[0], "verify");
  REQUIRE(post.put(ada, "second@example.org"));
  REQUIRE(post.put(ada, "third@example.org"));
  CHECK(pointer_of(post.verify(link)) == "/token");
  const auto& sent = post.sent();
  REQUIRE(sent.size() == 2);
  CHECK(sent[1].to == "third@example.org");
}

TEST_CASE("an address is of one account; only who reads its mail learns of another one") {
  Post post;
  post.verified("ada", "ada@example.org");
  const auto eve = post.signed_up("eve", "eve@example.org");
  CHECK_FALSE(post.put(eve, "ada@example.org")->email_verified);
  CHECK(code_of(post.verify(Post::token(post.sent().back(), "verify"))) == Errc::conflict);
  CHECK(post.world.login("ada@example.org")->user.username == "ada");
}

TEST_CASE("asking for a new password answers the same whether the address is known or not") {
  Post post;
  const auto ada = post.verified("ada", "ada@example.org");
  post.signed_up("eve", "eve@example.org");
  const auto before = post.sent().size();
  for (const char* email : {"nobody@example.org", "eve@example.org", "ada", "nonsense"}) {
    CAPTURE(email);
    CHECK(post.forgot(email));
  }
  CHECK(post.sent().size() == before);
  CHECK(post.forgot("ADA@example.org"));
  CHECK(post.sent().size() == before + 1);
  const auto entries = post.world.audit("password.forgot");
  CHECK(entries.size() == 5);
  for (const auto& entry : entries) {
    CHECK_FALSE(entry.target);
    CHECK_FALSE(entry.detail);
  }
  REQUIRE(post.world.audit("password.forgot.mailed").size() == 1);
  CHECK(post.world.audit("password.forgot.mailed")[0].target == ada.user.id.text());
}

TEST_CASE("a link to a new password is the same at each try of its mail") {
  Post post;
  post.verified("ada", "ada@example.org");
  post.mailer->answer(Delivery::How::later, "450 come back");
  CHECK(post.forgot("ada@example.org"));
  post.sent();
  post.mailer->answer(Delivery::How::later, "450 come back");
  post.world.kernel.clock->advance(std::chrono::seconds(1));
  post.sent();
  post.world.kernel.clock->advance(std::chrono::seconds(2));
  CHECK(post.reset(Post::token(post.sent().back(), "reset"), "another horse battery"));
  CHECK(post.world.audit("password.forgot.mailed").size() == 1);
}

TEST_CASE("a new password ends every session, and its link is good once, for an hour") {
  Post post;
  const auto ada = post.verified("ada", "ada@example.org");
  const auto again = post.world.login("ada");
  CHECK(post.forgot("ada@example.org"));
  const auto link = Post::token(post.sent().back(), "reset");
  CHECK(pointer_of(post.reset(link, "short")) == "/new_password");
  CHECK(pointer_of(post.reset("none of ours", "another horse battery")) == "/token");
  CHECK(pointer_of(post.verify(link)) == "/token");
  CHECK(post.reset(link, "another horse battery"));
  CHECK_FALSE(post.world.live(ada));
  CHECK_FALSE(post.world.live(*again));
  CHECK(post.world.events("session.revoked").size() == 2);
  CHECK(pointer_of(post.reset(link, "yet another horse")) == "/token");
  CHECK(post.world.login("ada", "another horse battery"));
  CHECK(code_of(post.world.login("ada")) == Errc::unauthenticated);
  CHECK(post.world.audit("password.reset").size() == 1);
  CHECK(post.forgot("ada@example.org"));
  const auto late = Post::token(post.sent().back(), "reset");
  post.world.kernel.clock->advance(reset_link_good);
  CHECK(pointer_of(post.reset(late, "yet another horse")) == "/token");
}

TEST_CASE("only the newest link is good, and a change of the address takes all of them") {
  Post post;
  const auto ada = post.verified("ada", "ada@example.org");
  CHECK(post.forgot("ada@example.org"));
  const auto first = Post::token(post.sent().back(), "reset");
  CHECK(post.forgot("ada@example.org"));
  const auto second = Post::token(post.sent().back(), "reset");
  CHECK(pointer_of(post.reset(first, "another horse battery")) == "/token");
  REQUIRE(post.put(ada, "ada@new.example"));
  CHECK(pointer_of(post.reset(second, "another horse battery")) == "/token");
}

TEST_CASE("who is disabled gets no mail and no new password") {
  Post post;
  const auto ada = post.verified("ada", "ada@example.org");
  CHECK(post.forgot("ada@example.org"));
  const auto link = Post::token(post.sent().back(), "reset");
  REQUIRE(post.world.shell("user.disable", {"ada"}));
  CHECK(pointer_of(post.reset(link, "another horse battery")) == "/token");
  const auto before = post.sent().size();
  CHECK(post.forgot("ada@example.org"));
  CHECK(post.sent().size() == before);
  CHECK(post.mailbox(ada.user.id)->disabled);
  CHECK_FALSE(post.mailbox(ada.user.id)->address);
}

TEST_CASE("nobody's mailbox can be filled: five links within the hour, told to who asks for their own account alone") {
  Post post;
  const auto ada = post.verified("ada", "ada@example.org");  // the first
  for (int count = 0; count < 10; ++count) {
    CHECK(post.forgot("ada@example.org"));
    post.sent();
  }
  CHECK(post.mailer->sent.size() == 5);
  const auto often = post.put(ada, "ada@new.example");
  CHECK(code_of(often) == Errc::rate_limited);
  CHECK(often.error().retry_after == 3600);
  for (int count = 0; count < 8; ++count) post.signed_up("eve" + std::to_string(count), "victim@example.org");
  CHECK(post.sent().size() == 10);
  post.world.kernel.clock->advance(std::chrono::hours(1));
  CHECK(post.forgot("ada@example.org"));
  CHECK(post.sent().size() == 11);
}

TEST_CASE("a mail that the server does not take waits with its token, and nothing of the token is left behind it") {
  Post post;
  post.mailer->answer(Delivery::How::later, "450 come back");
  post.signed_up("ada", "ada@example.org");
  CHECK(post.sent().empty());
  post.world.kernel.clock->advance(std::chrono::seconds(1));
  const auto& sent = post.sent();
  REQUIRE(sent.size() == 1);
  const auto link = Post::token(sent[0], "verify");
  const auto left = post.world.parts->database->read_now([](Query& query) -> Result<std::int64_t> {
    auto rows = query.select("SELECT count(*) FROM mails");
    return rows->next() ? rows->integer(0) : -1;
  });
  CHECK(left.value() == 0);
  CHECK(post.verify(link));
}

TEST_CASE("what waits is claimed by one runner, and free again for the next life") {
  Post post;
  post.signed_up("ada", "ada@example.org");
  AccountMails queue(post.world.parts);
  const auto now = post.world.kernel.clock->now();
  const auto take = [&] { return post.world.wait(queue.take(Context(), now, now + std::chrono::minutes(3))).value().has_value(); };
  CHECK(take());
  CHECK_FALSE(take());
  CHECK(post.world.wait(queue.release(Context())));
  CHECK(take());
}

TEST_CASE("who is slower than a mail is lent for sends nothing and settles nothing that another process has taken") {
  Post post;
  post.verified("ada", "ada@example.org");
  REQUIRE(post.forgot("ada@example.org"));
  AccountMails queue(post.world.parts);
  const auto take = [&] {
    const auto now = post.world.kernel.clock->now();
    return post.world.wait(queue.take(Context(), now, now + std::chrono::minutes(2))).value();
  };
  const auto slow = take().value();
  post.world.kernel.clock->advance(std::chrono::minutes(2));
  const auto taken = take().value();
  CHECK_FALSE(post.world.wait(queue.compose(Context(), slow)).value());
  Settled again;
  again.how = Settled::How::again;
  again.again = post.world.kernel.clock->now();
  CHECK(post.world.wait(queue.settle(Context(), slow, again)));
  CHECK_FALSE(take());
  CHECK(post.world.wait(queue.compose(Context(), taken)).value());
  CHECK(post.world.wait(queue.settle(Context(), slow, Settled())));
  CHECK(post.world.wait(queue.waiting(Context())).value().count == 1);
  CHECK(post.world.wait(queue.settle(Context(), taken, Settled())));
  CHECK(post.world.wait(queue.waiting(Context())).value().count == 0);
}

TEST_CASE("without a mail server the answers are the same, and the log of administrators says why nothing comes") {
  Post post(false);
  const auto ada = post.signed_up("ada", "ada@example.org");
  CHECK_FALSE(post.put(ada, "ada@new.example")->email_verified);
  CHECK(post.forgot("ada@new.example"));
  CHECK(post.sent().empty());
  CHECK(post.world.audit("password.forgot").at(0).detail == "this server sends no mail: smtp.url is not set");
}

TEST_CASE("an account that the shell makes has to prove its address too") {
  Post post;
  REQUIRE(post.world.shell("user.add", {"ada", good_password, "member", "ada@example.org"}));
  CHECK(post.sent().size() == 1);
  CHECK(code_of(post.world.login("ada@example.org")) == Errc::unauthenticated);
}
