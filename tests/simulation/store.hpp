#pragma once
// A module's database whose threads are a crew's, on the real writer and the real SQL. The disk, a connection in memory, outlives the
// process; what was not committed does not.
#include "loop.hpp"
#include "storage/writer.hpp"

namespace loggia::simulation {

/// What a commit may meet.
enum class Commit { well, lost, stored, full };  // lost, stored: an I/O error, and it did not or did happen

class Disk final : public sqlite::Connection {
 public:
  Disk(const std::string& name, std::vector<Migration> migrations, Time now);
  void transact(std::string_view sql) override;
  /// All rows go but those that the migrations made: the disk of a new world.
  void wipe();
  std::function<Commit()> fate;  // asked at each commit

 private:
  std::vector<std::string> tables_, filled_;
  std::int64_t changes_at_begin_ = 0;
};

/// How slow a store is by chance; per thousand.
struct Slowness {
  int commits = 0, answers = 0;
};

class Store final : public Database {
 public:
  struct Options {
    std::string name;
    std::shared_ptr<Machine> machine;
    Machine::Role writer, reader;
    std::shared_ptr<Disk> disk;
    std::shared_ptr<Clock> clock;
    std::function<void(const std::string&)> on_fatal;
    Dice* dice;
    const Slowness* slowness;
  };
  explicit Store(Options options);
  /// The process has ended: nothing more is read or written, and who waits hears so.
  void kill() { *dead_ = true; }

  StorageFigures figures() const override { return writer_->figures(); }
  bool writable() const override { return writer_->writable(); }
  std::string name() const override { return options_.name; }
  void close() override;

 protected:
  Async<bool> run_read(Moment deadline, ReadWork work) override;
  Async<bool> run_write(Moment deadline, WriteWork work) override;
  Result<bool> block_read(ReadWork work) override;
  Result<bool> block_write(WriteWork work) override;

 private:
  void wake();
  void turn(bool waited);
  Result<bool> read(Moment deadline, const ReadWork& work);

  Options options_;
  std::shared_ptr<bool> dead_ = std::make_shared<bool>(false);
  std::unique_ptr<sqlite::Writer> writer_;
  bool probing_ = false;
};

}  // namespace loggia::simulation
