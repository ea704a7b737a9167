// Which mail goes out, and when: the module's parts with a fake mailer, on a clock that the test moves.
#include "mailing_fixture.hpp"

using namespace loggia;
using namespace loggia::notification;
using std::chrono::minutes;
using testing::between;
using testing::Mailing;

TEST_CASE("five minutes after the first message one mail tells of all, and half an hour lies between two") {
  Mailing mailing;
  mailing.world.post(2);
  mailing.world.kernel.clock->advance(minutes(4));
  mailing.world.post(3);
  CHECK(mailing.after(milliseconds(59999)).empty());
  CHECK(mailing.after(milliseconds(1)).size() == 1);
  const auto& mail = mailing.mailer->sent[0];
  CHECK(mail.to == "reader@example.org");
  CHECK(mail.subject == "2 messages by Ada in Events");
  CHECK(mail.id == mailing.world.of(mailing.world.reader).back().id.text());
  CHECK(mailing.why(2).starts_with("sent at 2026-01-31T12:05:00.000Z"));
  CHECK(mailing.events("notification.delivered").size() == 2);
  mailing.world.post(4);
  CHECK(mailing.after(minutes(29)).size() == 1);
  CHECK(mailing.after(minutes(1)).size() == 2);
  CHECK(mailing.mailer->sent[1].subject == "Ada wrote in Events");
  CHECK(mailing.mailer->sent[1].id != mail.id);
  CHECK(mailing.after(std::chrono::hours(10)).size() == 2);
}

TEST_CASE("no text is in a mail") {
  Mailing mailing;
  mailing.world.post(2);
  const auto& mail = mailing.after(minutes(5)).at(0);
  for (const auto& part : {mail.subject, mail.text, mail.html}) CHECK(part.find("secret text") == part.npos);
}

TEST_CASE("who has not asked for mail, or has proved no address, gets none") {
  Mailing mailing;
  CHECK(mailing.choose(mailing.world.reader, "all", false));
  mailing.world.post(2);
  CHECK(mailing.why(2) == "off in your settings");
  CHECK(mailing.choose(mailing.world.reader));
  mailing.world.mailboxes->all[mailing.world.reader].address.reset();
  mailing.world.post(3);
  CHECK(mailing.after(minutes(5)).empty());
  CHECK(mailing.why(3) == "not sent: your account has no address that was confirmed");
  mailing.world.mailboxes->all[mailing.world.reader].disabled = true;
  mailing.world.post(4);
  CHECK(mailing.after(minutes(5)).empty());
  CHECK(mailing.why(4) == "not sent: the account is disabled");
  mailing.world.mailboxes->all.erase(mailing.world.reader);
  mailing.world.post(5);
  CHECK(mailing.after(minutes(5)).empty());
  CHECK(mailing.why(5) == "not sent: the account is gone");
  mailing.world.parts->mail = false;
  mailing.world.post(6);
  CHECK(mailing.why(6) == "this server sends none");
}

TEST_CASE("while somebody is here the mail waits; away is not here") {
  Mailing mailing;
  mailing.world.post(2);
  mailing.world.kernel.clock->advance(minutes(5) - milliseconds(1000));
  mailing.is_here(mailing.world.reader);
  CHECK(mailing.after(milliseconds(1000)).empty());
  CHECK(mailing.why(2).starts_with("waits until 2026-01-31T12:10:00.000Z"));
  mailing.world.post(3);
  mailing.is_here(mailing.world.reader, "away");
  CHECK(mailing.after(minutes(5)).size() == 1);
  CHECK(mailing.mailer->sent[0].subject == "2 messages by Ada in Events");
}

