#pragma once
// A WebSocket handshake sent to one instance's inner listener, and what it answers. Used by the tunnels, on the connection's shard.
#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include "http/tunnel.hpp"

namespace loggia {
class MutualTls;
}

namespace loggia::rpc {

struct Knock {
  boost::asio::ip::tcp::endpoint peer;
  std::string request;  // the handshake's bytes
  std::string accept;   // what Sec-WebSocket-Accept has to be
  std::string module;   // expected of the peer's certificate
  std::shared_ptr<MutualTls> tls;
  milliseconds limit{2000};
};

/// One of `far` and `refusal`; or neither, and `why` not.
struct Knocked {
  std::optional<http::FarEnd> far;
  std::optional<HttpResponse> refusal;
  std::string why;
  http::TlsFailure tls = http::TlsFailure::none;
};
/// Throws what a cancelled wait throws.
boost::asio::awaitable<Knocked> knock(std::shared_ptr<Shards> shards, std::size_t shard, std::shared_ptr<const Knock> knock);

/// The head of an instance's answer, with its empty line. Nothing where it is none of our listener's.
struct AnswerHead {
  int status = 0;
  Parameters headers;  // names in lower case
  std::size_t length = 0;
  std::string_view header(std::string_view name) const;
};
std::optional<AnswerHead> read_answer_head(std::string_view head);

}  // namespace loggia::rpc
