#pragma once
// Threads that read, each with a connection of its own; they never wait for the writer (WAL).
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>
#include "storage/writer.hpp"

namespace loggia::sqlite {

class Readers {
 public:
  Readers(std::vector<std::unique_ptr<Connection>> connections, std::string name, std::size_t queue, std::shared_ptr<Clock> clock,
          std::function<void(const std::string&)> on_fatal);
  ~Readers();
  bool read(Moment deadline, Database::ReadWork work, Done done);
  void release_memory();
  void close();

 private:
  struct Job {
    Moment deadline;
    Database::ReadWork work;
    Done done;
  };
  void run(Connection& connection);
  void answer(Connection& connection, Job& job);
  Result<bool> worked(Connection& connection, Job& job);

  std::vector<std::unique_ptr<Connection>> connections_;
  std::string name_;
  std::size_t queue_max_;
  std::shared_ptr<Clock> clock_;
  std::function<void(const std::string&)> on_fatal_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Job> queue_;
  bool closing_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace loggia::sqlite
