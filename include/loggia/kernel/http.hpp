#pragma once
// The HTTP/1.1 listener (RFC 9112) behind a guard, and what a handler sees of a request. Nothing of Beast shows here.
#include <boost/asio/awaitable.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>
#include "loggia/kernel/context.hpp"
#include "loggia/kernel/metrics.hpp"
#include "loggia/kernel/router.hpp"
#include "loggia/kernel/shards.hpp"

namespace loggia {

class MutualTls;

namespace http {
struct FarEnd;
}

struct HttpRequest {
  std::string method;
  std::string target;  // as sent
  std::string path;    // percent-decoded; no dot segments, no empty ones: such a target was refused
  Parameters query;    // percent-decoded, in order
  Parameters headers;  // names in lower case
  std::string body;
  ByteStream bytes;    // instead, where HttpHandlers::streams says so
  std::string remote;  // the peer's address without port
  bool tls = false;
  /// With mutual TLS: the modules in the peer's verified certificate. Else null.
  std::shared_ptr<const std::vector<std::string>> peer;
  /// The first header of that (lower-case) name, or empty.
  std::string_view header(std::string_view name) const;
  bool has(std::string_view name) const;
};

struct HttpResponse {
  int status = 200;
  Parameters headers;
  std::string body;
  /// Instead of `body`: bytes that many responses share (the web client).
  std::shared_ptr<const std::string> shared_body;
  /// Instead of both: sent chunk by chunk as they come, until that moment. Where they fail the connection is closed in the middle, which the client
  /// sees.
  ByteStream bytes;
  Moment until = Moment::max();
};

/// Bytes that many connections send: framed once. Immutable.
using SharedBytes = std::shared_ptr<const std::string>;

/// A WebSocket message or close as the server sends it (RFC 6455, unmasked): framed once for every reader.
std::string frame_text(std::string_view text);
void append_frame(std::string& out, std::string_view text);

/// One side of an upgraded connection, on its shard. Text messages only; others close with 1003. Every callback comes on the shard,
/// never from inside a call. The owner keeps the pointer; dropping it closes the connection hard.
class WebSocket {
 public:
  struct Limits {
    std::size_t message_max = 64u << 10;  // 1009 beyond, also of what was compressed
    bool deflate = false;                 // at the handshake: take permessage-deflate where it is offered
  };
  struct Events {
    std::function<void(std::string_view text)> message;
    /// Any sign of life: a frame, a pong.
    std::function<void()> alive;
    /// The queue has been written out.
    std::function<void()> drained;
    /// Once, last. `code` as received or sent (RFC 6455, 7.4); 1006 without a close frame.
    std::function<void(int code)> closed;
  };
  virtual ~WebSocket() = default;
  virtual void start(Events events) = 0;
  /// Appends framed bytes (frame_text) to the queue. What one loop turn appends goes out in one gathered write.
  virtual void send(SharedBytes framed) = 0;
  virtual std::size_t queued() const = 0;  // bytes not yet handed to the system
  /// Drops what is queued and not being written.
  virtual void drop_queue() = 0;
  virtual void ping() = 0;
  virtual void pause_reading(bool paused) = 0;
  virtual void set_limits(Limits limits) = 0;
  /// Sends what is queued, then a close frame; the connection ends 2 s later at the latest.
  virtual void close(int code, std::string_view reason) = 0;
  virtual std::size_t shard() const = 0;
};

/// A checked WebSocket handshake whose answer has not been sent. On the connection's shard.
class Upgrade {
 public:
  virtual ~Upgrade() = default;
  virtual const HttpRequest& request() const = 0;
  virtual std::size_t shard() const = 0;
  /// Answers 101 with that subprotocol (empty: none) and hands the socket over; no bytes read too early are lost.
  virtual std::shared_ptr<WebSocket> accept(std::string_view subprotocol, WebSocket::Limits limits) = 0;
  /// Hands over a tunnel to who has accepted it elsewhere (tunnel.hpp), whose answer becomes ours; no bytes read too early are lost.
  virtual void join(http::FarEnd far);
};

struct HttpHandlers {
  /// Runs on the connection's shard. What it throws is 500 `internal`, logged.
  std::function<boost::asio::awaitable<HttpResponse>(HttpRequest)> request;
  /// Whether the body of a request that has one, and of which there is the head, is left to its handler to be read. None: of none is. A client that
  /// sends nothing for body_timeout is late.
  std::function<bool(const HttpRequest&)> streams;
  /// For a request that asks for a WebSocket: answer with a response, or call `upgrade->accept` or `join` and return nothing.
  std::function<boost::asio::awaitable<std::optional<HttpResponse>>(std::shared_ptr<Upgrade>)> upgrade;
  /// The body of what the guard refuses before any handler: problem+json. Default: none.
  std::function<HttpResponse(int status, std::string_view detail)> refusal;
  /// A connection has ended in its handshake; it got no answer. On its shard. Reasons: http/tls.hpp.
  std::function<void(std::string_view reason, const std::string& remote)> tls_refused;
};

struct HttpServerOptions {
  std::string listen = "127.0.0.1:0";  // ADDR:PORT, [::1]:PORT
  std::size_t header_max = 16u << 10, target_max = 8u << 10, body_max = 1u << 20;
  std::size_t connections_max = 20000;
  milliseconds header_timeout{10000}, body_timeout{30000}, idle_timeout{60000}, write_timeout{30000};
  std::string certificate, private_key;  // PEM files; both or none
  std::shared_ptr<MutualTls> mutual;     // instead of those: for other modules alone
  std::string name = "http";             // in logs and metrics
  /// Headers loggia-* say between modules who asks. From anybody else they are nobody's: no handler sees them, and they are counted.
  bool takes_identity = false;
  /// A good part of a crowd has gone some seconds ago, and what it had can be given back to the system. On a shard: return at once.
  std::function<void()> on_calm;
};

class HttpServer {
 public:
  virtual ~HttpServer() = default;
  /// Binds and begins to accept. Errors name the address and what to do (in use, no permission).
  virtual Result<bool> start() = 0;
  virtual std::string address() const = 0;  // ADDR:PORT, the real one
  /// Accepts no more, ends idle connections, lets running requests finish. Upgraded sockets are their owner's; tunnels, which have none, are
  /// closed a second later with 1001, between two frames.
  virtual void drain() = 0;
  /// Ends the rest; blocks until all have ended. Not from a shard.
  virtual void stop() = 0;
  virtual std::size_t connections() const = 0;
  virtual std::size_t tunnels() const = 0;  // of these
  /// No handler runs, and no tunnel is open: a process that drains waits for this.
  virtual bool drained() const = 0;
  /// Reads certificate and key again, for connections from now on; at an error the old ones stay. Without TLS it does nothing.
  virtual Result<bool> reload_certificate() = 0;
};
std::shared_ptr<HttpServer> http_server(HttpServerOptions options, std::shared_ptr<Shards> shards, std::shared_ptr<Clock> clock, Metrics& metrics,
                                        HttpHandlers handlers);

/// A problem document (RFC 9457) of the contract, section 2.
HttpResponse problem(const Error& error, const Trace& trace);
/// The same for a status that no Errc stands for: what the guard refuses (408, 414, 426, 431, 505 …).
HttpResponse problem(int status, std::string_view detail, const Trace& trace);

}  // namespace loggia
