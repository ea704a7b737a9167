// Two processes with one store: what each keeps in memory or is at work on, the other may have changed.
#include <future>
#include "elsewhere.hpp"
#include "mailing_fixture.hpp"
#include "support/memory_store.hpp"
#include "support/shared_store.hpp"

using namespace loggia;
using namespace loggia::notification;
using std::chrono::minutes;
using testing::between;
using testing::Mailing;

namespace {

/// One schema with a store for each; on SQLite the file is one process's, and both have the same store.
struct Two {
  std::shared_ptr<test::FakeClock> clock = std::make_shared<test::FakeClock>();
  test::TemporaryDirectory directory;
  std::shared_ptr<test::SharedStore> first = open();
  Mailing one{first}, other{test::on_postgres() ? open() : first};

  std::shared_ptr<test::SharedStore> open() {
    return std::make_shared<test::SharedStore>(open_database(test::file_options(directory.path(), clock, migrations(), "notification")).value());
  }
  void advance(milliseconds by) {
    one.world.kernel.clock->advance(by);
    other.world.kernel.clock->advance(by);
  }
  static std::optional<QueuedMail> take(Mailing& at) {
    const auto now = at.world.kernel.clock->now();
    return at.world.kernel.wait(Digests(at.world.parts).take(Context(), now, now + minutes(2))).value();
  }
  static std::optional<Mail> compose(Mailing& at, const QueuedMail& mail) {
    return at.world.kernel.wait(Digests(at.world.parts).compose(Context(), mail)).value();
  }
  static bool settle(Mailing& at, const QueuedMail& mail, Settled settled = Settled()) {
    return at.world.kernel.wait(Digests(at.world.parts).settle(Context(), mail, std::move(settled))).has_value();
  }
};

bool somebody_waits_for_a_lock(Database& database) {
  auto waiting = database.read_now([](Query& query) -> Result<bool> { return query.select("SELECT 1 FROM pg_locks WHERE granted = false")->next(); });
  return waiting.value();
}

}  // namespace

TEST_CASE("what comes at one process while the other writes down that a mail is out is in the next mail" * doctest::skip(!test::on_postgres())) {
  Two two;
  two.one.world.post(2);
  two.advance(minutes(5));
  const auto taken = Two::take(two.other).value();
  REQUIRE(Two::compose(two.other, taken));
  auto& world = two.one.world;
  const auto apply = world.kernel.wait(on_timeline(world.parts, Context(), world.event("message.created", 3, world.message(3)))).value();
  std::atomic<bool> added{false}, go_on{false};
  auto adding = std::async(std::launch::async, [&] {
    return world.parts->database->write_now([&](Transaction& transaction) -> Result<bool> {
      auto done = apply(transaction);
      added = true;
      added.notify_all();
      go_on.wait(false);
      return done;
    });
  });
  added.wait(false);
  auto settling = std::async(std::launch::async, [&] { return Two::settle(two.other, taken); });
  while (settling.wait_for(milliseconds(1)) != std::future_status::ready && !somebody_waits_for_a_lock(*two.first)) {
  }
  go_on = true;
  go_on.notify_all();
  CHECK(adding.get());
  CHECK(settling.get());
  CHECK(two.one.why(2).starts_with("sent at"));
  CHECK(two.one.why(3).starts_with("waits until 2026-01-31T12:35:00.000Z"));
  two.advance(minutes(30));
  REQUIRE(two.other.after(milliseconds(0)).size() == 1);
  CHECK(two.other.mailer->sent[0].subject == "Ada wrote in Events");
}

TEST_CASE("a mail whose composing took so long that another process has sent it is not sent once more") {
  Two two;
  two.one.world.post(2);
  two.advance(minutes(5));
  const auto taken = Two::take(two.one).value();
  two.one.world.mailboxes->meanwhile = [&] {
    two.advance(minutes(2));
    CHECK(two.other.after(milliseconds(0)).size() == 1);
    two.other.world.post(3);
  };
  CHECK_FALSE(Two::compose(two.one, taken));
  CHECK(two.one.why(2).starts_with("sent at"));
  CHECK(two.one.why(3).starts_with("waits until 2026-01-31T12:37:00.000Z"));
}

