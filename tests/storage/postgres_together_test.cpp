// Two stores of one schema, as two processes have them: who waits for whom, and what nobody may see.
#ifdef LOGGIA_HAS_POSTGRES
#include <doctest/doctest.h>
#include <poll.h>
#include <atomic>
#include <future>
#include <set>
#include "support/fakes.hpp"
#include "support/memory_store.hpp"
#include "support/print.hpp"

namespace loggia {
namespace {

const Migration counted_rooms{1, "rooms", R"sql(
CREATE TABLE room(id BIGINT PRIMARY KEY, last_seq BIGINT NOT NULL DEFAULT 0);
CREATE TABLE message(room BIGINT NOT NULL, seq BIGINT NOT NULL, writer BIGINT NOT NULL, key TEXT UNIQUE, PRIMARY KEY(room, seq));
INSERT INTO room(id) SELECT generate_series(1, 5);
)sql"};

struct Two {
  std::shared_ptr<test::FakeClock> clock = std::make_shared<test::FakeClock>();
  test::TemporaryDirectory directory;
  std::shared_ptr<Database> one = open(), other = open();

  std::shared_ptr<Database> open() { return open_database(test::file_options(directory.path(), clock, {counted_rooms})).value(); }
};

/// As chat sends: the room's row is the lock of its numbers. Whether the key is there is not looked at.
Result<std::int64_t> send_unseen(Transaction& transaction, std::int64_t room, int writer, const std::optional<std::string>& key = std::nullopt) {
  transaction.lock(0, "SELECT 1 FROM room WHERE id = ?1", room);
  auto rows = transaction.select("SELECT last_seq FROM room WHERE id = ?1", room);
  if (!rows->next()) return Error(Errc::not_found, "no room");
  const auto seq = rows->integer(0) + 1;
  transaction.execute("UPDATE room SET last_seq = ?2 WHERE id = ?1", room, seq);
  transaction.execute("INSERT INTO message(room, seq, writer, key) VALUES (?1, ?2, ?3, ?4)", room, seq, writer, key);
  return seq;
}
Result<std::int64_t> send(Transaction& transaction, std::int64_t room, int writer, const std::optional<std::string>& key = std::nullopt) {
  transaction.lock(0, "SELECT 1 FROM room WHERE id = ?1", room);
  if (key) {
    auto earlier = transaction.select("SELECT seq FROM message WHERE key = ?1", *key);
    if (earlier->next()) return earlier->integer(0);
  }
  return send_unseen(transaction, room, writer, key);
}

bool lock_room(Transaction& transaction, std::int64_t room) { return transaction.lock(0, "SELECT 1 FROM room WHERE id = ?1", room); }
void wait_until(const std::function<bool()>& there) {
  for (pollfd nothing{-1, 0, 0}; !there(); ::poll(&nothing, 1, 5)) {
  }
}

/// Holds a room's row in `store`, as a group that stands still, until it is let go.
struct Holder {
  std::promise<void> has, go;
  std::once_flag once;
  std::future<void> held;

