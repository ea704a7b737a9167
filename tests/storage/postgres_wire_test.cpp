// What breaks between here and PostgreSQL: the connection before, while and after a commit, a server that is away or says nothing.
#ifdef LOGGIA_HAS_POSTGRES
#include <doctest/doctest.h>
#include <poll.h>
#include <atomic>
#include <future>
#include "storage/postgres/migrations.hpp"
#include "support/fakes.hpp"
#include "support/memory_store.hpp"
#include "support/print.hpp"
#include "support/wire.hpp"

namespace loggia {
namespace {

using test::Wire;
const Migration lines{1, "lines", "CREATE TABLE line(number BIGINT)"};

/// A store at the end of a wire, and another of the same schema without one.
struct Wired {
  std::shared_ptr<test::FakeClock> clock = std::make_shared<test::FakeClock>();
  test::TemporaryDirectory directory;
  Wire wire{test::postgres()};
  std::shared_ptr<Database> beside = open_database(test::file_options(directory.path(), clock, {lines})).value();
  std::shared_ptr<Database> store = open_wired();
  std::atomic<int> committed{0};

  std::shared_ptr<Database> open_wired() {
    auto options = test::file_options(directory.path(), clock, {lines});
    options.postgres = wire.url();
    return open_database(std::move(options)).value();
  }
  std::string schema() const { return test::file_options(directory.path(), clock).schema; }
  Result<bool> put(std::int64_t number, std::string_view first = "") {
    return store->write_now([&](Transaction& transaction) -> Result<bool> {
      if (!first.empty()) transaction.select(std::exchange(first, ""))->next();
      transaction.execute("INSERT INTO line(number) VALUES (?1)", number);
      transaction.on_commit([this] { ++committed; });
      return true;
    });
  }
  /// Asks again while the store is away; no other answer is expected.
  void put_when_back(std::int64_t number) {
    for (pollfd nothing{-1, 0, 0};; ::poll(&nothing, 1, 20)) {
      const auto done = put(number);
      if (done) return;
      REQUIRE(done.error().code == Errc::unavailable);
    }
  }
  std::int64_t count(Database& of) {
    return of
        .read_now([](Query& query) -> Result<std::int64_t> {
          auto rows = query.select("SELECT count(*) FROM line");
          return rows->next() ? rows->integer(0) : -1;
        })
        .value();
  }
};

}  // namespace

TEST_SUITE("PostgreSQL" * doctest::skip(!test::on_postgres())) {
  TEST_CASE("a connection that ends in the middle of a command is made anew, and the command is done once") {
    Wired t;
    CHECK(t.put(1, "SELECT pg_terminate_backend(pg_backend_pid())"));
    CHECK(t.count(*t.beside) == 1);
    CHECK(t.committed == 1);
  }

  TEST_CASE("a connection that the server ended while nobody asked is made anew before anybody notices") {
    Wired t;
    REQUIRE(t.put(1));
    REQUIRE(t.count(*t.store) == 1);
    const auto end_all = [](Transaction& transaction) -> Result<bool> {
      return transaction
          .select("SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = 'loggia test' AND pid <> pg_backend_pid()")
          ->next();
    };
    REQUIRE(t.beside->write_now(end_all));
    CHECK(t.put(2));
    CHECK(t.count(*t.store) == 2);
  }

  TEST_CASE("a commit whose answer is lost is looked up: it was done, is answered so, and what follows it runs once") {
    Wired t;
    t.wire.set(Wire::State::cut_after);
    CHECK(t.put(1));
    CHECK(t.wire.state() == Wire::State::whole);
    CHECK(t.count(*t.beside) == 1);
    CHECK(t.committed == 1);
  }

  TEST_CASE("a commit that did not arrive is looked up: nothing was done, and it is done once more") {
    Wired t;
    t.wire.set(Wire::State::cut_before);
    CHECK(t.put(1));
    CHECK(t.wire.state() == Wire::State::whole);
    CHECK(t.count(*t.beside) == 1);
    CHECK(t.committed == 1);
  }

  TEST_CASE("a commit that is still on its way when it is looked up does not come any more: the group is done once") {
    for (const bool unknown : {false, true}) {
      INFO("the writer's row is gone: " << unknown);
      Wired t;
      postgres::Target target;
      target.url = test::postgres();
      target.schema = t.schema();
      target.name = "holder";
      postgres::Connection holder(target);
      holder.run("INSERT INTO line(number) VALUES (7)");
      if (unknown) holder.run("DELETE FROM kernel_writer");
      holder.run("BEGIN; UPDATE line SET number = 7 WHERE number = 7");
      t.wire.set(Wire::State::cut_client);
      std::int64_t old = 0;
      CHECK(t.store->write_now([&](Transaction& transaction) -> Result<bool> {
        if (old == 0) {
          auto rows = transaction.select("SELECT pg_backend_pid()");
          if (rows->next()) old = rows->integer(0);
          transaction.execute("UPDATE line SET number = number WHERE number = 7");  // stands still there, with the commit behind it
        }
        transaction.execute("INSERT INTO line(number) VALUES (1)");
        transaction.on_commit([&t] { ++t.committed; });
        return true;
      }));
      CHECK(t.wire.state() == Wire::State::whole);
      CHECK(t.committed == 1);
      t.store->close();  // nor does it come then
      const auto at_work = [&] {
        const Parameter parameters[] = {Parameter(old)};
        const auto rows = holder.select("SELECT 1 FROM pg_stat_activity WHERE pid = ?1 AND state = 'active'", parameters);
        holder.settle();
        return rows->next();
      };
      CHECK(at_work());
      holder.run("COMMIT");
      for (pollfd nothing{-1, 0, 0}; at_work(); ::poll(&nothing, 1, 5)) {
      }
      CHECK(t.count(*t.beside) == 2);
    }
  }

  TEST_CASE("while the server is away everybody is told so at once, the store says it, and goes on when it is back") {
    Wired t;
    REQUIRE(t.put(1));
    t.wire.set(Wire::State::away);
    const auto refused = t.put(2);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == Errc::unavailable);
    CHECK(refused.error().retry_after == 1);
    CHECK_FALSE(t.store->writable());
    CHECK(t.store->unwritable().find("away") != std::string::npos);
    CHECK(t.store->read_now([](Query&) -> Result<bool> { return true; }).error().code == Errc::unavailable);
    t.wire.set(Wire::State::whole);
    t.put_when_back(3);
    CHECK(t.store->writable());
    CHECK(t.count(*t.beside) == 2);
  }

