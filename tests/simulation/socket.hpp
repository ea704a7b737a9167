#pragma once
// A connection: the server's end, which realtime holds, and the way to the client and back. Bytes keep their order and take time; a
// reader may stall; a cut may be told to both ends, or to one alone.
#include <deque>
#include "loggia/kernel/http.hpp"
#include "loop.hpp"

namespace loggia::simulation {

class World;
class Process;
class Client;

class Socket final : public WebSocket, public std::enable_shared_from_this<Socket> {
 public:
  Socket(World& world, Process& process, Client& client, std::size_t shard, std::uint64_t number);

  // The server's end, on its shard.
  void start(Events events) override { events_ = std::move(events); }
  void send(SharedBytes framed) override;
  std::size_t queued() const override { return queued_; }
  void drop_queue() override {}
  void ping() override;
  void pause_reading(bool paused) override;
  void set_limits(Limits) override {}
  void close(int code, std::string_view reason) override;
  std::size_t shard() const override { return shard_; }

  // The client's end.
  void say(std::string text);
  /// The client hangs up. `server_learns`: else the server finds out by itself.
  void cut(bool server_learns);
  /// Takes nothing until then.
  void stall(Instant until) { stalled_until_ = until; }
  std::uint64_t number() const { return number_; }
  /// From a second after this on nothing of the time line may be sent.
  void revoked(Instant at) { revoked_ = at; }

  void process_gone();
  void refused();

 private:
  void flow();
  void deliver();
  void arrived(const std::string& bytes);
  void to_server();
  void tell_server(std::function<void(Events&)> what);
  void tell_client(int code);
  Instant latency() const;

  World& world_;
  Process* process_;
  Client* client_;  // none: it has hung up
  const std::size_t shard_;
  const std::uint64_t number_;
  Events events_;
  std::deque<SharedBytes> out_;
  std::deque<std::string> in_;
  std::size_t queued_ = 0;
  int closing_ = 0;
  bool flowing_ = false, paused_ = false, speaking_ = false, closed_ = false;
  Instant stalled_until_ = 0, revoked_ = INT64_MAX;
};

}  // namespace loggia::simulation
