#pragma once
// Threads that read, each with a connection of its own; they never wait for the writer (WAL).
#include "storage/reader_pool.hpp"
#include "storage/writer.hpp"

namespace loggia::sqlite {

class Readers {
 public:
  Readers(std::vector<std::unique_ptr<Connection>> connections, std::string name, std::size_t queue, std::shared_ptr<Clock> clock,
          std::function<void(const std::string&)> on_fatal);
  bool read(Moment deadline, Database::ReadWork work, Done done) { return pool_.read(deadline, std::move(work), std::move(done)); }
  void release_memory();
  void close() { pool_.close(); }

 private:
  Result<bool> worked(Connection& connection, Database::ReadWork& work);

  std::vector<std::unique_ptr<Connection>> connections_;
  std::string name_;
  std::function<void(const std::string&)> on_fatal_;
  storage::ReaderPool pool_;  // last: its threads use the others
};

}  // namespace loggia::sqlite
