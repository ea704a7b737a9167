#include "rpc/connection.hpp"
#include <sys/socket.h>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <cerrno>

namespace loggia::rpc {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace beast_http = boost::beast::http;
using boost::system::error_code;
using Incoming = beast_http::response_parser<beast_http::string_body>;

/// Bounded: without a bound, Beast 1.81 takes chunk trailers of any length.
constexpr std::size_t buffer_max = 64u << 10, head_max = 16u << 10, read_size = 32u << 10;

/// RFC 9112, section 3. The names and values are ours and hold no line end.
std::string outgoing(const Request& request) {
  std::string out = request.method + " " + request.target + " HTTP/1.1\r\nHost: " + request.host + "\r\n";
  for (const auto& [name, value] : request.headers) out += name + ": " + value + "\r\n";
  if (!request.body.empty()) out += "Content-Type: application/json\r\n";
  if (!request.body.empty() || request.method != "GET") out += "Content-Length: " + std::to_string(request.body.size()) + "\r\n";
  return out + "\r\n" + request.body;
}

Ending ending_of(const error_code& error, bool began) {
  if (error == beast::error::timeout) return Ending::late;
  if (error == beast_http::error::body_limit || error == beast_http::error::header_limit || error == beast_http::error::buffer_overflow)
    return Ending::too_much;
  return began ? Ending::broken : Ending::silent;
}

class TcpConnection final : public Connection {
 public:
  TcpConnection(Executor executor, asio::ip::tcp::endpoint peer, std::size_t answer_max)
      : stream_{std::move(executor)}, peer_{std::move(peer)}, answer_max_{answer_max}, buffer_{buffer_max} {}

  asio::awaitable<bool> connect(milliseconds limit) override {
    error_code error;
    stream_.expires_after(limit);
    co_await stream_.async_connect(peer_, asio::redirect_error(asio::use_awaitable, error));
    if (error) co_return false;
    stream_.socket().set_option(asio::ip::tcp::no_delay(true), error);
    kept_ = true;
    co_return true;
  }

  asio::awaitable<Exchange> exchange(std::shared_ptr<const Request> request, milliseconds limit) override {
    Exchange out;
    error_code error;
    kept_ = false;
    stream_.expires_after(limit);
    const auto text = outgoing(*request);
    for (std::size_t sent = 0; sent < text.size();) {
      sent += co_await stream_.async_write_some(asio::buffer(text) + sent, asio::redirect_error(asio::use_awaitable, error));
      if (!error) continue;
      // A peer that closes early may have answered before it did; what it says is not waited for.
      if (error == beast::error::timeout) out.ending = Ending::late;
      else out.ending = sent == 0 ? Ending::unsent : Ending::silent;
      co_return out;
    }
    Incoming parser;
    parser.eager(true);
    parser.body_limit(answer_max_);
    parser.header_limit(head_max);
    while (!parser.is_done()) {
      error = co_await read_into(parser);
      if (!error) continue;
      out.ending = ending_of(error, parser.got_some());
      co_return out;
    }
    stream_.expires_never();
    out.ending = Ending::answered;
    auto& message = parser.get();
    out.received.status = static_cast<int>(message.result_int());
    const auto type = message[beast_http::field::content_type], again = message[beast_http::field::retry_after];
    out.received.content_type.assign(type.data(), type.size());
    out.received.retry_after.assign(again.data(), again.size());
    out.received.body = std::move(message.body());
    // Bytes behind the answer belong to no request of ours.
    kept_ = parser.keep_alive() && buffer_.size() == 0;
    co_return out;
  }

  bool kept() override {
    if (!kept_) return false;
    char byte = 0;
    const auto got = ::recv(stream_.socket().native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    kept_ = got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
    return kept_;
  }

 private:
  /// Reads once and parses what there is. Beast's own async_read does the same in ten seconds more of compiling.
  asio::awaitable<error_code> read_into(Incoming& parser) {
    error_code error;
    if (buffer_.size() + read_size > buffer_max) co_return beast_http::error::buffer_overflow;
    const auto got = co_await stream_.async_read_some(buffer_.prepare(read_size), asio::redirect_error(asio::use_awaitable, error));
    if (error == asio::error::eof && parser.got_some()) {
      parser.put_eof(error);
      co_return error;
    }
    if (error) co_return error;
    buffer_.commit(got);
    buffer_.consume(parser.put(buffer_.data(), error));
    co_return error == beast_http::error::need_more ? error_code() : error;
  }

  beast::tcp_stream stream_;
  const asio::ip::tcp::endpoint peer_;
  const std::size_t answer_max_;
  beast::flat_buffer buffer_;
  bool kept_ = false;
};

}  // namespace

std::unique_ptr<Connection> make_connection(Executor executor, asio::ip::tcp::endpoint peer, std::size_t answer_max) {
  return std::make_unique<TcpConnection>(std::move(executor), std::move(peer), answer_max);
}

}  // namespace loggia::rpc
