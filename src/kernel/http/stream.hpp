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
  Stream(boost::asio::ip::tcp::socket socket, std::shared_ptr<TlsContext> tls);
  Stream(Stream&&) = default;

  /// With a client's TLS, before anything else: the module whose certificate the other side has to show.
  void expect_peer(const std::string& module) {
    if (tls_) tls_->expect(module);
  }
  /// With TLS, read and write do it on their own. `ok`: done, or there is none.
  IoResult handshake();
  /// The modules in the peer's certificate, once it was verified; null without mutual TLS.
  std::shared_ptr<const std::vector<std::string>> peer() { return tls_ ? tls_->peer() : nullptr; }
  /// Why TLS `failed`.
  TlsFailure tls_failure() const { return tls_ ? tls_->failure() : TlsFailure::none; }

  IoResult read(char* out, std::size_t size);
  /// At most 64 buffers.
  IoResult write(std::span<const iovec> buffers);
  /// Bytes that write() has taken are still to be sent: call it again, with nothing if there is nothing.
  bool unsent() const { return tls_ && tls_->has_unsent(); }
  bool has_unread() const { return tls_ && tls_->has_unread(); }
  void shutdown_send();
  /// After a handshake that failed: nothing more is said, and what is read is what comes.
  void give_up_tls();
  void close();
  bool is_open() const { return socket_.is_open(); }
  bool tls() const { return tls_ != nullptr; }

  /// `handler(error_code)`, from the loop; or what else is a completion token.
  template <class H> auto when_readable(H&& handler) {
    const bool inside = tls_ && tls_->has_unread();  // then at once
    return socket_.async_wait(inside || (tls_ && tls_->wants_write()) ? Socket::wait_write : Socket::wait_read, std::forward<H>(handler));
  }
  template <class H> auto when_writable(H&& handler) {
    return socket_.async_wait(tls_ && !tls_->wants_write() ? Socket::wait_read : Socket::wait_write, std::forward<H>(handler));
  }
  /// Of a socket that connects, before anything else: it has, or has not.
  template <class H> auto when_connected(H&& handler) { return socket_.async_wait(Socket::wait_write, std::forward<H>(handler)); }
  /// 0, or what became of it.
  int connect_error();
  /// Ends the waits, not the connection.
  void cancel();
  int descriptor() { return socket_.native_handle(); }

 private:
  using Socket = boost::asio::ip::tcp::socket;

  boost::asio::ip::tcp::socket socket_;
  std::unique_ptr<TlsSession> tls_;
};

}  // namespace loggia::http
