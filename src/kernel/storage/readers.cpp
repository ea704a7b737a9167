#include "storage/readers.hpp"
#include <pthread.h>
#include "loggia/kernel/log.hpp"

namespace loggia::sqlite {

Readers::Readers(std::vector<std::unique_ptr<Connection>> connections, std::string name, std::size_t queue, std::shared_ptr<Clock> clock,
                 std::function<void(const std::string&)> on_fatal)
    : connections_{std::move(connections)}, name_{std::move(name)}, queue_max_{queue}, clock_{std::move(clock)}, on_fatal_{std::move(on_fatal)} {
  for (auto& connection : connections_) {
    threads_.emplace_back([this, &connection] { run(*connection); });
    pthread_setname_np(threads_.back().native_handle(), (name_.substr(0, 8) + "-reader").c_str());
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

void Readers::release_memory() {
  for (const auto& connection : connections_) connection->release_memory();
}

void Readers::close() {
  {
    const std::lock_guard lock(mutex_);
    closing_ = true;
  }
  wake_.notify_all();
  for (auto& thread : threads_)
    if (thread.joinable()) thread.join();
}

void Readers::run(Connection& connection) {
  for (;;) {
    std::unique_lock lock(mutex_);
    wake_.wait(lock, [this] { return closing_ || !queue_.empty(); });
    if (queue_.empty()) return;
    auto job = std::move(queue_.front());
    queue_.pop_front();
    lock.unlock();
    answer(connection, job);
  }
}

void Readers::answer(Connection& connection, Job& job) {
  auto result = worked(connection, job);
  job.work = nullptr;  // it may hold the last reference to who made it: gone before anybody hears
  job.done(std::move(result));
}

Result<bool> Readers::worked(Connection& connection, Job& job) {
  if (job.deadline < clock_->moment()) return Error(Errc::timeout, "there was no time left to begin");
  try {
    // One moment for all that the work reads.
    connection.transact("BEGIN");
    ReadQuery query(connection);
    job.work(query);
    connection.transact("COMMIT");
    return true;
  } catch (const std::exception& problem) {
    log::error("storage.read_failed", Field("store", name_), Field("why", problem.what()));
    try {
      connection.execute("ROLLBACK");
    } catch (const SQLite::Exception&) {
      // Nothing was open.
    }
    const auto* storage = dynamic_cast<const SQLite::Exception*>(&problem);
    if (storage && trouble_of(*storage) == Trouble::fatal && on_fatal_) on_fatal_("the storage of " + name_ + " failed: " + problem.what());
    return Error(Errc::internal, "the storage failed");
  }
}

}  // namespace loggia::sqlite
