// The runner with a queue and a mailer as a test says they are, on a clock that it moves.
#include <doctest/doctest.h>
#include <deque>
#include "support/fake_mailer.hpp"
#include "support/fakes.hpp"

using namespace loggia;

namespace {

struct Row {
  QueuedMail mail;
  Time due{};
  std::string ended, why;
};

class FakeQueue final : public MailQueue {
 public:
  Async<std::optional<QueuedMail>> take(Context, Time now, Time until) override {
    if (broken) co_return Error(Errc::unavailable, "the store is away");
    for (auto& row : rows) {
      if (!row.ended.empty() || row.due > now) continue;
      row.due = until;
      co_return std::optional<QueuedMail>(row.mail);
    }
    co_return std::optional<QueuedMail>();
  }
  Async<std::optional<Mail>> compose(Context, QueuedMail mail) override {
    ++composed;
    if (meanwhile) std::exchange(meanwhile, nullptr)();
    if (unwritable) co_return Error(Errc::unavailable, "chat is away");
    if (dropped) {
      row(mail).ended = "dropped";
      co_return std::optional<Mail>();
    }
    Mail out;
    out.to = "a@example.org";
    out.id = mail.key.text();
    co_return std::optional<Mail>(std::move(out));
  }
  Async<bool> settle(Context, QueuedMail mail, Settled settled) override {
    auto& one = row(mail);
    one.why = settled.why;
    if (settled.how == Settled::How::again) {
      one.due = settled.again;
      ++one.mail.tries;
    } else {
      one.ended = settled.how == Settled::How::sent ? "sent" : "failed";
    }
    co_return true;
  }
  Async<Waiting> waiting(Context) override {
    Waiting out;
    for (const auto& one : rows)
      if (one.ended.empty()) {
        ++out.count;
        out.due = std::min(out.due.value_or(one.due), one.due);
      }
    co_return out;
  }
  Async<bool> release(Context) override {
    ++released;
    co_return true;
  }

  Row& row(const QueuedMail& mail) {
    for (auto& one : rows)
      if (one.mail.key == mail.key) return one;
    throw std::logic_error("a mail that is not in the queue");
  }
  std::deque<Row> rows;
  int composed = 0, released = 0;
  std::function<void()> meanwhile;  // happens while one is composed, once
  bool broken = false, unwritable = false, dropped = false;
};

struct Queued {
  test::FakeKernel kernel;
  std::shared_ptr<FakeQueue> queue = std::make_shared<FakeQueue>();
  std::shared_ptr<test::FakeMailer> mailer = std::make_shared<test::FakeMailer>();
  MailRunner runner{options()};

  MailRunnerOptions options() {
    MailRunnerOptions out;
    out.name = "test";
    out.mailer = mailer;
    out.queue = queue;
    out.shards = kernel.shards;
    out.clock = kernel.clock;
    out.random = kernel.random;
    out.metrics = kernel.kernel.metrics;
    return out;
  }
  Row& put(milliseconds good_for = std::chrono::hours(1)) {
    auto& row = queue->rows.emplace_back();
    row.mail.key = kernel.kernel.ids->make<Uuid>();
    row.mail.expires = kernel.clock->now() + good_for;
    row.due = kernel.clock->now();
    return row;
  }
  void turn() { CHECK(kernel.wait(runner.turn(Context()))); }
  /// How long until row is due.
  milliseconds until(const Row& row) const { return std::chrono::duration_cast<milliseconds>(row.due - kernel.clock->now()); }
};

}  // namespace

TEST_CASE("what is due is sent once, under its own id") {
  Queued world;
  auto& one = world.put();
  auto& later = world.put();
  later.due += std::chrono::seconds(5);
  world.turn();
  world.turn();
  CHECK(one.ended == "sent");
  CHECK(later.ended.empty());
  REQUIRE(world.mailer->sent.size() == 1);
  CHECK(world.mailer->sent[0].id == one.mail.key.text());
  world.kernel.clock->advance(std::chrono::seconds(5));
  world.turn();
  CHECK(later.ended == "sent");
  CHECK(world.kernel.kernel.metrics->text().find("loggia_mails_total{module=\"test\",result=\"taken\"} 2") != std::string::npos);
}

TEST_CASE("the pause grows from a second to thirty") {
  const std::vector<int> wanted{1, 1, 2, 4, 8, 16, 30, 30};
  for (int tries = 0; tries < static_cast<int>(wanted.size()); ++tries)
    CHECK(mail_pause(tries) == std::chrono::seconds(wanted[static_cast<std::size_t>(tries)]));
  CHECK(mail_pause(1000) == std::chrono::seconds(30));
}

