#pragma once
// Where the gateway hands sockets over. On the connection's shard.
#include <memory>
#include "hub.hpp"
#include "loggia/realtime/contract.hpp"

namespace loggia::realtime {

class SocketDoors : public Doors {
 public:
  explicit SocketDoors(const std::shared_ptr<Hub>& hub) : hub_{hub} {}
  std::optional<HttpResponse> enter(std::shared_ptr<Upgrade> upgrade, std::string address, const Trace& trace) override;

 private:
  std::weak_ptr<Hub> hub_;  // the module's alone: its ports end before those of whom it asks
};

}  // namespace loggia::realtime