TEST_CASE("a lease that is not renewed ends by itself, and none lasts longer than two minutes") {
  Presence presence;
  const auto now = *parse_rfc3339("2026-01-31T12:00:00.000Z");
  realtime::PresenceChanged lease;
  lease.user_id = testing::id<UserId>(1);
  lease.instance = "one";
  lease.state = "online";
  lease.until = now + std::chrono::hours(10);
  presence.apply(lease, now);
  CHECK(presence.here(lease.user_id, now + std::chrono::seconds(119)));
  CHECK_FALSE(presence.here(lease.user_id, now + std::chrono::seconds(120)));
  presence.apply(lease, now);
  lease.instance = "two";
  lease.state = "away";
  presence.apply(lease, now);
  CHECK(presence.here(lease.user_id, now));  // on the other device
  lease.instance = "one";
  lease.state = "offline";
  presence.apply(lease, now);
  CHECK_FALSE(presence.here(lease.user_id, now));
}

TEST_CASE("what is read meanwhile needs no mail") {
  Mailing mailing;
  mailing.world.post(2);
  mailing.world.post(3);
  mailing.world.recipient(0).read_seq = 2;
  CHECK(mailing.after(minutes(5)).at(0).subject == "Ada wrote in Events");
  CHECK(mailing.why(2) == "not sent: you had read up to it already");
  mailing.world.post(4);
  MarkNotificationsRead all;
  all.all = true;
  CHECK(mailing.world.ask(mailing.world.reader, all));
  CHECK(mailing.after(minutes(60)).size() == 1);
  CHECK(mailing.why(4) == "not sent: you had seen the notification");
}

TEST_CASE("when quiet hours begin before the mail is due, it goes out behind them") {
  Mailing mailing;  // it is 12:00 UTC
  CHECK(mailing.choose(mailing.world.reader, "all", true, between("12:03", "13:00")));
  mailing.world.post(2);
  for (int count = 0; count < 11; ++count) CHECK(mailing.after(minutes(5)).empty());
  CHECK(mailing.why(2).starts_with("waits until"));
  CHECK(mailing.after(minutes(5)).size() == 1);  // 13:00
}

TEST_CASE("quiet hours are those of the person's time zone when the mail is due") {
  Mailing mailing;
  auto& who = mailing.world.directory->people.items.emplace_back();
  who.id = mailing.world.reader;
  who.time_zone = "Asia/Kolkata";  // 17:30 there
  CHECK(mailing.choose(mailing.world.reader, "all", true, between("17:32", "20:00")));
  mailing.world.post(2);
  CHECK(mailing.after(minutes(5)).empty());
  who.time_zone = "Asia/Tokyo";  // she has flown on: 21:10 there
  CHECK(mailing.after(minutes(5)).size() == 1);
}

TEST_CASE("what the rules would not tell now is not mailed: edited, blocked, muted, gone") {
  Mailing mailing;
  auto& world = mailing.world;
  const auto one = [&](std::int64_t seq, auto change) {
    CHECK(mailing.choose(world.reader, "mentions"));
    world.recipient(0).mentioned = true;
    world.post(seq, {world.reader});
    REQUIRE(world.of(world.reader).at(0).seq == seq);
    change();
    CHECK(mailing.after(minutes(60)).empty());
    return mailing.why(seq);
  };
  CHECK(one(2, [&] { world.recipient(0).mentioned = false; }) == "not sent: it does not mention you");
  CHECK(one(3, [&] { CHECK(mailing.choose(world.reader, "none")); }) == "not sent: it mentions you");
  CHECK(one(4, [&] { CHECK(mailing.choose(world.reader, "all", false)); }) == "not sent: your settings want no mail");
  CHECK(one(5, [&] { world.directory->blocked->ids.push_back(world.reader); }) == "not sent: there is a block between you and the author");
  world.directory->blocked->ids.clear();
  CHECK(one(6, [&] { world.audiences->recipients = Error(Errc::not_found, "the room is gone"); }) == "not sent: the room is gone");
  CHECK(mailing.events("notification.failed").empty());
}

