#include "store.hpp"
#include <sqlite3.h>
#include "storage/answered.hpp"
#include "storage/migrations.hpp"

namespace loggia::simulation {
namespace {

/// Of a dead process no deadline is in the future, so that its writer runs nothing.
class MortalClock final : public Clock {
 public:
  MortalClock(std::shared_ptr<Clock> clock, std::shared_ptr<bool> dead) : clock_{std::move(clock)}, dead_{std::move(dead)} {}
  Time now() const override { return clock_->now(); }
  Moment moment() const override { return *dead_ ? Moment::max() : clock_->moment(); }

 private:
  std::shared_ptr<Clock> clock_;
  std::shared_ptr<bool> dead_;
};
constexpr Moment latest = Moment::max() - std::chrono::hours(1);

}  // namespace

Disk::Disk(const std::string& name, std::vector<Migration> migrations, Time now) : Connection(":memory:", sqlite::Mode::memory) {
  // Its worlds are small: of a page that changes all is kept for a roll-back, and most of 4096 bytes would be nothing.
  execute("PRAGMA page_size=1024");
  std::vector<sqlite::Part> parts;
  parts.push_back({"kernel", sqlite::kernel_migrations()});
  if (!migrations.empty()) parts.push_back({name, std::move(migrations)});
  sqlite::migrate(*this, parts, now);
  execute("ATTACH ':memory:' AS fresh");
  auto rows = run("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND name <> 'schema_migrations'", {});
  while (rows->next()) tables_.push_back(rows->string(0));
  rows.reset();
  for (const auto& table : tables_) {
    if (!run("SELECT 1 FROM main." + table, {})->next()) continue;
    filled_.push_back(table);
    execute(("CREATE TABLE fresh." + table + " AS SELECT * FROM main." + table).c_str());
  }
}

void Disk::wipe() {
  fate = nullptr;
  Connection::transact("BEGIN");
  for (const auto& table : tables_) change("DELETE FROM main." + table, {});
  for (const auto& table : filled_) change("INSERT INTO main." + table + " SELECT * FROM fresh." + table, {});
  Connection::transact("COMMIT");
}

void Disk::transact(std::string_view sql) {
  const auto changes = sqlite3_total_changes64(raw().getHandle());
  if (sql.starts_with("BEGIN")) changes_at_begin_ = changes;
  // What changed nothing writes nothing, and nothing of it can go wrong.
  if (!fate || sql != "COMMIT" || changes == changes_at_begin_) return Connection::transact(sql);
  const auto met = fate();
  Connection::transact(met == Commit::well || met == Commit::stored ? "COMMIT" : "ROLLBACK");
  if (met == Commit::full) throw SQLite::Exception("database or disk is full", SQLITE_FULL);
  if (met != Commit::well) throw SQLite::Exception("disk I/O error", SQLITE_IOERR);
}

Store::Store(Options options) : options_{std::move(options)} {
  sqlite::Writer::Options writer;
  writer.name = options_.name;
  writer.clock = std::make_shared<MortalClock>(options_.clock, dead_);
  writer.on_fatal = options_.on_fatal;
  writer.wake = [this] { wake(); };
  writer_ = std::make_unique<sqlite::Writer>(options_.disk, std::move(writer));
}

void Store::wake() {
  auto& machine = *options_.machine;
  const auto thread = machine.thread(options_.writer);
  Work turn_now([this] { turn(false); });
  if (!*dead_ && options_.dice->chance(options_.slowness->commits)) machine.later(options_.dice->between(1, 400) * ms, thread, std::move(turn_now));
  else machine.crew.post(thread, std::move(turn_now));
}

/// While the disk is full the writer looks again each second, as its thread does.
void Store::turn(bool waited) {
  writer_->turn(waited);
  if (*dead_ || writer_->writable() || probing_) return;
  probing_ = true;
  options_.machine->later(second, options_.machine->thread(options_.writer), Work([this] {
                            probing_ = false;
                            turn(true);
                          }));
}

void Store::close() {
  while (writer_->figures().waiting > 0) writer_->turn();
  writer_->close();
}

Result<bool> Store::read(Moment deadline, const ReadWork& work) {
  if (*dead_) return Error(Errc::unavailable, "the process has ended");
  if (deadline < options_.clock->moment()) return Error(Errc::timeout, "there was no time left to begin");
  sqlite::ReadQuery query(*options_.disk);
  work(query);
  return true;
}

// What was read is of that moment; the answer may come later, when more was committed.
Async<bool> Store::run_read(Moment deadline, ReadWork work) {
  auto start = [this, deadline, work = std::move(work)](storage::Done done) mutable {
    const auto thread = options_.machine->thread(options_.reader);
    options_.machine->crew.post(thread, Work([this, deadline, thread, work = std::move(work), done = std::move(done)]() mutable {
                                  auto result = read(deadline, work);
                                  work = nullptr;
                                  if (*dead_ || !options_.dice->chance(options_.slowness->answers)) return done(std::move(result));
                                  options_.machine->later(
                                      options_.dice->between(1, 50000), thread,
                                      Work([done = std::move(done), result = std::move(result)]() mutable { done(std::move(result)); }));
                                }));
    return true;
  };
  return storage::answered(std::move(start));
}

Async<bool> Store::run_write(Moment deadline, WriteWork work) {
  auto start = [this, deadline, work = std::move(work)](storage::Done done) mutable {
    return writer_->write(std::min(deadline, latest), std::move(work), std::move(done));
  };
  return storage::answered(std::move(start));
}

Result<bool> Store::block_read(ReadWork work) { return read(Moment::max(), work); }

Result<bool> Store::block_write(WriteWork work) {
  std::optional<Result<bool>> answer;
  const bool taken = writer_->write(latest, std::move(work), [&](Result<bool> result) { answer.emplace(std::move(result)); });
  if (!taken) return Error(Errc::unavailable, "the storage is closed");
  while (!answer) writer_->turn();
  return std::move(*answer);
}

}  // namespace loggia::simulation
