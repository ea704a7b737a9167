// The writer: group commit, what is refused, what fails, the full disk.
#include <doctest/doctest.h>
#include <sys/resource.h>
#include <boost/asio/co_spawn.hpp>
#include <csignal>
#include <future>
#include "support/fakes.hpp"
#include "support/full_disk.hpp"
#include "support/memory_store.hpp"
#include "support/print.hpp"

namespace loggia {
namespace {

using test::FakeClock;
using test::InlineShards;

const Migration numbers_table{1, "numbers", "CREATE TABLE number(value INTEGER NOT NULL UNIQUE, room BLOB)",
                              "CREATE TABLE number(value BIGINT NOT NULL UNIQUE, room BYTEA)"};

Result<std::int64_t> put(Transaction& transaction, std::int64_t value) {
  transaction.execute("INSERT INTO number(value) VALUES (?1)", value);
  return value;
}
std::int64_t count(Database& store) {
  return store
      .read_now([](Query& query) -> Result<std::int64_t> {
        auto rows = query.select("SELECT count(*) FROM number");
        return rows->next() ? rows->integer(0) : -1;
      })
      .value();
}

struct Store {
  std::shared_ptr<FakeClock> clock = std::make_shared<FakeClock>();
  InlineShards shards{clock};
  std::shared_ptr<Database> store = test::memory_database(clock, {numbers_table});
  std::vector<Result<std::int64_t>> answers;
  int asked = 0;
  std::thread::id answered_on;