TEST_CASE("with a message, a membership, a room or an account goes the mail of it") {
  Mailing mailing;
  auto& world = mailing.world;
  world.post(2);
  chat::MessageGone gone;
  gone.seq = 2;
  CHECK(world.hear(world.event("message.deleted", 3, gone)));
  world.post(4);
  chat::MemberGone left;
  left.user_id = world.reader;
  left.why = "left";
  CHECK(world.hear(world.event("member.left", 5, left)));
  world.post(6);
  CHECK(world.hear(world.event("room.deleted", 7, Nothing())));
  world.post(8);
  auth::UserDeleted deleted;
  deleted.user_id = world.reader;
  const auto event = loggia::test::FakeBus::event("user-events", "user.deleted", world.reader.text(), encode(deleted));
  CHECK(world.applied(world.kernel.wait(on_user(world.parts, Context(), event)).value()));
  CHECK(mailing.after(minutes(60)).empty());
  CHECK(mailing.mailer->tries == 0);
}

TEST_CASE("an author whose account has ended is somebody") {
  Mailing mailing;
  mailing.world.post(2);
  mailing.world.directory->people.items[0].deleted = true;
  CHECK(mailing.after(minutes(5)).at(0).subject == "Somebody wrote in Events");
}

TEST_CASE("what is in a mail stays in it at each try, under the same id and date; what comes meanwhile is in the next one") {
  Mailing mailing;
  mailing.mailer->answer(Delivery::How::away, "the connection broke");  // perhaps behind the content: the server may have it
  mailing.world.post(2);
  CHECK(mailing.after(minutes(5)).empty());
  mailing.world.post(3);
  mailing.after(std::chrono::seconds(1));
  REQUIRE(mailing.mailer->sent.size() == 1);
  const auto first = mailing.mailer->sent[0];
  CHECK(first.subject == "Ada wrote in Events");
  CHECK(first.written == *parse_rfc3339("2026-01-31T12:05:00.000Z"));
  CHECK(mailing.after(minutes(30)).size() == 2);
  CHECK(mailing.mailer->sent[1].id != first.id);
  CHECK(mailing.events("notification.delivered").size() == 2);
}

TEST_CASE("killed behind the server's yes, the mail goes out once more under the same id") {
  Mailing mailing;
  mailing.world.post(2);
  mailing.world.kernel.clock->advance(minutes(5));
  auto composed_by_an_earlier_life = [&] {
    Digests queue(mailing.world.parts);
    const auto now = mailing.world.kernel.clock->now();
    auto taken = mailing.world.kernel.wait(queue.take(Context(), now, now + minutes(3))).value();
    REQUIRE(taken);
    return mailing.world.kernel.wait(queue.compose(Context(), *taken)).value().value();
  }();
  CHECK(mailing.after(milliseconds(0)).empty());  // it is taken
  Digests queue(mailing.world.parts);
  CHECK(mailing.world.kernel.wait(queue.release(Context())));
  mailing.world.post(3);
  const auto& sent = mailing.after(milliseconds(1));
  REQUIRE(sent.size() == 1);
  CHECK(sent[0].id == composed_by_an_earlier_life.id);
  CHECK(sent[0].subject == composed_by_an_earlier_life.subject);
  CHECK(sent[0].written == composed_by_an_earlier_life.written);
}

TEST_CASE("a refusal for good, and three days of trying, end with notification.failed and no address in it") {
  Mailing mailing;
  mailing.mailer->answer(Delivery::How::refused, "550 5.1.1 <...> unknown");
  mailing.world.post(2);
  mailing.after(minutes(5));
  REQUIRE(mailing.events("notification.failed").size() == 1);
  CHECK(mailing.events("notification.failed")[0].find("550 5.1.1") != std::string::npos);
  CHECK(mailing.why(2) == "not sent: 550 5.1.1 <...> unknown");
  mailing.mailer->always(Delivery::How::later, "450 come back");
  mailing.world.post(3);
  mailing.after(std::chrono::hours(71));
  CHECK(mailing.events("notification.failed").size() == 1);
  mailing.after(minutes(59) + std::chrono::seconds(59));
  CHECK(mailing.events("notification.failed").size() == 2);
  CHECK(mailing.why(3).find("was not to be delivered in time") != std::string::npos);
  CHECK(mailing.after(std::chrono::hours(10)).empty());
}

