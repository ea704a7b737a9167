#pragma once
// A peer that does what a test says: each connection is played by the next script, on a thread of its own, one after the other.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>
#include <atomic>
#include <functional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace loggia::rpc::testing {

inline int loopback_socket(std::uint16_t& port) {
  const int out = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  if (::bind(out, reinterpret_cast<sockaddr*>(&address), size) != 0 || ::getsockname(out, reinterpret_cast<sockaddr*>(&address), &size) != 0)
    throw std::runtime_error("no socket");
  port = ntohs(address.sin_port);
  return out;
}
inline std::string address_of(std::uint16_t port) { return "127.0.0.1:" + std::to_string(port); }

/// A connection as a script sees it.
class Line {
 public:
  explicit Line(int socket) : socket_{socket} {}
  Line(const Line&) = delete;
  ~Line() { ::close(socket_); }
  /// Head and body; empty at the end of the stream.
  std::string request() {
    std::size_t end;
    while ((end = buffer_.find("\r\n\r\n")) == std::string::npos)
      if (!more()) return std::string();
    end += 4;
    if (const auto at = buffer_.find("Content-Length: "); at < end) end += std::stoul(buffer_.substr(at + 16));
    while (buffer_.size() < end)
      if (!more()) return std::string();
    auto out = buffer_.substr(0, end);
    buffer_.erase(0, end);
    return out;
  }
  void send(std::string_view bytes) {
    while (!bytes.empty()) {
      const auto sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return;
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
  }
  void answer(std::string_view body, std::string_view more_headers = "") {
    std::string out = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n";
    (out += more_headers) += "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n";
    send(out += body);
  }
  /// Sends until the other side hangs up.
  void flood(std::string_view bytes) {
    for (ssize_t sent = 1; sent > 0;) sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
  }
  void until_closed() {
    while (more()) {
    }
  }

 private:
  bool more() {
    pollfd wait{socket_, POLLIN, 0};
    if (::poll(&wait, 1, 10000) != 1) return false;
    char bytes[4096];
    const auto got = ::recv(socket_, bytes, sizeof bytes, 0);
    if (got <= 0) return false;
    buffer_.append(bytes, static_cast<std::size_t>(got));
    return true;
  }

  int socket_;
  std::string buffer_;
};

class Peer {
 public:
  using Script = std::function<void(Line&)>;
  explicit Peer(std::vector<Script> scripts) : scripts_{std::move(scripts)} {
    std::uint16_t port = 0;
    socket_ = loopback_socket(port);
    address_ = address_of(port);
    if (::listen(socket_, 16) != 0 || ::pipe(end_) != 0) throw std::runtime_error("cannot listen");
    thread_ = std::thread([this] { run(); });
  }
  explicit Peer(Script script) : Peer(std::vector<Script>(1, std::move(script))) {}
  Peer(const Peer&) = delete;
  ~Peer() {
    ::close(end_[1]);
    thread_.join();
    ::close(end_[0]);
    ::close(socket_);
  }
  const std::string& address() const { return address_; }
  int connections() const { return connections_; }

 private:
  void run() {
    for (const auto& script : scripts_) {
      pollfd wait[] = {{socket_, POLLIN, 0}, {end_[0], POLLIN, 0}};
      if (::poll(wait, 2, 20000) < 1 || wait[1].revents != 0) return;
      const int accepted = ::accept4(socket_, nullptr, nullptr, SOCK_CLOEXEC);
      if (accepted < 0) return;
      ++connections_;
      Line line(accepted);
      script(line);
    }
  }

  std::vector<Script> scripts_;
  int socket_ = -1, end_[2] = {-1, -1};
  std::string address_;
  std::atomic<int> connections_{0};
  std::thread thread_;  // last
};

}  // namespace loggia::rpc::testing
