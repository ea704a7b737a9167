#pragma once
// The protocol loggia.v1 (contract, section 3). Realtime answers no requests of other modules; the gateway hands it sockets.
#include <memory>
#include "loggia/kernel/http.hpp"

namespace loggia::realtime {

/// Here, the socket itself; elsewhere, a tunnel.
class Doors {
 public:
  virtual ~Doors() = default;
  /// A handshake whose Origin the gateway has checked, on its connection's shard. Realtime checks the subprotocol and accepts, or
  /// gives the response of a refusal, under the trace of the handshake. `address` is the client's, after trusted proxies.
  virtual boost::asio::awaitable<std::optional<HttpResponse>> enter(std::shared_ptr<Upgrade> upgrade, std::string address, Trace trace) = 0;
};

}  // namespace loggia::realtime
