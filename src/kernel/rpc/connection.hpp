#pragma once
// One kept-alive connection to a peer: a request at a time, on the shard of its executor. The only place where Beast reads what a peer
// sends, within limits; used by the transport.
#include <boost/asio/ip/tcp.hpp>
#include <memory>
#include <string>
#include "http/tls.hpp"
#include "loggia/kernel/bytes.hpp"
#include "loggia/kernel/shards.hpp"
#include "rpc/form.hpp"

namespace loggia::rpc {

struct Request {
  std::string method, target, host;
  Parameters headers;
  std::string body;
  bool chunked = false;  // bytes follow instead of the body
};

/// How an exchange ended. What the caller may conclude depends on how far it came.
enum class Ending {
  answered,
  unsent,    // no byte of the request went out, or the peer refused our certificate
  silent,    // the peer closed without a byte of an answer
  broken,    // it closed within the answer, or what it sent is no HTTP
  late,      // the time was over
  too_much,  // the answer is larger than answer_max
  given_up,  // the request's own bytes failed: Exchange::why
};
struct Exchange {
  Ending ending = Ending::unsent;
  Received received;
  bool bytes = false;  // answered, and the answer's bytes are still to come: next_piece()
  Error why;
};

/// Of an exchange with bytes: no step of it without a piece takes longer than `step`, and nothing goes on behind `deadline`.
struct Pace {
  Moment deadline;
  milliseconds step;
  std::shared_ptr<Clock> clock;
  /// 0: it is over.
  milliseconds left() const {
    const auto now = clock->moment();
    return deadline <= now ? milliseconds(0) : std::min(step, std::chrono::ceil<milliseconds>(deadline - now));
  }
};

struct Peer {
  boost::asio::ip::tcp::endpoint endpoint;
  std::size_t answer_max = 0;
  std::shared_ptr<http::TlsContext> tls;  // none: plain
  std::string module;                     // with TLS: whose certificate it has to show
};

class Connection {
 public:
  virtual ~Connection() = default;
  /// False: the peer cannot be reached, or not in that time, or it is not who it should be.
  virtual boost::asio::awaitable<bool> connect(milliseconds limit) = 0;
  /// After anything but `answered`, or where `kept()` is false then, the connection is of no more use.
  virtual boost::asio::awaitable<Exchange> exchange(std::shared_ptr<const Request> request, milliseconds limit) = 0;
  /// With bytes up, or down, or both: down they begin when those up are over. On a new connection, which is of no more use afterwards. A peer that
  /// answers before it has read all gets no more, and its answer counts.
  virtual boost::asio::awaitable<Exchange> stream(std::shared_ptr<const Request> request, ByteStream up, Pace pace) = 0;
  /// Of an answer with bytes: empty at its end; an Error where it was cut or is late.
  virtual boost::asio::awaitable<Result<std::string>> next_piece(Pace pace) = 0;
  /// Open, quiet, and as far as can be seen not closed by the peer.
  virtual bool kept() = 0;
  /// Why TLS came to nothing, where it did.
  virtual http::TlsFailure failure() const = 0;
};
std::unique_ptr<Connection> make_connection(const Executor& executor, Peer peer);

}  // namespace loggia::rpc
