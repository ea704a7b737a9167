// Rows that one group puts into several tables: PostgreSQL is given many at once, and nobody can tell.
#include <doctest/doctest.h>
#include "support/fakes.hpp"
#include "support/memory_store.hpp"
#include "support/print.hpp"

namespace loggia {
namespace {

const Migration three_tables{
    1, "tables",
    "CREATE TABLE a(n INTEGER UNIQUE, text TEXT, id BLOB); CREATE TABLE b(n INTEGER, text TEXT, id BLOB); CREATE TABLE c(n INTEGER, text TEXT)",
    "CREATE TABLE a(n BIGINT UNIQUE, text TEXT, id BYTEA); CREATE TABLE b(n BIGINT, text TEXT, id BYTEA); CREATE TABLE c(n BIGINT, text TEXT)"};

std::string row_text(std::int64_t n) { return std::string(static_cast<std::size_t>(n % 40), 'x') + std::to_string(n); }
Uuid row_id(std::int64_t n) { return Uuid(Bytes16{static_cast<std::uint8_t>(n), static_cast<std::uint8_t>(n >> 8)}); }

void put_row(Transaction& transaction, std::int64_t n) {
  transaction.execute("INSERT INTO a(n, text, id) VALUES (?1, ?2, ?3)", n, row_text(n), row_id(n));
  transaction.execute("INSERT INTO b(n, text, id) VALUES (?1, ?2, ?3)", n, n % 3 == 0 ? std::nullopt : std::optional(row_text(n + 1)),
                      n % 5 == 0 ? std::nullopt : std::optional(row_id(n)));
  transaction.execute("INSERT INTO c(n, text) VALUES (?1, ?2)", n, nullptr);
}

}  // namespace

TEST_CASE("rows for several tables come in as they were given, however many there are, and are seen by what reads behind them") {
  for (const std::int64_t count : {1, 3, 63, 64, 65, 200, 1000}) {
    CAPTURE(count);
    auto store = test::memory_database(std::make_shared<test::FakeClock>(), {three_tables});
    const auto seen = store->write_now([&](Transaction& transaction) -> Result<std::int64_t> {
      for (std::int64_t n = 1; n <= count; ++n) {
        put_row(transaction, n);
        if (n % 100 != 0) continue;
        auto rows = transaction.select("SELECT count(*) FROM a WHERE n <= ?1", n);
        CHECK(rows->next());
        CHECK(rows->integer(0) == n);
      }
      CHECK(static_cast<std::int64_t>(transaction.execute("INSERT INTO c(n, text) VALUES (?1, ?2)", 0, "last")) == 1);
      return static_cast<std::int64_t>(transaction.execute("UPDATE b SET n = n WHERE text IS NULL"));
    });
    CHECK(seen.value() == count / 3);
    REQUIRE(store
                ->read_now([&](Query& query) -> Result<bool> {
                  auto rows = query.select("SELECT a.n, a.text, a.id, b.text, b.id FROM a JOIN b ON b.n = a.n ORDER BY a.n");
                  for (std::int64_t n = 1; n <= count; ++n) {
                    REQUIRE(rows->next());
                    CHECK(rows->integer(0) == n);
                    CHECK(rows->text(1) == row_text(n));
                    CHECK(rows->id<Uuid>(2) == row_id(n));
                    CHECK(rows->maybe_string(3) == (n % 3 == 0 ? std::nullopt : std::optional(row_text(n + 1))));
                    CHECK(rows->maybe_id<Uuid>(4) == (n % 5 == 0 ? std::nullopt : std::optional(row_id(n))));
                  }
                  CHECK_FALSE(rows->next());
                  auto last = query.select("SELECT count(*) FROM c");
                  return last->next() && last->integer(0) == count + 1;
                })
                .value());
  }
}

TEST_CASE("of values that follow each other in one row the last stays, and each is seen by what reads behind it") {
  auto store = test::memory_database(std::make_shared<test::FakeClock>(), {three_tables});
  const auto set = [](Transaction& transaction, std::int64_t n, std::string_view text) {
    return transaction.execute("UPDATE a SET text = ?2 WHERE n = ?1", n, text);
  };
  const auto text = [](Query& query, std::int64_t n) {
    auto rows = query.select("SELECT text FROM a WHERE n = ?1", n);
    return rows->next() ? rows->string(0) : "none";
  };
  REQUIRE(store->write_now([&](Transaction& transaction) -> Result<bool> {
    put_row(transaction, 1);
    set(transaction, 1, "one");
    put_row(transaction, 2);
    const auto first = set(transaction, 1, "two");
    set(transaction, 2, "other");
    CHECK(text(transaction, 1) == "two");
    const auto none = set(transaction, 99, "nobody");
    const auto last = set(transaction, 1, "three");
    transaction.execute("UPDATE a SET text = text || ?2 WHERE n = ?1", 1, "!");
    set(transaction, 2, "last");
    CHECK(first == 1);
    CHECK(last == 1);
    CHECK(none == 0);
    transaction.execute("UPDATE a SET text = ?2, id = ?3 WHERE n = ?1", 2, "quite the last", row_id(7));
    return true;
  }));
  CHECK(store->read_now([&](Query& query) -> Result<bool> { return text(query, 1) == "three!" && text(query, 2) == "quite the last"; }).value());
}

TEST_CASE("a row among many that breaks a constraint is refused with its command, and all others stay") {
  auto store = test::memory_database(std::make_shared<test::FakeClock>(), {three_tables});
  const auto one = [](std::int64_t from, std::int64_t to) {
    return [from, to](Transaction& transaction) -> Result<bool> {
      for (auto n = from; n <= to; ++n) put_row(transaction, n);
      return true;
    };
  };
  CHECK(store->write_now(one(1, 100)));
  CHECK(store->write_now(one(90, 190)).error().code == Errc::internal);
  CHECK(store->write_now(one(101, 150)));
  CHECK(store
            ->read_now([](Query& query) -> Result<std::int64_t> {
              auto rows = query.select("SELECT (SELECT count(*) FROM a) + (SELECT count(*) FROM b) + (SELECT count(*) FROM c)");
              return rows->next() ? rows->integer(0) : -1;
            })
            .value() == 450);
}

}  // namespace loggia
