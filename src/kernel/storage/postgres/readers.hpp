#pragma once
// Threads that read, each with a connection of its own, made when it is first needed; they never wait for the writer.
#include "storage/postgres/writer.hpp"
#include "storage/reader_pool.hpp"

namespace loggia::postgres {

class Readers {
 public:
  Readers(Target target, std::size_t count, std::size_t queue, std::shared_ptr<Clock> clock, std::shared_ptr<Clock> real,
          std::shared_ptr<Random> random);
  ~Readers();
  /// False, with nothing called, when the queue is full or closed.
  bool read(Moment deadline, Database::ReadWork work, Done done) { return pool_.read(deadline, std::move(work), std::move(done)); }
  void close();

 private:
  struct Reader {
    std::unique_ptr<Connection> connection;
    Backoff backoff;
  };
  static std::vector<std::unique_ptr<Reader>> made(std::size_t count, const std::shared_ptr<Clock>& real, const std::shared_ptr<Random>& random);
  Result<bool> worked(Reader& reader, Moment deadline, Database::ReadWork& work);
  bool ready(Reader& reader);
  Result<bool> failed(Reader& reader, const std::exception& problem);

  Target target_;
  std::shared_ptr<Clock> clock_;
  std::vector<std::unique_ptr<Reader>> readers_;
  storage::ReaderPool pool_;  // last: its threads use the others
};

}  // namespace loggia::postgres