TEST_CASE("what comes of a try counts no more where another process has taken the mail meanwhile") {
  Two two;
  two.one.world.post(2);
  two.advance(minutes(5));
  const auto slow = Two::take(two.one).value();
  REQUIRE(Two::compose(two.one, slow));
  two.advance(minutes(2));
  const auto taken = Two::take(two.other).value();
  REQUIRE(Two::compose(two.other, taken));
  Settled again;
  again.how = Settled::How::again;
  again.again = two.one.world.kernel.clock->now();
  CHECK(Two::settle(two.one, slow, again));
  CHECK_FALSE(Two::take(two.one));  // it is the other's
  CHECK(Two::settle(two.other, taken));
  two.other.world.post(3);
  CHECK(Two::settle(two.one, slow));
  CHECK(two.one.why(3).starts_with("waits until 2026-01-31T12:37:00.000Z"));
}

// Signals between the two are lost in all that follows.

TEST_CASE("settings chosen at one process are what the other answers with") {
  Two two;
  const auto ask = [&](Mailing& at) { return at.world.ask(two.one.world.reader, GetSettings()).value(); };
  CHECK(two.one.choose(two.one.world.reader, "none", false, between("22:00", "07:30")));
  const auto settings = ask(two.other);
  CHECK(settings.default_ == "none");
  CHECK_FALSE(settings.email);
  CHECK(settings.quiet_hours.value_or(between("none", "none")).from == "22:00");
  CHECK(two.other.choose(two.one.world.reader, "all"));
  CHECK(ask(two.one).default_ == "all");
  CHECK(ask(two.one).email);
  CHECK(two.one.world.ask(two.one.world.author, GetSettings())->default_ == "mentions");
}

TEST_CASE("who wants no mail any more, or no message of this kind, gets no mail of a process that has not heard of it") {
  Two two;
  two.one.world.post(2);
  CHECK(two.one.choose(two.one.world.reader, "all", false));
  two.advance(minutes(5));
  CHECK(two.other.after(milliseconds(0)).empty());
  CHECK(two.one.why(2) == "not sent: your settings want no mail");
  CHECK(two.one.choose(two.one.world.reader, "all"));
  two.one.world.post(3);
  CHECK(two.one.choose(two.one.world.reader, "mentions"));
  two.advance(minutes(5));
  CHECK(two.other.after(milliseconds(0)).empty());
  CHECK(two.one.why(3) == "not sent: it does not mention you");
}

TEST_CASE("what is chosen while settings are read is not undone by what was read") {
  Two two;
  auto& world = two.one.world;
  const auto level = [&] {
    const auto chosen = world.parts->choices.of(world.reader);
    return std::string(chosen ? word_of(chosen->level) : "nothing");
  };
  CHECK(two.one.choose(world.reader, "mentions"));
  two.first->meanwhile = [&] { CHECK(two.one.choose(world.reader, "none")); };
  CHECK(world.kernel.wait(read_again(world.parts, Context(), world.reader)));
  CHECK(level() == "none");
  two.first->meanwhile = [&] { CHECK(two.one.choose(world.reader, "all")); };
  CHECK(world.kernel.wait(read_all_again(world.parts, Context())));
  CHECK(level() == "all");
  CHECK(two.other.choose(world.reader, "mentions"));
  CHECK(world.kernel.wait(read_all_again(world.parts, Context())));
  CHECK(level() == "mentions");
}

TEST_CASE("settings of somebody whose account has ended are in no process's memory") {
  Two two;
  auto& world = two.one.world;
  std::vector<UserId> told;
  world.parts->tell_others = [&](const UserId& user) { told.push_back(user); };
  auth::UserDeleted deleted;
  deleted.user_id = world.reader;
  const auto event = loggia::test::FakeBus::event("user-events", "user.deleted", world.reader.text(), encode(deleted));
  const auto end = world.kernel.wait(on_user(world.parts, Context(), event)).value();
  const auto end_account = [&] { CHECK(world.applied(end)); };
  auto& other = two.other.world;
  end_account();
  CHECK(told == std::vector{world.reader});
  CHECK(other.parts->choices.of(world.reader));
  CHECK(other.kernel.wait(read_again(other.parts, Context(), world.reader)));
  CHECK_FALSE(other.parts->choices.of(world.reader));
  CHECK(two.other.choose(world.reader));
  end_account();
  CHECK(other.kernel.wait(read_all_again(other.parts, Context())));
  CHECK_FALSE(other.parts->choices.of(world.reader));
  CHECK(two.one.choose(world.reader));
  two.first->meanwhile = end_account;
  CHECK(world.kernel.wait(read_all_again(world.parts, Context())));
  CHECK_FALSE(world.parts->choices.of(world.reader));
}
