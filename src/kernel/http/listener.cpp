#include "http/listener.hpp"
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>
#include <boost/asio/ip/address.hpp>
#include <cerrno>
#include <charconv>
#include <cstring>
#include "loggia/kernel/log.hpp"

namespace loggia::http {
namespace {

namespace ip = boost::asio::ip;
constexpr int backlog = 4096, accepted_per_turn = 64;
constexpr milliseconds pause_time{100};

std::string remote_of(const sockaddr_storage& address) {
  if (address.ss_family == AF_INET) {
    sockaddr_in v4{};
    std::memcpy(&v4, &address, sizeof v4);
    return ip::address_v4(ntohl(v4.sin_addr.s_addr)).to_string();
  }
  sockaddr_in6 v6{};
  std::memcpy(&v6, &address, sizeof v6);
  ip::address_v6::bytes_type bytes;
  std::memcpy(bytes.data(), &v6.sin6_addr, bytes.size());
  const ip::address_v6 out(bytes);
  return out.is_v4_mapped() ? ip::make_address_v4(ip::v4_mapped, out).to_string() : out.to_string();
}

Error cannot_listen(const std::string& listen, const boost::system::error_code& error) {
  std::string text = "Cannot listen on " + listen + ": " + error.message() + ".";
  if (error == boost::system::errc::address_in_use) text += " Another process has that port: end it, or choose another one.";
  else if (error == boost::system::errc::permission_denied) text += " Ports below 1024 need a privilege: choose a higher one.";
  else if (error == boost::system::errc::address_not_available) text += " This machine has no such address: use one of its own.";
  return Error(Errc::unavailable, std::move(text));
}

}  // namespace

Result<ip::tcp::endpoint> parse_listen(const std::string& listen) {
  const auto wrong = [&] {
    return Error(Errc::invalid_request, "'" + listen + "' is no address to listen on: write ADDRESS:PORT or [ADDRESS]:PORT.");
  };
  const auto colon = listen.rfind(':');
  if (colon == std::string::npos || colon == 0) return wrong();
  auto host = listen.substr(0, colon);
  const bool bracketed = host.front() == '[' && host.back() == ']';
  if (bracketed) host = host.substr(1, host.size() - 2);
  else if (host.find(':') != std::string::npos) return wrong();
  if (host == "localhost") host = "127.0.0.1";
  boost::system::error_code error;
  const auto address = ip::make_address(host, error);
  std::uint16_t port = 0;
  const char* end = listen.data() + listen.size();
  const auto parsed = std::from_chars(listen.data() + colon + 1, end, port);
  if (error || parsed.ec != std::errc() || parsed.ptr != end || address.is_v6() != bracketed) return wrong();
  return ip::tcp::endpoint(address, port);
}

std::string to_text(const ip::tcp::endpoint& endpoint) {
  const auto host = endpoint.address().to_string();
  return (endpoint.address().is_v6() ? "[" + host + "]" : host) + ":" + std::to_string(endpoint.port());
}

Listener::Listener(std::shared_ptr<Shards> shards, std::string name, Handler handler)
    : shards_{std::move(shards)}, name_{std::move(name)}, handler_{std::move(handler)}, acceptor_{shards_->executor(0)} {}

Listener::~Listener() {
  if (spare_ >= 0) ::close(spare_);
}

Result<bool> Listener::open(const std::string& listen) {
  const auto endpoint = parse_listen(listen);
  if (!endpoint) return endpoint.error();
  boost::system::error_code error;
  acceptor_.open(endpoint->protocol(), error);
  if (!error) acceptor_.set_option(ip::tcp::acceptor::reuse_address(true), error);
  if (!error) acceptor_.bind(*endpoint, error);
  if (!error) acceptor_.listen(backlog, error);
  if (!error) acceptor_.non_blocking(true, error);
  if (!error) address_ = to_text(acceptor_.local_endpoint(error));
  if (error) {
    boost::system::error_code ignored;
    acceptor_.close(ignored);
    return cannot_listen(listen, error);
  }
  ::fcntl(acceptor_.native_handle(), F_SETFD, FD_CLOEXEC);
  open_spare();
  return true;
}

void Listener::open_spare() { spare_ = ::open("/dev/null", O_RDONLY | O_CLOEXEC); }

void Listener::run() { wait(); }

void Listener::close() {
  boost::system::error_code ignored;
  acceptor_.close(ignored);
  pause_ = nullptr;
  handler_ = nullptr;
}

void Listener::wait() {
  acceptor_.async_wait(ip::tcp::acceptor::wait_read, [self = shared_from_this()](const boost::system::error_code& error) {
    if (!self->acceptor_.is_open()) return;
    if (error) return self->pause(error.value());
    self->accept_ready();
  });
}

void Listener::accept_ready() {
  for (int i = 0; i < accepted_per_turn; ++i)
    if (!accept_one()) return;
  wait();
}

bool Listener::accept_one() {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  const int descriptor = ::accept4(acceptor_.native_handle(), reinterpret_cast<sockaddr*>(&address), &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (descriptor >= 0) {
    complained_ = false;
    const int on = 1;
    ::setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    handler_(Accepted{descriptor, address.ss_family == AF_INET6, remote_of(address)});
    return true;
  }
  const int error = errno;
  switch (error) {
    case EAGAIN:
      wait();
      return false;
    case EINTR:
    case ECONNABORTED:
    case EPROTO:
    case EPERM:
    case ENETDOWN:
    case EHOSTDOWN:
    case EHOSTUNREACH:
    case ENETUNREACH:
    case ENOPROTOOPT:
    case EOPNOTSUPP:
      return true;  // that one connection's own trouble (accept(2))
    default:
      pause(error);
      return false;
  }
}

/// Out of descriptors or memory: the waiting one is turned away rather than left to hang, and then we rest a moment.
void Listener::pause(int error) {
  if (!std::exchange(complained_, true)) log::error("http.accept_failed", Field("server", name_), Field("error", std::strerror(error)));
  if (error == EMFILE || error == ENFILE) {
    if (spare_ >= 0) ::close(spare_);
    if (const int descriptor = ::accept(acceptor_.native_handle(), nullptr, nullptr); descriptor >= 0) ::close(descriptor);
    open_spare();
  }
  pause_ = shards_->after(0, pause_time, [weak = weak_from_this()] {
    const auto self = weak.lock();
    if (self && self->acceptor_.is_open()) self->wait();
  });
}

}  // namespace loggia::http
