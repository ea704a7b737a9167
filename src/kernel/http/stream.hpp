#pragma once
// A connected socket with or without TLS, never blocking: try, and wait where it says `again`. Waiting holds no buffer, so an idle
// connection costs the object and a registration in epoll. Used by connections and WebSockets, on their shard.
#include <boost/asio/ip/tcp.hpp>
#include <memory>
#include <span>
#include "http/tls.hpp"
#include "loggia/kernel/shards.hpp"

namespace loggia::http {

class Stream {
 public:
  /// Takes the socket over.
  Stream(const Executor& executor, int descriptor, bool v6, std::shared_ptr<TlsContext> tls);
  Stream(Stream&&) = default;

  IoResult read(char* out, std::size_t size);
  /// At most 64 buffers.
  IoResult write(std::span<const iovec> buffers);
  /// Bytes that write() has taken are still to be sent: call it again, with nothing if there is nothing.
  bool unsent() const { return tls_ && tls_->has_unsent(); }
  void shutdown_send();
  void close();
  bool is_open() const { return socket_.is_open(); }
  bool tls() const { return tls_ != nullptr; }

  /// `handler(error_code)`, from the loop.
  template <class H> void when_readable(H handler) {
    if (tls_ && tls_->has_unread()) wait(boost::asio::ip::tcp::socket::wait_write, std::move(handler));  // at once: there are bytes inside
    else wait(tls_ && tls_->wants_write() ? boost::asio::ip::tcp::socket::wait_write : boost::asio::ip::tcp::socket::wait_read, std::move(handler));
  }
  template <class H> void when_writable(H handler) {
    wait(tls_ && !tls_->wants_write() ? boost::asio::ip::tcp::socket::wait_read : boost::asio::ip::tcp::socket::wait_write, std::move(handler));
  }

 private:
  template <class H> void wait(boost::asio::ip::tcp::socket::wait_type what, H handler) { socket_.async_wait(what, std::move(handler)); }

  boost::asio::ip::tcp::socket socket_;
  std::unique_ptr<TlsSession> tls_;
};

}  // namespace loggia::http
