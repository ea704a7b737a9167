// Opening a store in PostgreSQL: each mistake is one line that says what is wrong and what to do, and tells no password.
#ifdef LOGGIA_HAS_POSTGRES
#include <doctest/doctest.h>
#include <atomic>
#include <future>
#include "storage/postgres/connection.hpp"
#include "storage/postgres/migrations.hpp"
#include "support/fakes.hpp"
#include "support/memory_store.hpp"
#include "support/print.hpp"

namespace loggia {
namespace {

const Migration opened_things{1, "things", "CREATE TABLE thing(id BIGINT PRIMARY KEY)"};
const Migration more{2, "more", "ALTER TABLE thing ADD COLUMN text TEXT"};

DatabaseOptions at(std::string url, std::vector<Migration> steps = {opened_things}, std::string schema = "opening") {
  DatabaseOptions options;
  options.postgres = std::move(url);
  options.name = "chat";
  options.schema = std::move(schema);
  options.migrations = std::move(steps);
  options.clock = std::make_shared<test::FakeClock>();
  return options;
}
std::string refusal(DatabaseOptions options) {
  options.dry_run = true;  // which tries them
  const auto pending = pending_migrations(options);
  const auto opened = open_database(std::move(options));
  REQUIRE_FALSE(opened);
  REQUIRE_FALSE(pending);
  CHECK(opened.error().code == Errc::invalid_request);
  CHECK(pending.error().detail == opened.error().detail);
  const auto said = opened.error().detail;
  CHECK(said.find('\n') == std::string::npos);
  CHECK(said.find("geheim") == std::string::npos);
  return said;
}
bool holds(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

/// The server's address for another user, host and port, or database.
std::string elsewhere(const std::string& user, const std::string& database = "loggia", const std::string& port = "") {
  const auto url = test::postgres();
  const auto place = url.find('@'), colon = url.rfind(':'), slash = url.rfind('/');
  return "postgresql://" + user + url.substr(place, colon + 1 - place) + (port.empty() ? url.substr(colon + 1, slash - colon - 1) : port) + "/" +
         database;
}
void as_the_server(const std::string& sql) {
  postgres::Target target;
  target.url = test::postgres();
  target.schema = target.name = "public";
  postgres::Connection(target).run(sql);
}
void make_user(const std::string& name) {
  as_the_server("DO $$ BEGIN CREATE ROLE " + name + " LOGIN PASSWORD 'right'; EXCEPTION WHEN duplicate_object THEN NULL; END $$");
}

}  // namespace

TEST_SUITE("PostgreSQL" * doctest::skip(!test::on_postgres())) {
  TEST_CASE("an address that is none") {
    for (const char* url : {"localhost", "mysql://a:geheim@b/c", "postgresql://a:geheim@b:port/c?x=y", "postgresql://a:geheim@[b/c"}) {
      INFO(url);
      CHECK(holds(refusal(at(url)), "postgresql://USER:PASSWORD@HOST:5432/DATABASE"));
    }
  }

  TEST_CASE("no server there") {
    const auto said = refusal(at(elsewhere("loggia:geheim", "loggia", "1")));
    CHECK(holds(said, "127.0.0.1"));
    CHECK(holds(said, "Is the server running"));
  }

  TEST_CASE("a wrong password, or none") {
    make_user("locked");
    CHECK(holds(refusal(at(elsewhere("locked:geheim"))), "Check user and password"));
    CHECK(holds(refusal(at(elsewhere("locked"))), "Check user and password"));
  }

  TEST_CASE("a user or a database that is not there") {
    CHECK(holds(refusal(at(elsewhere("nobody_such:geheim"))), "Make the user"));
    CHECK(holds(refusal(at(elsewhere("loggia:geheim", "no_such"))), "Make the database"));
  }

  TEST_CASE("no permission to make the schema, or on one that is another's") {
    make_user("powerless");
    CHECK(holds(refusal(at(elsewhere("powerless:geheim"), {opened_things}, "not_theirs_to_make")), "GRANT CREATE ON DATABASE"));
    REQUIRE(open_database(at(test::postgres(), {opened_things}, "of_another")));
    CHECK(holds(refusal(at(elsewhere("powerless:geheim"), {opened_things}, "of_another")), "GRANT CREATE ON DATABASE"));
  }

  TEST_CASE("a schema of a newer release, or with the tables of another program") {
    REQUIRE(open_database(at(test::postgres(), {opened_things, more}, "newer")));
    const auto said = refusal(at(test::postgres(), {opened_things}, "newer"));
    CHECK(holds(said, "step 2 (more)"));
    CHECK(holds(said, "Run the newer release"));
    as_the_server("DROP SCHEMA IF EXISTS foreign_tables CASCADE; CREATE SCHEMA foreign_tables; CREATE TABLE foreign_tables.thing(id BIGINT)");
    CHECK(holds(refusal(at(test::postgres(), {opened_things}, "foreign_tables")), "another program"));
  }

  TEST_CASE("a database in another encoding") {
    as_the_server("DROP DATABASE IF EXISTS old_letters");
    as_the_server("CREATE DATABASE old_letters ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0");
    CHECK(holds(refusal(at(elsewhere("loggia", "old_letters"))), "ENCODING 'UTF8'"));
  }

  TEST_CASE("who looks while another process makes the schema never takes it for another program's") {
    const std::string make =
        "BEGIN; CREATE SCHEMA watched; CREATE TABLE watched.schema_migrations(part TEXT, number BIGINT, name TEXT, checksum TEXT, at BIGINT); "
        "CREATE TABLE watched.thing(id BIGINT); COMMIT";
    as_the_server("DROP SCHEMA IF EXISTS watched CASCADE");
    std::atomic<bool> enough{false};
    auto maker = std::async(std::launch::async, [&] {
      for (int turn = 0; turn < 200 && !enough; ++turn) {
        as_the_server(make);
        as_the_server("DROP SCHEMA watched CASCADE");
      }
      enough = true;
    });
    postgres::Target target;
    target.url = test::postgres();
    target.schema = target.name = "watched";
    postgres::Connection looking(target);
    while (!enough) {
      const auto steps = postgres::pending(looking, "watched", {});
      if (steps) continue;
      enough = true;
      FAIL_CHECK(steps.error().detail);
    }
    maker.get();
  }

  TEST_CASE("many processes that open a new schema at once make it once") {
    std::vector<std::future<bool>> all;
    for (int process = 0; process < 6; ++process)
      all.push_back(std::async(std::launch::async, [] { return open_database(at(test::postgres(), {opened_things, more}, "at_once")).has_value(); }));
    for (auto& one : all) CHECK(one.get());
  }
}

}  // namespace loggia
#endif