  TEST_CASE("a server that takes a connection and says nothing holds nobody for longer than it may") {
    Wire wire(test::postgres());
    postgres::Target target;
    target.url = wire.url();
    target.schema = target.name = "mute";
    target.answer = milliseconds(100);
    target.connecting = milliseconds(100);
    postgres::Connection connection(target);
    wire.set(Wire::State::mute);
    const auto reply = connection.send("SELECT 1", {});
    try {
      connection.wait(*reply);
      FAIL("it was answered");
    } catch (const postgres::Failure& failure) {
      CHECK(failure.trouble == postgres::Trouble::lost);
    }
    CHECK_FALSE(connection.usable());
    CHECK_THROWS_AS(postgres::Connection{target}, postgres::Failure);
  }

  TEST_CASE("a step of a schema takes as long as it takes, and so does waiting for who is at it; what comes behind has its limit again") {
    postgres::Target target;
    target.url = test::postgres();
    target.schema = target.name = "slow_steps";
    postgres::Connection(target).run("DROP SCHEMA IF EXISTS slow_steps CASCADE");
    target.answer = milliseconds(500);
    const std::vector<postgres::Part> parts{{"module", {{1, "slow", "SELECT pg_sleep(1.5); CREATE TABLE slow(id BIGINT)"}}}};
    postgres::Connection connection(target);
    auto other = std::async(std::launch::async, [&] {
      postgres::Connection beside(target);
      return postgres::migrate(beside, target.schema, parts, Time(), true);
    });
    CHECK(postgres::migrate(connection, target.schema, parts, Time(), true));  // one of the two waits for the other
    CHECK(other.get());
    CHECK_THROWS_AS(connection.run("SELECT pg_sleep(5)"), postgres::Failure);
    CHECK_FALSE(connection.usable());
  }

  // libpq's manual, "Pipeline Mode": a client that only writes and a server that only writes wait for each other for ever.
  TEST_CASE("a long row of statements with long answers is sent and read at the same time") {
    postgres::Target target;
    target.url = test::postgres();
    target.schema = target.name = "long";
    postgres::Connection connection(target);
    const std::string text(100000, 'x');
    std::vector<std::shared_ptr<postgres::Reply>> replies;
    for (int at = 0; at < 500; ++at) {  // 50 MB each way
      const Parameter parameters[] = {Parameter(text)};
      replies.push_back(connection.send("SELECT ?1", parameters));
    }
    connection.wait(*replies.back());
    connection.settle();
    CHECK(replies.front()->done);
  }

  TEST_CASE("after an error nothing of the row behind it runs, and the connection is as good as before") {
    postgres::Target target;
    target.url = test::postgres();
    target.schema = target.name = "errors";
    postgres::Connection connection(target);
    connection.send("SELECT 1", {});
    connection.send("SELECT no_such_column", {});
    const auto behind = connection.send("SELECT 2", {});
    CHECK_THROWS_AS(connection.settle(), postgres::Failure);
    CHECK(connection.failed()->state == "42703");
    CHECK_THROWS_AS(connection.send("SELECT 3", {}), postgres::Failure);
    connection.clear();
    CHECK_FALSE(behind->done);
    for (const char* sql : {"SELECT 1", "SELECT 2", "SELECT 3"}) connection.send(sql, {});
    connection.settle();
    CHECK_FALSE(connection.failed());
  }
}

}  // namespace loggia
#endif
