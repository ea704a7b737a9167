#pragma once
// Where the gateway hands sockets over. On the connection's shard.
#include <memory>
#include "hub.hpp"
#include "loggia/kernel/tunnel.hpp"
#include "loggia/realtime/contract.hpp"

namespace loggia::realtime {

class SocketDoors : public Doors {
 public:
  explicit SocketDoors(const std::shared_ptr<Hub>& hub) : hub_{hub} {}
  boost::asio::awaitable<std::optional<HttpResponse>> enter(std::shared_ptr<Upgrade> upgrade, std::string address, Trace trace) override {
    co_return admit(*upgrade, std::move(address), trace);
  }
  std::optional<HttpResponse> admit(Upgrade& upgrade, std::string address, const Trace& trace);

 private:
  std::weak_ptr<Hub> hub_;  // the module's alone: its ports end before those of whom it asks
};

/// Where realtime is elsewhere: a tunnel to one of its instances, which checks the subprotocol.
class TunnelDoors : public Doors {
 public:
  explicit TunnelDoors(std::shared_ptr<Tunnels> tunnels) : tunnels_{std::move(tunnels)} {}
  boost::asio::awaitable<std::optional<HttpResponse>> enter(std::shared_ptr<Upgrade> upgrade, std::string address, Trace trace) override {
    return tunnels_->enter(std::move(upgrade), std::move(address), std::move(trace));
  }

 private:
  const std::shared_ptr<Tunnels> tunnels_;
};

}  // namespace loggia::realtime