TEST_CASE("how long a message is tried for is counted from the message: others that waited for days take none of it") {
  Mailing mailing;
  mailing.world.post(2);
  for (int count = 0; count < 11; ++count) {  // here each time, so that nothing is sent
    mailing.world.kernel.clock->advance(std::chrono::hours(6));
    mailing.is_here(mailing.world.reader);
    CHECK(mailing.after(milliseconds(0)).empty());
    CHECK(mailing.why(2).starts_with("waits until"));
  }
  mailing.world.post(3);
  mailing.mailer->always(Delivery::How::later, "450 greylisted");
  mailing.after(std::chrono::hours(6));
  CHECK(mailing.mailer->tries == 1);
  CHECK(mailing.why(2) == "not sent: it had become old");  // they had been here all the time
  CHECK(mailing.why(3).starts_with("waits until"));
  CHECK(mailing.events("notification.failed").empty());
  mailing.world.post(4);
  mailing.after(std::chrono::hours(66) - milliseconds(1));
  CHECK(mailing.why(3).find("was not to be delivered in time") != std::string::npos);
  CHECK(mailing.why(4).starts_with("waits until"));
  CHECK(mailing.events("notification.failed").size() == 1);
  mailing.mailer->always(Delivery::How::taken, "");
  CHECK(mailing.after(std::chrono::hours(1)).size() == 1);
  CHECK(mailing.why(4).starts_with("sent at"));
}

TEST_CASE("of a mail that is tried for long its messages fail one by one, as each has become old") {
  Mailing mailing;
  mailing.mailer->always(Delivery::How::later, "450 greylisted");
  mailing.world.post(2);
  mailing.world.kernel.clock->advance(minutes(4));
  mailing.world.post(3);
  mailing.after(minutes(1));
  CHECK(mailing.mailer->tries == 1);
  mailing.after(std::chrono::hours(72) - minutes(4));
  CHECK(mailing.why(2) == "not sent: was not to be delivered in time");
  CHECK(mailing.why(3).starts_with("waits until"));
  CHECK(mailing.events("notification.failed").size() == 1);
  mailing.mailer->always(Delivery::How::taken, "");
  CHECK(mailing.after(minutes(1)).at(0).subject == "Ada wrote in Events");
}

TEST_CASE("while auth or chat is away nothing is lost") {
  Mailing mailing;
  mailing.world.post(2);
  mailing.world.mailboxes->away = true;
  CHECK(mailing.after(minutes(5)).empty());
  mailing.world.mailboxes->away = false;
  auto all = mailing.world.audiences->recipients;
  mailing.world.audiences->recipients = Error(Errc::unavailable, "chat is away");
  CHECK(mailing.after(minutes(1)).empty());
  mailing.world.audiences->recipients = all;
  CHECK(mailing.after(minutes(1)).size() == 1);
}

TEST_CASE("at the start nobody is mailed before it is known who is here, and an old event is no news") {
  Mailing mailing;
  mailing.world.post(2);
  mailing.world.parts->mails_from = mailing.world.kernel.clock->now() + minutes(6);
  CHECK(mailing.after(minutes(5)).empty());
  CHECK(mailing.after(minutes(1)).size() == 1);
  auto old = mailing.world.event("message.created", 3, mailing.world.message(3));
  mailing.world.kernel.clock->advance(mail_waits_at_most);
  CHECK(mailing.world.hear(old));
  CHECK(mailing.world.of(mailing.world.reader).size() == 2);
  CHECK(mailing.after(minutes(60)).size() == 1);
}

TEST_CASE("an event that comes twice is mailed once") {
  Mailing mailing;
  mailing.world.post(2);
  mailing.after(minutes(5));
  mailing.world.post(2);
  CHECK(mailing.after(std::chrono::hours(2)).size() == 1);
}
