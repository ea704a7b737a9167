// Reading beside the writer, parameters and columns, answers that are given again.
#include <doctest/doctest.h>
#include <atomic>
#include <future>
#include <thread>
#include "support/fakes.hpp"
#include "support/memory_store.hpp"
#include "support/print.hpp"

namespace loggia {
namespace {

using test::FakeClock;
using test::InlineShards;
const Migration things{1, "things", "CREATE TABLE thing(id BLOB, at INTEGER, flag INTEGER, text TEXT, number INTEGER)",
                       "CREATE TABLE thing(id BYTEA, at BIGINT, flag BIGINT, text TEXT, number BIGINT)"};

Result<std::int64_t> count(Query& query) {
  auto rows = query.select("SELECT count(*) FROM thing");
  return rows->next() ? rows->integer(0) : -1;
}
Result<bool> add(Transaction& transaction) {
  transaction.execute("INSERT INTO thing(number) VALUES (1)");
  return true;
}

struct Keyed {
  std::shared_ptr<FakeClock> clock = std::make_shared<FakeClock>();
  std::shared_ptr<Database> store = test::memory_database(clock);

  static Context by(std::uint8_t user, std::string key) {
    Bytes16 bytes{};
    bytes[15] = user;
    Caller caller;
    caller.subject = Uuid(bytes);
    return Context().as(std::move(caller)).keyed(std::move(key));
  }
  /// The answer that is kept for the request, or "made" where it was made now.
  Result<std::string> ask(const Context& context, std::string request, std::string answer) {
    return store->write_now([&](Transaction& transaction) -> Result<std::string> {
      auto stored = Idempotency::stored(transaction, context, request, clock->now());
      if (!stored) return stored.error();
      if (*stored) return **stored;
      Idempotency::keep(transaction, context, request, answer, clock->now());
      return std::string("made");
    });
  }
};

}  // namespace

TEST_CASE("caches are emptied while others read and write, and nothing else changes") {
  const test::TemporaryDirectory folder;
  const auto store = open_database(test::file_options(folder.path(), std::make_shared<FakeClock>(), {things})).value();
  std::atomic<bool> stop{false};
  std::thread emptying([&] {
    while (!stop) store->release_memory();
  });
  for (int n = 1; n <= 100; ++n) {
    CHECK(store->write_now(add).has_value());
    CHECK(store->read_now(count).value() == n);
  }
  stop = true;
  emptying.join();
  CHECK(store->read_now(count).value() == 100);
}

TEST_CASE("every kind of value comes back as it went in") {
  auto clock = std::make_shared<FakeClock>();
  auto store = test::memory_database(clock, {things});
  Bytes16 bytes{1, 2, 3};
  const Uuid id(bytes);
  const auto at = clock->now();
  const auto text = test::on_postgres() ? std::string("größe") : std::string("größe\0x", 9);  // U+0000 reaches no store (contract, section 3)
  REQUIRE(store
              ->write_now([&](Transaction& transaction) -> Result<std::int64_t> {
                return transaction.execute("INSERT INTO thing VALUES (?1, ?2, ?3, ?4, ?5)", id, at, true, text, std::optional<int>());
              })
              .value() == 1);
  REQUIRE(store->read_now([&](Query& query) -> Result<bool> {
    auto rows = query.select("SELECT id, at, flag, text, number FROM thing WHERE id = ?1", id);
    REQUIRE(rows->next());
    CHECK(rows->id<Uuid>(0) == id);
    CHECK(rows->time(1) == at);
    CHECK(rows->flag(2));
    CHECK(rows->string(3) == text);
    CHECK_FALSE(rows->maybe_integer(4));
    CHECK_FALSE(rows->next());
    return true;
  }));
}

TEST_CASE("the same statement may run inside of itself") {
  auto store = test::memory_database(std::make_shared<FakeClock>(), {things});
  REQUIRE(store->write_now(add));
  REQUIRE(store->write_now(add));
  CHECK(store
            ->read_now([](Query& query) -> Result<int> {
              const auto sql = "SELECT number FROM thing";
              int pairs = 0;
              for (auto outer = query.select(sql); outer->next();)
                for (auto inner = query.select(sql); inner->next();) ++pairs;
              return pairs;
            })
            .value() == 4);
}

TEST_CASE("a reader never waits for the writer, and sees what is committed and no more") {
  test::TemporaryDirectory directory;
  auto clock = std::make_shared<FakeClock>();
  auto store = open_database(test::file_options(directory.path(), clock, {things})).value();
  std::promise<void> written, go;
  auto writing = std::async(std::launch::async, [&] {
    return store->write_now([&](Transaction& transaction) -> Result<bool> {
      auto done = add(transaction);
      written.set_value();
      go.get_future().wait();
      return done;
    });
  });
  written.get_future().wait();
  CHECK(store->read_now(count).value() == 0);
  go.set_value();
  CHECK(writing.get());
  CHECK(store->read_now(count).value() == 1);
}

TEST_CASE("a read that throws is answered internal, and the next one works") {
  test::TemporaryDirectory directory;
  auto store = open_database(test::file_options(directory.path(), std::make_shared<FakeClock>(), {things})).value();
  for (int at = 0; at < 4; ++at)
    CHECK(store->read_now([](Query&) -> Result<int> { throw std::runtime_error("planned"); }).error().code == Errc::internal);
  const auto wrong = [](Query& query) -> Result<bool> { return query.select("SELECT * FROM no_such_table")->next(); };
  CHECK(store->read_now(wrong).error().code == Errc::internal);
  CHECK(store->read_now(count).value() == 0);
}

TEST_CASE("a read whose deadline is past is answered timeout") {
  test::TemporaryDirectory directory;
  auto clock = std::make_shared<FakeClock>();
  InlineShards shards(clock);
  for (const auto& store : {open_database(test::file_options(directory.path(), clock, {things})).value(), test::memory_database(clock, {things})}) {
    auto work = count;
    CHECK(test::wait(shards, store->read(Context().until(clock->moment() - milliseconds(1)), work)).error().code == Errc::timeout);
    CHECK(test::wait(shards, store->read(Context(), work)).has_value());
  }
}

TEST_CASE("reads and writes come from many threads at once") {
  test::TemporaryDirectory directory;
  auto store = open_database(test::file_options(directory.path(), std::make_shared<FakeClock>(), {things})).value();
  std::vector<std::future<void>> callers;
  for (int caller = 0; caller < 8; ++caller)
    callers.push_back(std::async(std::launch::async, [&] {
      for (int at = 0; at < 25; ++at) {
        CHECK(store->write_now(add));
        CHECK(store->read_now(count).value() >= at + 1);
      }
    }));
  for (auto& caller : callers) caller.get();
  CHECK(store->read_now(count).value() == 200);
}

TEST_CASE("the same request with the same key gets the first answer, for a day") {
  Keyed t;
  const auto context = Keyed::by(1, "key");
  CHECK(t.ask(context, "request", "first").value() == "made");
  CHECK(t.ask(context, "request", "second").value() == "first");
  t.clock->advance(std::chrono::hours(23));
  CHECK(t.ask(context, "request", "second").value() == "first");
  t.clock->advance(std::chrono::hours(2));
  CHECK(t.ask(context, "request", "third").value() == "made");
  CHECK(t.ask(context, "request", "fourth").value() == "third");
}

TEST_CASE("another request with a key that was used is 422, and a key is each user's own") {
  Keyed t;
  CHECK(t.ask(Keyed::by(1, "key"), "request", "first").value() == "made");
  const auto refused = t.ask(Keyed::by(1, "key"), "another", "x");
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == Errc::invalid_request);
  CHECK(t.ask(Keyed::by(2, "key"), "another", "x").value() == "made");
  CHECK(t.ask(Keyed::by(1, "other key"), "another", "x").value() == "made");
}

}  // namespace loggia
