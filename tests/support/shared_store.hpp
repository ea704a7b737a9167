#pragma once
// A store that says that other processes may write to it, also where it is a file of SQLite; and a moment behind each piece of work.
#include "loggia/kernel/storage.hpp"

namespace loggia::test {

class SharedStore final : public Database {
 public:
  explicit SharedStore(std::shared_ptr<Database> store) : store_{std::move(store)} {}
  std::function<void()> meanwhile;  // happens, once, when the next piece of work is done and before whoever asked for it has heard

  StorageFigures figures() const override { return store_->figures(); }
  bool writable() const override { return store_->writable(); }
  std::string name() const override { return store_->name(); }
  bool shared() const override { return true; }
  void close() override { store_->close(); }

 protected:
  Async<bool> run_read(Moment, ReadWork work) override {
    auto done = co_await store_->read(Context(), read_of(std::move(work)));
    happen();
    co_return done;
  }
  Async<bool> run_write(Moment, WriteWork work) override {
    auto done = co_await store_->write(Context(), write_of(work));
    happen();
    co_return answer(done);
  }
  Result<bool> block_read(ReadWork work) override { return store_->read_now(read_of(std::move(work))); }
  Result<bool> block_write(WriteWork work) override { return answer(store_->write_now(write_of(work))); }

 private:
  using Reading = std::function<Result<bool>(Query&)>;
  using Writing = std::function<Result<bool>(Transaction&)>;
  static Reading read_of(ReadWork work) {
    return [work = std::move(work)](Query& query) -> Result<bool> {
      work(query);
      return true;
    };
  }
  static Writing write_of(const WriteWork& work) {
    return [work](Transaction& transaction) -> Result<bool> {
      if (work(transaction)) return true;
      return Error(Errc::conflict, refused);
    };
  }
  /// What was refused is told by the work itself.
  static Result<bool> answer(const Result<bool>& done) {
    if (!done && done.error().detail == refused) return true;
    return done;
  }
  void happen() {
    if (meanwhile) std::exchange(meanwhile, nullptr)();
  }
  static constexpr const char* refused = "the work was refused";
  const std::shared_ptr<Database> store_;
};

}  // namespace loggia::test
