#pragma once
// The threads that read beside the writer, whatever the engine: one queue with a bound, and each takes the next that waits.
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>
#include "loggia/kernel/storage.hpp"
#include "storage/done.hpp"

namespace loggia::storage {

/// Safe from every thread.
class ReaderPool {
 public:
  /// Runs on the thread of reader `reader`, which runs nothing else meanwhile.
  using Work = std::function<Result<bool>(std::size_t reader, Moment deadline, Database::ReadWork& work)>;
  /// `name`: of the store, for the threads.
  ReaderPool(const std::string& name, std::size_t readers, std::size_t queue, std::shared_ptr<Clock> clock, Work work);
  ~ReaderPool();
  /// False, with nothing called, when the queue is full or closed.
  bool read(Moment deadline, Database::ReadWork work, Done done);
  /// What was taken is finished. Blocks.
  void close();

 private:
  struct Job {
    Moment deadline;
    Database::ReadWork work;
    Done done;
  };
  void run(std::size_t reader);

  std::size_t queue_max_;
  std::shared_ptr<Clock> clock_;
  Work work_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Job> queue_;
  bool closing_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace loggia::storage