  using Work = std::function<Result<std::int64_t>(Transaction&)>;
  static boost::asio::awaitable<void> ask(Store* self, Context context, Work work) {
    auto answer = co_await self->store->write(context, std::move(work));
    self->answers.push_back(std::move(answer));
    self->answered_on = std::this_thread::get_id();
  }
  void write(Work work, Context context = Context()) {
    ++asked;
    boost::asio::co_spawn(shards.executor(0), ask(this, std::move(context), std::move(work)), [](const std::exception_ptr& thrown) {
      if (thrown) std::rethrow_exception(thrown);
    });
  }
  /// All that `ask` writes gathers while the writer is held by a command before it.
  template <class F> void gathered(F asks) {
    std::promise<void> held, go;
    write([&](Transaction&) -> Result<std::int64_t> {
      held.set_value();
      go.get_future().wait();
      return 0;
    });
    shards.run();
    held.get_future().wait();
    asks();
    shards.run();
    go.set_value();
    shards.run_until([&] { return static_cast<int>(answers.size()) == asked; });
  }
};

}  // namespace

TEST_CASE("what gathers while a group runs is the next group, and has one commit") {
  Store t;
  t.gathered([&] {
    for (int at = 1; at <= 200; ++at) t.write([at](Transaction& transaction) { return put(transaction, at); });
  });
  CHECK(t.store->figures().groups == 2);
  CHECK(t.store->figures().commands == 201);
  CHECK(count(*t.store) == 200);
  for (std::size_t at = 1; at <= 200; ++at) CHECK(t.answers[at].value() == static_cast<std::int64_t>(at));
}

TEST_CASE("a command that is refused leaves nothing, and the others of its group stay") {
  Store t;
  t.gathered([&] {
    t.write([](Transaction& transaction) { return put(transaction, 1); });
    t.write([](Transaction& transaction) -> Result<std::int64_t> {
      (void)put(transaction, 2);
      return Error(Errc::forbidden, "not this one");
    });
    t.write([](Transaction& transaction) { return put(transaction, 3); });
  });
  CHECK(t.store->figures().groups == 2);
  CHECK(t.answers[2].error().code == Errc::forbidden);
  CHECK(t.answers[3].has_value());
  CHECK(count(*t.store) == 2);
}

TEST_CASE("where one is refused after it changed something, what was done before it is done once more; not where it changed nothing") {
  Store t;
  int ran = 0, refused = 0;
  bool changes = true;
  const auto group = [&] {
    t.write([&](Transaction& transaction) {
      ++ran;
      return put(transaction, 1 + 10 * ran);
    });
    t.write([&](Transaction& transaction) -> Result<std::int64_t> {
      ++refused;
      if (changes) (void)put(transaction, 2);
      return Error(Errc::forbidden, "not this one");
    });
  };
  t.gathered(group);
  CHECK(ran == 2);
  CHECK(refused == 1);
  CHECK(t.answers[1].value() == 21);
  CHECK(t.answers[2].error().code == Errc::forbidden);
  CHECK(count(*t.store) == 1);
  changes = false;
  t.gathered(group);
  CHECK(ran == 3);
  CHECK(count(*t.store) == 2);
}

TEST_CASE("a command that throws, or breaks a constraint, is rolled back alone and answered internal") {
  Store t;
  t.gathered([&] {
    t.write([](Transaction& transaction) -> Result<std::int64_t> {
      (void)put(transaction, 1);
      throw std::runtime_error("planned");
    });
    t.write([](Transaction& transaction) { return put(transaction, 2); });
    t.write([](Transaction& transaction) { return put(transaction, 2); });
  });
  CHECK(t.store->figures().groups == 2);
  CHECK(t.store->figures().failed == 2);
  std::vector<Errc> wrong;
  for (const auto& answer : t.answers)
    if (!answer) wrong.push_back(answer.error().code);
  CHECK(wrong == std::vector<Errc>{Errc::internal, Errc::internal});
  CHECK(count(*t.store) == 1);
}

TEST_CASE("actions before the commit run once an order, ascending; those after it in the order of the calls; of a refused command none") {
  Store t;
  std::vector<std::string> ran;
  const auto command = [&](std::string name, std::uint64_t order, bool refuse) {
    t.write([&ran, name, order, refuse](Transaction& transaction) -> Result<std::int64_t> {
      transaction.before_commit(order, [&ran, order](Transaction&) { ran.push_back("before " + std::to_string(order)); });
      transaction.on_commit([&ran, name] { ran.push_back("after " + name); });
      if (refuse) return Error(Errc::conflict, "refused");
      return 0;
    });
  };
  t.gathered([&] {
    command("a", 7, false);
    command("b", 9, true);
    command("c", 3, false);
    command("d", 7, false);
  });
  CHECK(ran == std::vector<std::string>{"before 3", "before 7", "after a", "after c", "after d"});
}

TEST_CASE("a command whose deadline is past before it begins is answered timeout and not done") {
  Store t;
  t.gathered([&] { t.write([](Transaction& transaction) { return put(transaction, 1); }, Context().until(t.clock->moment() - milliseconds(1))); });
  CHECK(t.answers[1].error().code == Errc::timeout);
  CHECK(count(*t.store) == 0);
}

TEST_CASE("an answer comes on the caller's shard") {
  Store t;
  std::thread::id writer;
  t.gathered([&] {
    t.write([&](Transaction&) -> Result<std::int64_t> {
      writer = std::this_thread::get_id();
      return 0;
    });
  });
  CHECK(writer != std::this_thread::get_id());
  CHECK(t.answered_on == std::this_thread::get_id());
}

TEST_CASE("more than the queue holds is unavailable at once") {
  Store t;
  DatabaseOptions options;
  options.name = "small";
  options.clock = t.clock;
  options.queue = 3;
  options.migrations = {numbers_table};
  t.store = open_database(test::placed(std::move(options))).value();
  t.gathered([&] {
    for (int at = 1; at <= 5; ++at) t.write([at](Transaction& transaction) { return put(transaction, at); });
  });
  CHECK(count(*t.store) == 3);
  CHECK(std::count_if(t.answers.begin(), t.answers.end(), [](const auto& one) { return !one && one.error().code == Errc::unavailable; }) == 2);
}

TEST_CASE("closing finishes what was taken, and takes no more") {
  Store t;
  std::future<void> closing;
  t.gathered([&] {
    for (int at = 1; at <= 20; ++at) t.write([at](Transaction& transaction) { return put(transaction, at); });
    t.shards.run();
    closing = std::async(std::launch::async, [&] { t.store->close(); });
  });
  closing.get();
  for (const auto& answer : t.answers) CHECK(answer.has_value());
  t.store->close();
  t.write([](Transaction& transaction) { return put(transaction, 99); });
  t.shards.run_until([&] { return static_cast<int>(t.answers.size()) == t.asked; });
  CHECK(t.answers.back().error().code == Errc::unavailable);
  CHECK(t.store->read_now([](Query&) -> Result<bool> { return true; }).error().code == Errc::unavailable);
}

TEST_CASE("a full disk refuses writes with insufficient_storage, goes on reading, and takes them again once there is room") {
  Store t;
  test::FullDisk disk(*t.store, 60);
  const auto fill = [](Transaction& transaction) -> Result<std::int64_t> {
    const std::vector<std::uint8_t> much(1000000);
    transaction.execute("INSERT INTO number(value, room) VALUES (1, ?1)", std::span<const std::uint8_t>(much));
    return 1;
  };
  CHECK(t.store->write_now(fill).error().code == Errc::insufficient_storage);
  CHECK_FALSE(t.store->writable());
  CHECK(count(*t.store) == 0);
  // No room yet: the writer asks by itself, and finds none.
  t.clock->advance(milliseconds(1000));
  CHECK(t.store->write_now([](Transaction& transaction) { return put(transaction, 2); }).error().code == Errc::insufficient_storage);
  disk.make_room();
  t.clock->advance(milliseconds(1000));
  CHECK(t.store->write_now([](Transaction& transaction) { return put(transaction, 3); }).has_value());
  CHECK(t.store->writable());
  CHECK(count(*t.store) == 1);
}

// PostgreSQL: postgres_commit_test.cpp.
TEST_CASE("an I/O error while committing is an unknown outcome, and the end of writing" * doctest::skip(test::on_postgres())) {
  test::TemporaryDirectory directory;
  auto clock = std::make_shared<FakeClock>();
  std::string fatal;
  auto options = test::file_options(directory.path(), clock, {numbers_table});
  options.on_fatal = [&](const std::string& why) { fatal = why; };
  auto store = open_database(std::move(options)).value();
  REQUIRE(store->write_now([](Transaction& transaction) { return put(transaction, 1); }));
  // No file of this process may grow: the frames of the next commit cannot be written (EFBIG).
  const auto before = std::signal(SIGXFSZ, SIG_IGN);
  rlimit limit{};
  ::getrlimit(RLIMIT_FSIZE, &limit);
  rlimit none = limit;
  none.rlim_cur = 4096;
  ::setrlimit(RLIMIT_FSIZE, &none);
  const auto lost = store->write_now([](Transaction& transaction) { return put(transaction, 2); });
  ::setrlimit(RLIMIT_FSIZE, &limit);
  std::signal(SIGXFSZ, before);
  REQUIRE_FALSE(lost);
  CHECK(lost.error().code == Errc::outcome_unknown);
  CHECK(store->write_now([](Transaction& transaction) { return put(transaction, 3); }).error().code == Errc::unavailable);
  // Nor is anything told that may not be there after the restart.
  CHECK(store->read_now([](Query&) -> Result<bool> { return true; }).error().code == Errc::unavailable);
  store->close();
  CHECK(fatal.find("test") != std::string::npos);
}

}  // namespace loggia
