#pragma once
// Threads that read, each with a connection of its own, made when it is first needed; they never wait for the writer.
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>
#include "storage/postgres/writer.hpp"

namespace loggia::postgres {

class Readers {
 public:
  Readers(Target target, std::size_t count, std::size_t queue, std::shared_ptr<Clock> clock, std::shared_ptr<Clock> real,
          std::shared_ptr<Random> random);
  ~Readers();
  /// False, with nothing called, when the queue is full or closed.
  bool read(Moment deadline, Database::ReadWork work, Done done);
  void close();

 private:
  struct Job {
    Moment deadline;
    Database::ReadWork work;
    Done done;
  };
  struct Reader {
    std::unique_ptr<Connection> connection;
    Backoff backoff;
  };
  void run(Reader& reader);
  Result<bool> worked(Reader& reader, Job& job);
  bool ready(Reader& reader);
  Result<bool> failed(Reader& reader, const std::exception& problem);

  Target target_;
  std::size_t queue_max_;
  std::shared_ptr<Clock> clock_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Job> queue_;
  bool closing_ = false;
  std::vector<std::unique_ptr<Reader>> readers_;
  std::vector<std::thread> threads_;
};

}  // namespace loggia::postgres
