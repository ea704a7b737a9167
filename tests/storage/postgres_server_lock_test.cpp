// One server on a database, or several that hear each other: who is refused, and that a connection that is lost loses nothing.
#ifdef LOGGIA_HAS_POSTGRES
#include <doctest/doctest.h>
#include <poll.h>
#include <atomic>
#include <future>
#include "storage/postgres/connection.hpp"
#include "storage/postgres/server_lock.hpp"
#include "support/placed.hpp"
#include "support/print.hpp"
#include "support/wire.hpp"

namespace loggia {
namespace {

using postgres::ServerLock;
using test::Wire;

ServerLock::Options on(std::string url, bool alone, std::vector<std::string> modules = {"chat"}) {
  ServerLock::Options options;
  options.url = std::move(url);
  options.modules = std::move(modules);
  options.alone = alone;
  options.patience = milliseconds(100);
  options.looked_every = milliseconds(20);
  options.answer = milliseconds(500);
  return options;
}
auto take(bool alone, milliseconds patience = milliseconds(100)) {
  auto options = on(test::postgres(), alone);
  options.patience = patience;
  return ServerLock::take(std::move(options));
}
std::string refusal(bool alone) {
  const auto taken = take(alone);
  REQUIRE_FALSE(taken);
  CHECK(taken.error().code == Errc::conflict);
  return taken.error().detail;
}

/// A session of nobody's.
struct Beside {
  postgres::Connection connection{[] {
    postgres::Target target;
    target.url = test::postgres();
    target.schema = "public";
    target.name = "beside";
    return target;
  }()};
  std::int64_t number(std::string_view sql) {
    const auto rows = connection.select(sql, {});
    connection.settle();
    return rows->next() ? rows->integer(0) : 0;
  }
  std::int64_t holder() {
    return number(
        "SELECT pid FROM pg_locks l JOIN pg_stat_activity a USING (pid) WHERE l.locktype = 'advisory' AND l.granted AND "
        "application_name = 'loggia server' AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())");
  }
  void wait_for_another_than(std::int64_t before) {
    const auto now = [this] { return holder(); };
    for (int turn = 0; turn < 1000; ++turn) {
      const auto who = now();
      if (who != 0 && who != before) return;
      ::poll(nullptr, 0, 10);
    }
    FAIL("the lock was not taken again");
  }
};

}  // namespace

TEST_SUITE("PostgreSQL" * doctest::skip(!test::on_postgres())) {
  TEST_CASE("of two servers that each keep to themselves the second is refused, and told what to do") {
    auto first = take(true);
    REQUIRE(first);
    CHECK(refusal(true) ==
          "another process has the data of chat in this database; stop it, or set bus.transport = kafka in both: with the embedded bus each module "
          "runs once");
    first->reset();
    CHECK(take(true));
  }

  TEST_CASE("the parts of one server each have their own, and who comes with one that is taken has none of the others either") {
    const auto part = [](std::vector<std::string> modules) { return ServerLock::take(on(test::postgres(), true, std::move(modules))); };
    auto chat = part({"chat"}), others = part({"auth", "user"});
    REQUIRE(chat);
    REQUIRE(others);
    const auto second = part({"notification", "user"});
    REQUIRE_FALSE(second);
    CHECK(second.error().detail.starts_with("another process has the data of user"));
    // One that waits for its turn holds nothing meanwhile.
    auto waits = std::async(std::launch::async, [] {
      auto options = on(test::postgres(), true, {"notification", "user"});
      options.patience = milliseconds(20000);
      return ServerLock::take(std::move(options)).has_value();
    });
    Beside beside;
    while (beside.number("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'loggia server'") < 3) ::poll(nullptr, 0, 10);
    for (int turn = 0; turn < 10; ++turn) {
      const auto free = part({"notification"});
      CHECK(free);
    }
    others->reset();
    CHECK(waits.get());
  }

  TEST_CASE("servers that hear each other are as many as one likes, and none of another kind is beside them") {
    auto first = take(false), second = take(false);
    REQUIRE(first);
    REQUIRE(second);
    refusal(true);
    first->reset();
    refusal(true);
    second->reset();
    auto alone = take(true);
    REQUIRE(alone);
    CHECK(refusal(false).starts_with("another process has the data of chat"));
  }

  TEST_CASE("one who comes while the one before goes waits for it") {
    auto first = take(true);
    REQUIRE(first);
    auto second = std::async(std::launch::async, [] { return take(true, milliseconds(20000)).has_value(); });
    Beside beside;
    const auto waiting = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'loggia server'";
    while (beside.number(waiting) < 2) ::poll(nullptr, 0, 10);
    first->reset();
    CHECK(second.get());
  }

  TEST_CASE("a connection that the server ends is made again, and the lock is taken again") {
    std::atomic<int> ended{0};
    auto options = on(test::postgres(), true);
    options.on_fatal = [&](const std::string&) { ++ended; };
    auto lock = ServerLock::take(std::move(options));
    REQUIRE(lock);
    Beside beside;
    const auto before = beside.holder();
    REQUIRE(before != 0);
    beside.number("SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = 'loggia server'");
    beside.wait_for_another_than(before);
    refusal(true);
    CHECK(ended == 0);
  }

  TEST_CASE("a server that did not see the connection end is no other server") {
    Wire wire(test::postgres());
    std::atomic<int> ended{0};
    auto options = on(wire.url(), true);
    options.on_fatal = [&](const std::string&) { ++ended; };
    auto lock = ServerLock::take(std::move(options));
    REQUIRE(lock);
    Beside beside;
    const auto before = beside.holder();
    wire.set(Wire::State::half_open);
    while (wire.left() == 0) ::poll(nullptr, 0, 10);  // until it has hung up
    CHECK(beside.holder() == before);
    wire.set(Wire::State::whole);
    beside.wait_for_another_than(before);
    refusal(true);
    CHECK(ended == 0);
  }

  TEST_CASE("where another took the database meanwhile, the process ends") {
    Beside beside, other;
    std::promise<std::string> ended;
    auto options = on(test::postgres(), true);
    options.on_fatal = [&](const std::string& why) { ended.set_value(why); };
    auto lock = ServerLock::take(std::move(options));
    REQUIRE(lock);
    const auto key = beside.number(
        "SELECT classid::BIGINT << 32 | objid::BIGINT FROM pg_locks l JOIN pg_stat_activity a USING (pid) WHERE l.locktype = 'advisory' AND "
        "application_name = 'loggia server'");
    auto taking = std::async(std::launch::async, [&] { other.number("SELECT 1 FROM pg_advisory_lock(" + std::to_string(key) + ")"); });
    while (beside.number("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted") == 0) ::poll(nullptr, 0, 10);
    beside.number("SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = 'loggia server'");
    taking.get();
    CHECK(ended.get_future().get().starts_with("another process has the data of chat"));
  }
}

}  // namespace loggia
#endif
