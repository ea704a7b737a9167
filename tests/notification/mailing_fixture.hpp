#pragma once
// A world that sends mail: a fake mailer, a runner that a test turns, and a reader who wants all by mail.
#include "fixture.hpp"
#include "mailing.hpp"
#include "support/fake_mailer.hpp"

namespace loggia::notification::testing {

struct Mailing {
  World world;
  std::shared_ptr<test::FakeMailer> mailer = std::make_shared<test::FakeMailer>();
  std::shared_ptr<MailRunner> runner;

  explicit Mailing(std::shared_ptr<Database> database = nullptr) : world{std::move(database)} {
    world.parts->mail = true;
    world.parts->link_base = [] { return std::string("https://chat.example"); };
    for (const auto& [who, address] : {std::pair(world.reader, "reader@example.org"), std::pair(world.other, "other@example.org")}) {
      auth::Mailbox mailbox;
      mailbox.address = address;
      world.mailboxes->all[who] = mailbox;
    }
    user::Person author;
    author.id = world.author;
    author.username = "ada";
    author.display_name = "Ada";
    world.directory->people.items.push_back(author);
    REQUIRE(choose(world.reader));
    world.kernel.kernel.mailer = mailer;
    runner = mail_runner(world.kernel.kernel, "notification", std::make_shared<Digests>(world.parts), *world.parts->database);
  }

  Result<Settings> choose(const UserId& who, std::string level = "all", bool email = true, std::optional<QuietHours> quiet = std::nullopt) {
    PutSettings request;
    request.default_ = std::move(level);
    request.email = email;
    request.quiet_hours = std::move(quiet);
    return world.ask(who, std::move(request));
  }
  const std::deque<Mail>& after(milliseconds time) {
    world.kernel.clock->advance(time);
    CHECK(world.kernel.wait(runner->turn(Context())));
    return mailer->sent;
  }
  /// The mail rule of the explanation.
  std::string why(std::int64_t seq) {
    // Of a message that is gone for the mail, too: what was written down then.
    const auto gone = world.audiences->recipients ? std::nullopt : std::optional(world.audiences->recipients);
    if (gone) world.audiences->recipients = world.everybody;
    const auto told = world.explain(world.reader, seq);
    if (gone) world.audiences->recipients = *gone;
    REQUIRE(told);
    return told->rules.back().rule == "mail" ? told->rules.back().result : "no mail rule";
  }
  void is_here(const UserId& who, const std::string& state = "online") {
    realtime::PresenceChanged lease;
    lease.user_id = who;
    lease.instance = "one";
    lease.state = state;
    lease.until = state == "online" ? world.kernel.clock->now() + std::chrono::seconds(60) : world.kernel.clock->now();
    world.parts->presence.apply(lease, world.kernel.clock->now());
  }
  std::vector<std::string> events(const std::string& type) const {
    std::vector<std::string> out;
    for (const auto& one : world.kernel.bus->appended)
      if (one.type == type) out.push_back(one.data);
    return out;
  }
};
inline QuietHours between(std::string from, std::string to) {
  QuietHours out;
  out.from = std::move(from);
  out.to = std::move(to);
  return out;
}

}  // namespace loggia::notification::testing