  Holder(Database& store, std::int64_t room) {
    held = std::async(std::launch::async, [this, &store, room] {
      CHECK(store.write_now([&](Transaction& transaction) -> Result<bool> {
        lock_room(transaction, room);
        transaction.select("SELECT 1")->next();  // it is taken by then
        has.set_value();
        go.get_future().wait();
        return true;
      }));
    });
    has.get_future().wait();
  }
  void let_go() {
    std::call_once(once, [this] { go.set_value(); });
  }
  ~Holder() { let_go(); }
};

/// `work(thread)` on so many threads at once.
template <class F> void on_threads(int count, F work) {
  std::vector<std::future<void>> all;
  for (int thread = 0; thread < count; ++thread) all.push_back(std::async(std::launch::async, [work, thread] { work(thread); }));
  for (auto& one : all) one.get();
}

}  // namespace

TEST_SUITE("PostgreSQL" * doctest::skip(!test::on_postgres())) {
  TEST_CASE("two processes write into one room: its numbers have no hole and no repeat") {
    Two t;
    std::mutex mutex;
    std::multiset<std::int64_t> answered;
    on_threads(8, [&](int thread) {
      auto& store = thread % 2 == 0 ? *t.one : *t.other;
      for (int at = 0; at < 50; ++at) {
        const auto seq = store.write_now([&](Transaction& transaction) -> Result<std::int64_t> {
          auto taken = send(transaction, 1, thread);
          if (at % 7 == 0) return Error(Errc::conflict, "refused");
          return taken;
        });
        if (at % 7 == 0) continue;
        const std::lock_guard lock(mutex);
        answered.insert(seq.value());
      }
    });
    std::int64_t expected = 0;
    for (const auto seq : answered) CHECK(seq == ++expected);
    CHECK(expected == 8 * 42);
  }

  TEST_CASE("rooms that are met in another order by each process are written by both, and nobody waits for a deadlock to be found") {
    Two t;
    const auto clock = system_clock();
    const auto began = clock->moment();
    on_threads(6, [&](int thread) {
      auto& store = thread % 2 == 0 ? *t.one : *t.other;
      for (int at = 0; at < 40; ++at) {
        const auto done = store.write_now([&](Transaction& transaction) -> Result<bool> {
          for (int room = 1; room <= 5; ++room) {
            auto sent = send(transaction, thread % 2 == 0 ? room : 6 - room, thread);
            if (!sent) return sent.error();
          }
          return true;
        });
        CHECK(done.has_value());
      }
    });
    const auto took = clock->moment() - began;
    auto counted = t.one->read_now([](Query& query) -> Result<bool> {
      auto rows =
          query.select("SELECT last_seq, (SELECT count(*) FROM message WHERE room = id), (SELECT max(seq) FROM message WHERE room = id) FROM room");
      for (int room = 1; room <= 5; ++room) {
        REQUIRE(rows->next());
        for (int column = 0; column < 3; ++column) CHECK(rows->integer(column) == 6 * 40);
      }
      return true;
    });
    CHECK(counted);
    MESSAGE("240 groups over five rooms: " << std::chrono::duration_cast<milliseconds>(took).count() << " ms");
  }

  TEST_CASE("a group that runs again hears of each row that it was taken now, for others had it between") {
    Two t;
    Holder holder(*t.other, 1);
    std::string heard;
    REQUIRE(t.one->write_now([&](Transaction& transaction) -> Result<bool> {
      if (!heard.empty()) holder.let_go();
      for (const int room : {2, 1, 2}) heard += lock_room(transaction, room) ? "taken " : "held ";  // 1 is out of order: nobody waits for it
      transaction.select("SELECT 1")->next();
      return true;
    }));
    CHECK(heard == "taken taken held taken taken held ");
  }

  TEST_CASE("what a command that failed was told of a row, the next one of its group is told again; what stays is told once") {
    Two t;
    Holder first(*t.one, 5);
    std::array<std::string, 3> heard;
    std::vector<std::future<void>> all;
    for (std::size_t at = 0; at < heard.size(); ++at) {
      all.push_back(std::async(std::launch::async, [&, at] {
        const auto done = t.one->write_now([&](Transaction& transaction) -> Result<bool> {
          if (at == 0) transaction.execute("INSERT INTO message(room, seq, writer) VALUES (NULL, 1, 1)");
          heard[at] += lock_room(transaction, 1) ? "taken " : "held ";
          transaction.select("SELECT 1")->next();
          return true;
        });
        CHECK(done.has_value() == (at != 0));
      }));
      wait_until([&] { return t.one->figures().waiting == at + 1; });
    }
    first.let_go();
    for (auto& one : all) one.get();
    CHECK(heard[0] == "taken taken ");  // together with the others, then by itself
    CHECK(heard[1] == "taken ");
    CHECK(heard[2] == "held ");
  }

  TEST_CASE("a process that stands still with a room in its hands does not hold it for longer than some seconds, and then runs its group again") {
    Two t;
    std::promise<void> has, go;
    std::atomic<int> runs{0}, committed{0};
    auto frozen = std::async(std::launch::async, [&] {
      return t.one->write_now([&](Transaction& transaction) -> Result<std::int64_t> {
        auto sent = send(transaction, 1, 1);
        if (++runs == 1) {
          has.set_value();
          go.get_future().wait();
        }
        transaction.on_commit([&] { ++committed; });
        return sent;
      });
    });
    has.get_future().wait();
    const auto clock = system_clock();
    const auto began = clock->moment();
    const auto sent = t.other->write_now([](Transaction& transaction) { return send(transaction, 1, 2); });
    CHECK(clock->moment() - began < std::chrono::seconds(20));  // 5, and what a busy machine adds
    go.set_value();
    REQUIRE(sent);
    CHECK(*sent == 1);
    CHECK(frozen.get().value() == 2);
    CHECK(runs == 2);
    CHECK(committed == 1);
  }

  TEST_CASE("what two processes do at once with one key is done once, and both hear the same") {
    Two t;
    std::array<std::vector<std::int64_t>, 4> heard;
    on_threads(4, [&](int thread) {
      auto& store = thread % 2 == 0 ? *t.one : *t.other;
      for (int at = 0; at < 50; ++at)
        // In two rooms, so that no lock keeps them apart: the unique key does.
        heard[static_cast<std::size_t>(thread)].push_back(
            store.write_now([&](Transaction& transaction) { return send(transaction, 1 + thread % 2, thread, "key " + std::to_string(at)); })
                .value());
    });
    for (const auto& one : heard) CHECK(one == heard[0]);
  }

  TEST_CASE("a key that another process takes while the command runs by itself is met once more, and not answered as a fault of the storage") {
    Two t;
    int runs = 0;
    const auto done = t.one->write_now([&](Transaction& transaction) -> Result<std::int64_t> {
      // Another key each time, which nobody has when it is looked for: the first run is one of a group, the second is by itself.
      const auto key = "key " + std::to_string(++runs);
      CHECK_FALSE(transaction.select("SELECT seq FROM message WHERE key = ?1", key)->next());
      if (runs <= 2) CHECK(t.other->write_now([&](Transaction& beside) { return send(beside, 2, 2, key); }));
      return send_unseen(transaction, 1, 1, key);
    });
    CHECK(runs == 3);
    REQUIRE(done);
    CHECK(*done == 1);
  }

  TEST_CASE("a key that is always there already is a fault of the storage, and is not met for ever") {
    Two t;
    REQUIRE(t.other->write_now([](Transaction& transaction) { return send(transaction, 2, 2, "key"); }));
    const auto done = t.one->write_now([](Transaction& transaction) { return send_unseen(transaction, 1, 1, "key"); });
    REQUIRE_FALSE(done);
    CHECK(done.error().code == Errc::internal);
    CHECK(t.one->write_now([](Transaction& transaction) { return send(transaction, 1, 1); }).value() == 1);  // and it left nothing
  }

  TEST_CASE("two processes append to one log: positions have no hole, no repeat, and appear in their order") {
    Two t;
    std::atomic<bool> done{false};
    const auto position = [&](Query& query) -> Result<std::int64_t> {
      auto rows = query.select("SELECT count(*), max(sequence) FROM log_event WHERE topic = 't' AND partition = 0");
      REQUIRE(rows->next());
      CHECK(rows->integer(0) == rows->integer(1));  // who has seen 7 has seen 6
      return rows->integer(0);
    };
    auto reading = std::async(std::launch::async, [&] {
      while (!done) CHECK(t.one->read_now(position));
    });
    on_threads(6, [&](int thread) {
      auto& store = thread % 2 == 0 ? *t.one : *t.other;
      for (int at = 0; at < 40; ++at)
        CHECK(store.write_now([](Transaction& transaction) -> Result<bool> {
          transaction.before_commit(1, [](Transaction& group) {
            auto rows = group.select(
                "INSERT INTO log_head(topic, partition, head) VALUES ('t', 0, 1) "
                "ON CONFLICT (topic, partition) DO UPDATE SET head = log_head.head + excluded.head RETURNING head");
            const auto head = rows->next() ? rows->integer(0) : -1;
            group.execute("INSERT INTO log_event(topic, partition, sequence, id, type, key, at, trace) VALUES ('t', 0, ?1, ?2, '', '', 0, '')", head,
                          Uuid());
          });
          return true;
        }));
    });
    done = true;
    reading.get();
    CHECK(t.other->read_now(position).value() > 0);
  }
}

}  // namespace loggia
#endif
