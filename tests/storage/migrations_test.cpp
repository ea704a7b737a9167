// Opening a store: the schema, what is refused and stays as it is, what is kept.
#include <doctest/doctest.h>
#include <sys/stat.h>
#include <fstream>
#include "support/fakes.hpp"
#include "support/memory_store.hpp"
#include "support/print.hpp"

namespace loggia {
namespace {

// One text for both engines.
const Migration rooms{1, "rooms", "CREATE TABLE room(id INTEGER PRIMARY KEY, name TEXT)"};
const Migration topics{2, "topics", "ALTER TABLE room ADD COLUMN topic TEXT"};
const Migration broken{2, "broken", "ALTER TABLE room ADD COLUMN topic TEXT; INSERT INTO no_such_table VALUES (1)"};
const Migration rooms_changed{1, "rooms", "CREATE TABLE room(id INTEGER PRIMARY KEY, title TEXT)"};

struct Files {
  test::TemporaryDirectory directory;
  std::shared_ptr<test::FakeClock> clock = std::make_shared<test::FakeClock>();

  DatabaseOptions options(std::vector<Migration> migrations) const {
    return test::file_options(directory.path(), clock, std::move(migrations), "chat");
  }
  Result<std::shared_ptr<Database>> open(std::vector<Migration> migrations) const { return open_database(options(std::move(migrations))); }
  std::filesystem::path file() const { return directory.path() / "chat.db"; }
  std::string bytes() const {
    if (test::on_postgres()) return "";
    std::ifstream in(file(), std::ios::binary);
    return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  }
  void write(const std::string& text) const { std::ofstream(file(), std::ios::binary) << text; }
};

Result<bool> add_room(Transaction& transaction) {
  transaction.execute("INSERT INTO room(id, name) VALUES (1, 'général')");
  return true;
}
std::string room_name(Database& store) {
  return store
      .read_now([](Query& query) -> Result<std::string> {
        auto rows = query.select("SELECT name FROM room WHERE id = 1");
        return rows->next() ? rows->string(0) : "none";
      })
      .value();
}

}  // namespace

TEST_CASE("a new store has its schema and a file for its owner alone; opened again it has what was written") {
  Files files;
  {
    auto store = files.open({rooms}).value();
    REQUIRE(store->write_now(add_room));
  }
  struct stat found{};
  if (test::on_postgres()) found.st_mode = 0600;  // no file
  else REQUIRE(::stat(files.file().c_str(), &found) == 0);
  CHECK((found.st_mode & 0777) == 0600);
  CHECK(room_name(*files.open({rooms}).value()) == "général");
  CHECK_FALSE(std::filesystem::exists(files.directory.path() / "backup-before-chat-v1"));
}

TEST_CASE("before a migration the old file is kept beside" * doctest::skip(test::on_postgres())) {
  Files files;
  REQUIRE(files.open({rooms}).value()->write_now(add_room));
  {
    auto store = files.open({rooms, topics}).value();
    CHECK(store->write_now([](Transaction& transaction) -> Result<std::int64_t> {
      return transaction.execute("UPDATE room SET name = 'later', topic = 'x' WHERE id = 1");
    }));
  }
  const auto kept = files.directory.path() / "backup-before-chat-v2";
  REQUIRE(std::filesystem::exists(kept / "chat.db"));
  auto old = open_database(test::file_options(kept, files.clock, {rooms}, "chat"));
  REQUIRE(old);
  CHECK(room_name(**old) == "général");
}

TEST_CASE("keeping the old file can be switched off") {
  Files files;
  REQUIRE(files.open({rooms}));
  auto options = files.options({rooms, topics});
  options.keep_before_migration = false;
  REQUIRE(open_database(std::move(options)));
  CHECK_FALSE(std::filesystem::exists(files.directory.path() / "backup-before-chat-v2"));
}

TEST_CASE("a migration that fails leaves the schema as it was") {
  Files files;
  REQUIRE(files.open({rooms}).value()->write_now(add_room));
  CHECK_FALSE(files.open({rooms, broken}));
  auto store = files.open({rooms});
  REQUIRE(store);
  CHECK(room_name(**store) == "général");
  const auto uses_new_column = [](Transaction& transaction) -> Result<std::int64_t> { return transaction.execute("UPDATE room SET topic = 'x'"); };
  CHECK_FALSE((*store)->write_now(uses_new_column));
}

TEST_CASE("a store of a newer release is refused, and the error names the versions and the remedy") {
  Files files;
  REQUIRE(files.open({rooms, topics}));
  const auto before = files.bytes();
  const auto refused = files.open({rooms});
  REQUIRE_FALSE(refused);
  CHECK(refused.error().detail.find(test::on_postgres() ? "_chat\"" : "chat.db") != std::string::npos);
  CHECK(refused.error().detail.find("step 2 (topics)") != std::string::npos);
  CHECK(refused.error().detail.find("this build knows 1") != std::string::npos);
  CHECK(refused.error().detail.find("Run the newer release") != std::string::npos);
  CHECK(files.bytes() == before);
}

TEST_CASE("a step whose text differs from what ran is refused") {
  Files files;
  REQUIRE(files.open({rooms}));
  const auto refused = files.open({rooms_changed});
  REQUIRE_FALSE(refused);
  CHECK(refused.error().detail.find("module 1: rooms") != std::string::npos);
}

TEST_CASE("what is no store of Loggia is refused in one line and left as it is") {
  Files files;
  SUBCASE("a text") {
    if (test::on_postgres()) return;
    files.write(std::string(5000, 'x'));
  }
  SUBCASE("the database of another program") {
    auto store = files.open({rooms}).value();
    REQUIRE(store->write_now([](Transaction& transaction) -> Result<std::int64_t> { return transaction.execute("DROP TABLE schema_migrations"); }));
    store->close();
  }
  const auto before = files.bytes();
  const auto refused = files.open({rooms});
  REQUIRE_FALSE(refused);
  CHECK(refused.error().detail.find("Move it away") != std::string::npos);
  CHECK(refused.error().detail.find('\n') == std::string::npos);
  CHECK(files.bytes() == before);
}

TEST_CASE("a directory that is not there, or a folder in the file's place, is an error that says what to look at" *
          doctest::skip(test::on_postgres())) {
  Files files;
  SUBCASE("no directory") {
    auto options = files.options({rooms});
    options.directory /= "nowhere";
    const auto refused = open_database(std::move(options));
    REQUIRE_FALSE(refused);
    CHECK(refused.error().detail.find("is the directory there") != std::string::npos);
  }
  SUBCASE("a folder") {
    std::filesystem::create_directory(files.file());
    const auto refused = files.open({rooms});
    REQUIRE_FALSE(refused);
    CHECK(refused.error().detail.find("cannot open") != std::string::npos);
  }
}

TEST_CASE("what was not yet moved from the log of writes into the file is there after a crash" * doctest::skip(test::on_postgres())) {
  Files files;
  auto store = files.open({rooms}).value();
  REQUIRE(store->write_now(add_room));
  test::TemporaryDirectory crashed;  // the files as they lie on the disk, without the shared memory of the process
  std::filesystem::copy(files.file(), crashed.path() / "chat.db");
  std::filesystem::copy(files.file().string() + "-wal", crashed.path() / "chat.db-wal");
  auto again = open_database(test::file_options(crashed.path(), files.clock, {rooms}, "chat"));
  REQUIRE(again);
  CHECK(room_name(**again) == "général");
}

TEST_CASE("the steps that opening would run are told without running them") {
  Files files;
  CHECK(pending_migrations(files.options({rooms})).value() ==
        std::vector<std::string>{"kernel 1: log, positions, idempotency", "kernel 2: relay", "module 1: rooms"});
  CHECK_FALSE(std::filesystem::exists(files.file()));
  REQUIRE(files.open({rooms}));
  CHECK(pending_migrations(files.options({rooms})).value().empty());
  auto options = files.options({rooms, topics});
  options.dry_run = true;
  CHECK(pending_migrations(options).value() == std::vector<std::string>{"module 2: topics"});
  CHECK(pending_migrations(options).value() == std::vector<std::string>{"module 2: topics"});
  options.migrations = {rooms, broken};
  CHECK_FALSE(pending_migrations(options));
  CHECK(files.open({rooms}));
}

}  // namespace loggia
