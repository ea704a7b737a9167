// Two processes with one store: what each keeps in memory or is at work on, the other may have changed.
#include <future>
#include "mailing_fixture.hpp"
#include "support/memory_store.hpp"

using namespace loggia;
using namespace loggia::notification;
using std::chrono::minutes;
using testing::Mailing;

namespace {

/// One schema with a store for each; on SQLite the file is one process's, and both have the same store.
struct Two {
  std::shared_ptr<test::FakeClock> clock = std::make_shared<test::FakeClock>();
  test::TemporaryDirectory directory;
  std::shared_ptr<Database> first = open();
  Mailing one{first}, other{test::on_postgres() ? open() : first};

  std::shared_ptr<Database> open() { return open_database(test::file_options(directory.path(), clock, migrations(), "notification")).value(); }
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
