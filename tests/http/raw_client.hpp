#pragma once
// A client that sends bytes as they are and reads with a limit of time: it hides nothing of what the server does. For the tests.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

namespace loggia::http {

class RawClient {
 public:
  explicit RawClient(const std::string& address) {
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    to.sin_port = htons(static_cast<std::uint16_t>(std::stoi(address.substr(address.rfind(':') + 1))));
    socket_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (::connect(socket_, reinterpret_cast<sockaddr*>(&to), sizeof to) != 0) throw std::runtime_error("cannot connect");
  }
  RawClient(const RawClient&) = delete;
  ~RawClient() { ::close(socket_); }

  void send(std::string_view bytes) {
    while (!bytes.empty()) {
      const auto sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return;  // the server has hung up; reading will tell
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
  }
  std::size_t memory() const { return buffer_.capacity(); }
  void shut() { ::shutdown(socket_, SHUT_WR); }
  /// Exactly that many bytes; fewer at the end of the stream.
  std::string take(std::size_t size) {
    while (buffer_.size() < size && more()) {
    }
    return cut(std::min(size, buffer_.size()));
  }
  std::string take_until(std::string_view mark) {
    std::size_t at;
    while ((at = buffer_.find(mark)) == std::string::npos)
      if (!more()) return cut(buffer_.size());
    return cut(at + mark.size());
  }
  /// To the end of the stream, which must come.
  std::string rest() {
    while (more()) {
    }
    return cut(buffer_.size());
  }
  bool ended() { return rest().empty(); }
  int socket() const { return socket_; }

  struct Response {
    int status = 0;
    std::string head, body;
    bool says(std::string_view text) const { return head.find(text) != std::string::npos; }
  };
  Response response(bool has_body = true) {
    Response out;
    out.head = take_until("\r\n\r\n");
    if (out.head.size() > 12) out.status = std::stoi(out.head.substr(9, 3));
    const auto at = out.head.find("content-length: ");
    if (has_body && at != std::string::npos) out.body = take(std::stoul(out.head.substr(at + 16)));
    return out;
  }
  /// One frame of a server: its first byte and its payload.
  std::pair<int, std::string> frame() {
    const auto head = take(2);
    if (head.size() < 2) return {-1, {}};
    std::size_t size = static_cast<unsigned char>(head[1]);
    if (size >= 126) {
      const auto digits = take(size == 126 ? 2 : 8);
      size = 0;
      for (char c : digits) size = size << 8 | static_cast<unsigned char>(c);
    }
    return {static_cast<unsigned char>(head[0]), take(size)};
  }

 private:
  bool more() {
    pollfd wait{socket_, POLLIN, 0};
    if (::poll(&wait, 1, 10000) != 1) throw std::runtime_error("the server says nothing for 10 s");
    char bytes[16384];
    const auto got = ::recv(socket_, bytes, sizeof bytes, 0);
    if (got <= 0) return false;
    buffer_.append(bytes, static_cast<std::size_t>(got));
    return true;
  }
  std::string cut(std::size_t size) {
    auto out = buffer_.substr(0, size);
    buffer_.erase(0, size);
    return out;
  }

  int socket_;
  std::string buffer_;
};

}  // namespace loggia::http