TEST_CASE("what is refused for good ends, and the others go on") {
  Queued world;
  world.mailer->answer(Delivery::How::refused, "550 no such box");
  auto& one = world.put();
  auto& two = world.put();
  world.turn();
  CHECK(one.ended == "failed");
  CHECK(one.why == "550 no such box");
  CHECK(two.ended == "sent");
}

TEST_CASE("one mail that is not taken now waits alone, longer each time, until it is not worth it any more") {
  Queued world;
  world.mailer->always(Delivery::How::later, "450 come back");
  auto& one = world.put(std::chrono::seconds(20));
  for (const int seconds : {1, 2, 4, 8}) {
    world.turn();
    CHECK(world.until(one) == std::chrono::seconds(seconds));
    world.kernel.clock->advance(std::chrono::seconds(seconds));
  }
  world.turn();  // 15 s are over; the next try would be behind its end
  CHECK(one.ended == "failed");
  CHECK(one.why == "was not to be delivered in time; the last answer: 450 come back");
  CHECK(world.mailer->sent.empty());
}

TEST_CASE("while the server is away one mail tries for all, and none is lost or doubled") {
  Queued world;
  world.mailer->always(Delivery::How::away, "no connection");
  for (int count = 0; count < 5; ++count) world.put();
  world.turn();
  CHECK(world.mailer->tries == 1);
  CHECK(world.queue->composed == 1);
  world.turn();  // nothing within the pause
  CHECK(world.mailer->tries == 1);
  for (const int seconds : {1, 2, 4}) {
    world.kernel.clock->advance(std::chrono::seconds(seconds) - milliseconds(1));
    world.put();  // comes meanwhile, and waits with them
    const auto before = world.mailer->tries;
    world.turn();
    CHECK(world.mailer->tries == before);
    world.kernel.clock->advance(milliseconds(1));
    world.turn();
    CHECK(world.mailer->tries == before + 1);
  }
  world.mailer->always(Delivery::How::taken, "");
  world.kernel.clock->advance(std::chrono::seconds(8));
  world.turn();
  CHECK(world.mailer->sent.size() == 8);
  for (const auto& row : world.queue->rows) CHECK(row.ended == "sent");
}

TEST_CASE("what is not to be sent now is not, and what cannot be written now is tried again") {
  Queued world;
  auto& one = world.put();
  world.queue->unwritable = true;
  world.turn();
  CHECK(one.ended.empty());
  CHECK(world.until(one) == std::chrono::seconds(1));
  world.queue->unwritable = false;
  world.queue->dropped = true;
  world.kernel.clock->advance(std::chrono::seconds(1));
  world.turn();
  CHECK(one.ended == "dropped");
  CHECK(world.mailer->tries == 0);
  world.queue->broken = true;
  CHECK(world.kernel.wait(world.runner.turn(Context())).error().code == Errc::unavailable);
}

TEST_CASE("a mail whose composing leaves no time for a try before somebody else may take it is composed once more") {
  Queued world;
  auto& one = world.put();
  const auto rest = [&] { return world.until(one); };
  world.queue->meanwhile = [&] { world.kernel.clock->advance(rest() - mail_turn_within - mail_try_within + milliseconds(1)); };
  world.turn();
  CHECK(world.mailer->tries == 0);
  CHECK(one.ended.empty());
  CHECK(world.until(one) == std::chrono::seconds(1));
  world.kernel.clock->advance(std::chrono::seconds(1));
  world.queue->meanwhile = [&] { world.kernel.clock->advance(rest() - mail_turn_within - mail_try_within); };
  world.turn();
  CHECK(one.ended == "sent");
}

TEST_CASE("a runner begins once the mailer has, takes what an earlier life had taken, and a wake-up makes it look") {
  Queued world;
  world.runner.start();
  world.kernel.shards->run();
  CHECK(world.queue->released == 0);
  world.put();
  world.mailer->start();
  world.kernel.shards->run_until([&] { return world.mailer->sent.size() == 1; });
  CHECK(world.queue->released == 1);
  world.put();
  world.runner.wake();
  world.kernel.shards->run_until([&] { return world.mailer->sent.size() == 2; });
  world.runner.drain();
  world.kernel.shards->run_until([&] { return world.runner.drained(); });
  world.put();
  world.runner.wake();
  world.kernel.shards->run();
  CHECK(world.mailer->sent.size() == 2);
  test::blocking(*world.kernel.shards, [&] { world.runner.stop(); });
}
