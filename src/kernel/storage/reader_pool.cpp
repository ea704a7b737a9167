#include "storage/reader_pool.hpp"
#include <pthread.h>
#include <utility>

namespace loggia::storage {

ReaderPool::ReaderPool(const std::string& name, std::size_t readers, std::size_t queue, std::shared_ptr<Clock> clock, Work work)
    : queue_max_{queue}, clock_{std::move(clock)}, work_{std::move(work)} {
  for (std::size_t at = 0; at < readers; ++at) {
    threads_.emplace_back([this, at] { run(at); });
    pthread_setname_np(threads_.back().native_handle(), (name.substr(0, 8) + "-reader").c_str());
  }
}

ReaderPool::~ReaderPool() { close(); }

bool ReaderPool::read(Moment deadline, Database::ReadWork work, Done done) {
  {
    const std::lock_guard lock(mutex_);
    if (closing_ || queue_.size() >= queue_max_) return false;
    queue_.push_back({deadline, std::move(work), std::move(done)});
  }
  wake_.notify_one();
  return true;
}

void ReaderPool::close() {
  {
    const std::lock_guard lock(mutex_);
    closing_ = true;
  }
  wake_.notify_all();
  for (auto& thread : threads_)
    if (thread.joinable()) thread.join();
}

void ReaderPool::run(std::size_t reader) {
  for (;;) {
    std::unique_lock lock(mutex_);
    wake_.wait(lock, [this] { return closing_ || !queue_.empty(); });
    if (queue_.empty()) return;
    auto job = std::move(queue_.front());
    queue_.pop_front();
    lock.unlock();
    auto result = job.deadline < clock_->moment() ? Result<bool>(Error(Errc::timeout, "there was no time left to begin"))
                                                  : work_(reader, job.deadline, job.work);
    job.work = nullptr;  // it may hold the last reference to who made it: gone before anybody hears
    job.done(std::move(result));
  }
}

}  // namespace loggia::storage
