// Which of several processes on one store relays its log. A store of one process (SQLite) needs no lease.
#include "world.hpp"
#ifdef LOGGIA_HAS_KAFKA
#include "bus/kafka/claim.hpp"

namespace loggia {
namespace {

/// A store that several processes share, with a log; each process with its own clock.
struct Claimed {
  std::shared_ptr<test::FakeClock> clock = std::make_shared<test::FakeClock>();
  std::shared_ptr<test::FakeRandom> random = std::make_shared<test::FakeRandom>();
  std::shared_ptr<Database> store = test::memory_database(clock, {}, "chat");
  std::shared_ptr<bus::LogHere> log;
  Claimed() {
    BusOptions options;
    options.partitions = 4;
    options.clock = clock;
    options.ids = std::make_shared<Ids>(*clock, *random);
    log = std::make_shared<bus::LogHere>("chat", store, std::vector<std::string>{"messages"}, options, nullptr);
    REQUIRE(log->load());
  }
  kafka::Claim claim(const char* who) { return {log, who, clock}; }
  void stored(const std::string& value) {
    REQUIRE(store->write_now([&](Transaction& transaction) -> Result<bool> {
      transaction.execute("INSERT INTO kernel_value(name, value) VALUES ('relay', ?1) ON CONFLICT(name) DO UPDATE SET value = excluded.value", value);
      return true;
    }));
  }
  std::string until(milliseconds from_now) const { return ' ' + std::to_string((clock->now() + from_now).time_since_epoch().count()); }
  /// How long until `claim` has it, looked at ten times a second; no longer than `limit`.
  milliseconds taken_after(kafka::Claim& claim, milliseconds limit) const {
    milliseconds waited(0);
    while (!claim.look() && waited < limit) {
      clock->advance(milliseconds(100));
      waited += milliseconds(100);
    }
    return waited;
  }
};

}  // namespace

TEST_CASE("a lease that a wrong clock has given is over when nobody has renewed it for as long as a lease" * doctest::skip(!test::on_postgres())) {
  Claimed t;
  t.stored("other" + t.until(std::chrono::hours(1)));
  auto claim = t.claim("this");
  CHECK(t.taken_after(claim, std::chrono::hours(2)) <= milliseconds(6000));
  CHECK(claim.ours());
}

TEST_CASE("a lease that is renewed is another's, whatever the clocks say; one that is over is taken at once" * doctest::skip(!test::on_postgres())) {
  Claimed t;
  t.stored("other" + t.until(milliseconds(-1)));
  auto claim = t.claim("this"), other = t.claim("other");
  CHECK(claim.look());
  for (int at = 0; at < 200; ++at) {
    t.clock->advance(milliseconds(100));
    claim.look();
    CHECK_FALSE(other.look());
  }
  CHECK(claim.ours());
  // The clock of the one that has it is set back: until it renews, it says less.
  t.clock->jump(-std::chrono::hours(1));
  for (int at = 0; at < 200; ++at) {
    t.clock->advance(milliseconds(100));
    claim.look();
    CHECK_FALSE(other.look());
  }
  claim.give_up();
  CHECK(t.taken_after(other, milliseconds(5000)) <= milliseconds(500));
}

}  // namespace loggia
#endif
