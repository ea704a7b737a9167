#pragma once
// A WebSocket whose module is elsewhere: a tunnel of bytes from the client's connection to one instance of that module (contract, section 5).
// The handshake is sent to the instance's inner listener as `GET /rpc` and a path, with the client's Sec-WebSocket-* headers and the Context's
// traceparent and loggia-address (rpc.hpp), and nothing else of what the client sent; what it answers is the client's answer.
#include <boost/asio/awaitable.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>
#include "loggia/kernel/http.hpp"

namespace loggia {

class MutualTls;

/// Takes a checked handshake on the inner listener; the Context says from where it came and as part of what. As HttpHandlers::upgrade.
using UpgradeHandler = std::function<boost::asio::awaitable<std::optional<HttpResponse>>(std::shared_ptr<Upgrade>, Context)>;

/// Where the instances of one module are. Safe from every thread.
class TunnelPeers {
 public:
  virtual ~TunnelPeers() = default;
  /// ADDR:PORT of those that are healthy, from memory; where two are as good, the first is taken.
  virtual std::vector<std::string> addresses() const = 0;
  /// It could not be reached, or did not answer in time.
  virtual void failed(const std::string& address) = 0;
};

struct TunnelOptions {
  std::string module;  // whose instances they are: the name that is expected of their certificates, and in logs and metrics
  std::string path;    // behind `/rpc`, where the module has mounted its upgrades: "/realtime"
  std::shared_ptr<TunnelPeers> peers;
  std::shared_ptr<MutualTls> tls;        // none: plain, on loopback
  milliseconds attempt_timeout{2000};    // from connecting to the head of the answer, with one instance
  milliseconds handshake_timeout{5000};  // with all that are tried
  milliseconds rest{3000};               // an instance that failed is left alone for so long
};

/// Safe on every shard. Outlives the listener whose upgrades it takes.
class Tunnels {
 public:
  virtual ~Tunnels() = default;
  /// A handshake that has been checked, on its connection's shard. Nothing: it was accepted, and bytes go both ways until one side ends.
  /// Else the instance's refusal; or 503 with Retry-After, where no instance answers. Of two healthy ones it takes that with fewer tunnels
  /// from here; one that cannot be reached, or is about to go (503), is followed by the next. `address`: the client's.
  virtual boost::asio::awaitable<std::optional<HttpResponse>> enter(std::shared_ptr<Upgrade> upgrade, std::string address, Trace trace) = 0;
};
std::shared_ptr<Tunnels> tunnels(TunnelOptions options, std::shared_ptr<Shards> shards, std::shared_ptr<Clock> clock, std::shared_ptr<Random> random,
                                 Metrics& metrics);

}  // namespace loggia
