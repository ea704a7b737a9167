#pragma once
// Contracts between processes: the Transport that carries a call to another process over HTTP/1.1 with mutual TLS, and the inner listener
// that answers it there. One instance: discovery and balancing stand on top (contract, section 5). Without TLS on loopback only.
//
// A call on the wire: the route's own method, `/rpc` and the route's path as it is declared (`/rpc/users/{id}`), every parameter in the
// query string, the body as JSON. Parameters stay out of the path, so that any text arrives as it was sent: "", "..", "a/b".
// The Context travels in headers, each text percent-encoded:
//   traceparent, idempotency-key          as everywhere
//   loggia-timeout                        milliseconds that are left
//   loggia-subject, -session, -username, -roles (by commas), -module     the caller
//   loggia-address, loggia-client         where the request came from
// With TLS `-module` is what the caller's certificate says, and the other headers about the caller count from those alone who speak for people.
// A WebSocket handshake is a request like another, to the path that on_upgrade() names (tunnel.hpp).
// Bytes (bytes.hpp) are chunked, with the declared parameters in the query string; what an answer says beside them is in loggia-reply. A connection
// that ends within them is a cut, which both sides see. An error is the problem document of the contract, section 2, and comes back as the same
// Error.
#include <functional>
#include <memory>
#include <string>
#include "loggia/kernel/metrics.hpp"
#include "loggia/kernel/mutual_tls.hpp"
#include "loggia/kernel/permissions.hpp"
#include "loggia/kernel/router.hpp"
#include "loggia/kernel/shards.hpp"
#include "loggia/kernel/tunnel.hpp"

namespace loggia {

struct RpcTransportOptions {
  std::string address;                 // ADDR:PORT of one instance
  std::shared_ptr<MutualTls> tls;      // none: plain, for loopback
  std::string module;                  // with TLS: what the peer's certificate has to name
  bool carries_people = true;          // false: this process may speak only as a module, so who asks stays here
  std::size_t idle_max = 64;           // connections kept for the next call, on each shard
  std::size_t request_max = 4u << 20;  // bytes of a body; a larger one is refused before it is sent: too_large
  std::size_t answer_max = 16u << 20;
  milliseconds connect_timeout{2000};
  milliseconds call_timeout{30000};  // of a call whose Context has no deadline; with bytes: of each step of it
  milliseconds idle_timeout{20000};  // shorter than the listener's, which would close first
  std::shared_ptr<Metrics> metrics;  // counts peers that were refused; may be none
};

/// To one instance. Beside the result it says how far the call came, of which a balancer makes more than a caller may.
class InstanceTransport : public Transport {
 public:
  enum class Reach {
    untried,      // nothing was learnt of the instance: no time was left, or the request is too large
    unsent,       // no connection, or none on which a byte of the call went out
    lost,         // the connection ended without an answer
    turned_away,  // it said that it is starting or stopping: the call was not begun
    late,         // nothing came in time
    answered,     // an error counts
  };
  /// `reach` is the caller's and outlives the call.
  virtual Async<Answer> attempt(Context context, Call call, Reach* reach) = 0;
  Async<Answer> send(Context context, Call call) final;
};

/// Safe on every shard; a call answers on the shard where it began. Outlives its proxies; destroyed when no call is under way.
/// Beside what the peer answers: `timeout` when the deadline is over; `unavailable` where nothing happened; `outcome_unknown` where a
/// request that changes something was sent and no answer came. Only what may be sent twice (GET; a route that takes an Idempotency-Key,
/// with one) is, once, when a kept connection turns out to have been closed.
/// A peer that is not who it should be got nothing: `unavailable`, and the log has why. An address that is none, or TLS without a module:
/// Errc::invalid_request.
Result<std::shared_ptr<InstanceTransport>> rpc_transport(RpcTransportOptions options, std::shared_ptr<Shards> shards, std::shared_ptr<Clock> clock);

struct RpcListenerOptions {
  std::string listen = "127.0.0.1:0";  // ADDR:PORT
  std::size_t body_max = 4u << 20;
  std::shared_ptr<MutualTls> tls;
  RpcPermits permits;  // with TLS: who may call what, asked on every call
  /// Whether modules answer yet, or still. While they do not, callers are turned away with 503 `unavailable`, and know that nothing was begun. Any
  /// thread.
  std::function<bool()> serving;
};

/// The inner listener: routes of every access, the internal ones too. Without TLS it believes the identity that a caller names, and start()
/// refuses any address but loopback. With TLS a caller is who its certificate says, and what it may not is 403 `forbidden`.
/// loggia_rpc_refused_total counts who got nothing, by reason: plain, version, no_certificate, foreign, expired, other (of the handshake), by_peer
/// (it refused ours); module (may not call that); identity (named a person for whom it does not speak: answered, but as the module alone).
class RpcListener : public Router {
 public:
  /// For routes that are answered while modules are not. Before start().
  virtual Router& always() = 0;
  /// `path` behind `/rpc`; who may call `GET` and the path may open sockets there. Before start().
  virtual void on_upgrade(std::string path, UpgradeHandler handler) = 0;
  virtual Result<bool> start() = 0;
  virtual std::string address() const = 0;  // ADDR:PORT, the real one
  /// Reads certificate, key and CA bundle again, for connections from now on; at an error the old ones stay. Without TLS it does nothing.
  virtual Result<bool> reload() = 0;
  /// Accepts no more, lets running calls finish.
  virtual void drain() = 0;
  /// Of modules that are being answered, without those that are always. Any thread.
  virtual std::size_t calls() const = 0;
  /// No call is being answered.
  virtual bool drained() const = 0;
  /// Ends the rest; blocks until all have ended. Not from a shard.
  virtual void stop() = 0;
};
std::shared_ptr<RpcListener> rpc_listener(RpcListenerOptions options, std::shared_ptr<Shards> shards, std::shared_ptr<Clock> clock,
                                          std::shared_ptr<Metrics> metrics);

}  // namespace loggia
