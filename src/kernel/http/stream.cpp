#include "http/stream.hpp"
#include <sys/socket.h>
#include <unistd.h>
#include <cerrno>

namespace loggia::http {
namespace {

IoResult of(ssize_t count) {
  IoResult out;
  if (count > 0) {
    out.state = IoResult::State::ok;
    out.bytes = static_cast<std::size_t>(count);
  } else if (count == 0) {
    out.state = IoResult::State::end;
  } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
    out.state = IoResult::State::again;
  }
  return out;
}

}  // namespace

Stream::Stream(const Executor& executor, int descriptor, bool v6, std::shared_ptr<TlsContext> tls) : socket_{executor} {
  boost::system::error_code error;
  socket_.assign(v6 ? boost::asio::ip::tcp::v6() : boost::asio::ip::tcp::v4(), descriptor, error);
  if (error) {
    ::close(descriptor);
    throw boost::system::system_error(error, "cannot watch a socket");
  }
  if (tls) tls_ = std::make_unique<TlsSession>(std::move(tls), descriptor);
}

Stream::Stream(boost::asio::ip::tcp::socket socket, std::shared_ptr<TlsContext> tls) : socket_{std::move(socket)} {
  socket_.native_non_blocking(true);
  if (tls) tls_ = std::make_unique<TlsSession>(std::move(tls), socket_.native_handle());
}

IoResult Stream::handshake() {
  if (!socket_.is_open()) return IoResult();
  return tls_ ? tls_->handshake() : IoResult{IoResult::State::ok, 0};
}

IoResult Stream::read(char* out, std::size_t size) {
  if (!socket_.is_open()) return IoResult();
  if (tls_) return tls_->read(out, size);
  ssize_t count;
  do count = ::recv(socket_.native_handle(), out, size, 0);
  while (count < 0 && errno == EINTR);
  return of(count);
}

IoResult Stream::write(std::span<const iovec> buffers) {
  if (!socket_.is_open()) return IoResult();
  if (tls_) return tls_->write(buffers);
  if (buffers.empty()) return IoResult{IoResult::State::ok, 0};
  msghdr message{};
  message.msg_iov = const_cast<iovec*>(buffers.data());
  message.msg_iovlen = buffers.size();
  ssize_t count;
  do count = ::sendmsg(socket_.native_handle(), &message, MSG_NOSIGNAL);
  while (count < 0 && errno == EINTR);
  return of(count);
}

int Stream::connect_error() {
  int error = 0;
  socklen_t size = sizeof error;
  if (!socket_.is_open() || ::getsockopt(socket_.native_handle(), SOL_SOCKET, SO_ERROR, &error, &size) != 0) return EBADF;
  return error;
}

void Stream::shutdown_send() {
  if (!socket_.is_open()) return;
  if (tls_) tls_->shutdown();
  ::shutdown(socket_.native_handle(), SHUT_WR);
}

void Stream::give_up_tls() {
  tls_ = nullptr;
  if (socket_.is_open()) ::shutdown(socket_.native_handle(), SHUT_WR);
}

void Stream::cancel() {
  boost::system::error_code ignored;
  socket_.cancel(ignored);
}

void Stream::close() {
  boost::system::error_code ignored;
  socket_.close(ignored);
}

}  // namespace loggia::http
