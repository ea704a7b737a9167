#include "storage/postgres/readers.hpp"
#include <pthread.h>
#include <algorithm>
#include "loggia/kernel/log.hpp"

namespace loggia::postgres {

Readers::Readers(Target target, std::size_t count, std::size_t queue, std::shared_ptr<Clock> clock, std::shared_ptr<Clock> real,
                 std::shared_ptr<Random> random)
    : target_{std::move(target)}, queue_max_{queue}, clock_{std::move(clock)} {
  for (std::size_t at = 0; at < count; ++at) readers_.push_back(std::unique_ptr<Reader>(new Reader{nullptr, Backoff(real, random)}));
  for (auto& reader : readers_) {
    threads_.emplace_back([this, &reader] { run(*reader); });
    pthread_setname_np(threads_.back().native_handle(), (target_.name.substr(0, 8) + "-reader").c_str());
  }
}

Readers::~Readers() { close(); }

bool Readers::read(Moment deadline, Database::ReadWork work, Done done) {
  {
    const std::lock_guard lock(mutex_);
    if (closing_ || queue_.size() >= queue_max_) return false;
    queue_.push_back({deadline, std::move(work), std::move(done)});
  }
  wake_.notify_one();
  return true;
}

void Readers::close() {
  {
    const std::lock_guard lock(mutex_);
    closing_ = true;
  }
  wake_.notify_all();
  for (auto& thread : threads_)
    if (thread.joinable()) thread.join();
  readers_.clear();
}

void Readers::run(Reader& reader) {
  for (;;) {
    std::unique_lock lock(mutex_);
    wake_.wait(lock, [this] { return closing_ || !queue_.empty(); });
    if (queue_.empty()) return;
    auto job = std::move(queue_.front());
    queue_.pop_front();
    lock.unlock();
    auto result = worked(reader, job);
    job.work = nullptr;  // it may hold the last reference to who made it: gone before anybody hears
    job.done(std::move(result));
  }
}

/// With a connection that is alive as far as one sees.
bool Readers::ready(Reader& reader) {
  if (reader.connection && reader.connection->alive()) return true;
  const bool had_one = reader.connection != nullptr;
  reader.connection.reset();
  if (!had_one && !reader.backoff.due()) return false;
  try {
    reader.connection = std::make_unique<Connection>(target_);
    reader.backoff.succeeded();
    return true;
  } catch (const Failure& failure) {
    if (!reader.backoff.failing()) log::error("storage.reader_not_connected", Field("store", target_.name), Field("why", failure.what()));
    reader.backoff.failed();
    return false;
  }
}

Result<bool> Readers::worked(Reader& reader, Job& job) {
  const auto now = clock_->moment();
  if (job.deadline < now) return Error(Errc::timeout, "there was no time left to begin");
  if (!ready(reader)) return away();
  auto& connection = *reader.connection;
  try {
    // One moment for all that the work reads, and no longer than the caller waits.
    connection.send("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", {});
    if (job.deadline - now < target_.statement) {
      const auto left = std::to_string(std::max<std::int64_t>(1, std::chrono::ceil<milliseconds>(job.deadline - now).count()));
      const Parameter parameters[] = {Parameter(left)};
      connection.send("SELECT set_config('statement_timeout', ?1, true)", parameters);
    }
    ReadQuery query(connection);
    job.work(query);
    if (const auto& problem = connection.failed()) throw Failure(*problem);
    connection.send("COMMIT", {});
    connection.settle();
    return true;
  } catch (const std::exception& problem) {
    return failed(reader, problem);
  }
}

Result<bool> Readers::failed(Reader& reader, const std::exception& problem) {
  // What the work threw may be a consequence.
  const auto known = reader.connection->failed();
  const auto trouble = known ? known->trouble : Trouble::command;
  log::error("storage.read_failed", Field("store", target_.name), Field("why", known ? known->what() : problem.what()));
  try {
    reader.connection->clear();
    reader.connection->send("ROLLBACK", {});
    reader.connection->settle();
  } catch (const Failure&) {
    reader.connection.reset();
  }
  if (trouble == Trouble::lost) return away();
  if (trouble == Trouble::late) return no_time();
  return Error(Errc::internal, "the storage failed");
}

}  // namespace loggia::postgres
