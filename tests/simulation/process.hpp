#pragma once
// One life of the process: chat, realtime, the log and a group that consumes it, all of them the real ones.
#include "between.hpp"
#include "loggia/auth/verifier.hpp"
#include "loggia/kernel/module.hpp"
#include "loggia/realtime/contract.hpp"

namespace loggia::simulation {

class World;
class Socket;

/// A token is `USER/SESSION`.
class Doorman final : public auth::Verifier {
 public:
  explicit Doorman(World& world) : world_{world} {}
  Result<auth::Verified> verify(std::string_view token) const override;
  std::string jwks() const override { return "{}"; }
  Watch on_revoked(std::function<void(UserId, SessionId)> handler) override;
  bool in_contact() const override;

 private:
  World& world_;
};

class Process {
 public:
  explicit Process(World& world);
  ~Process();
  void start();
  /// Stops being: nothing that it does from now on reaches anybody.
  void kill();
  void drain();

  /// Runs `handler` in a task on a shard, for a request that comes over HTTP. Its answer is given to the world, where the process lives
  /// until then.
  template <class R, class P> void ask(const Context& context, R request, std::function<void(Result<typename R::Reply>)> heard) {
    auto port = kernel.ports.get<P>();
    const auto shard = static_cast<std::size_t>(pick(static_cast<std::int64_t>(machine->size())));
    tasks->spawn(machine->executor(shard), "simulation.request", asking<R>(std::move(port), context, std::move(request), std::move(heard)));
  }
  /// What is not handled yet, or waits in a queue.
  std::optional<std::string> busy() const;
  /// Puts a handshake on a shard.
  void connect(std::shared_ptr<Socket> socket);

  std::shared_ptr<Machine> machine;
  std::shared_ptr<Store> chat_store, audit_store;
  std::shared_ptr<Relay> bus;
  Kernel kernel;
  std::unique_ptr<Tasks> tasks;
  std::vector<std::weak_ptr<Socket>> sockets;
  bool alive = true;

 private:
  template <class R, class P>
  boost::asio::awaitable<void> asking(std::shared_ptr<P> port, Context context, R request, std::function<void(Result<typename R::Reply>)> heard) {
    auto call = static_cast<Slot<R>&>(*port).on(std::move(context), std::move(request));
    auto reply = co_await std::move(call);
    if (alive) heard(std::move(reply));
  }
  std::int64_t pick(std::int64_t count);
  std::shared_ptr<Store> open(const std::string& name, Machine::Role writer, Machine::Role reader, std::shared_ptr<Disk> disk);
  void subscribe(const std::string& topic);
  Async<Apply> audit(Context context, EventPtr event);

  World& world_;
  std::shared_ptr<Bus> real_bus_;
  std::unique_ptr<Module> chat_, realtime_;
};

/// The disks of all worlds, one after the other.
std::shared_ptr<Disk> chat_disk();
std::shared_ptr<Disk> audit_disk();

}  // namespace loggia::simulation
