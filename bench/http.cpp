#include "http.hpp"
#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cerrno>
#include <cstdio>
#include <cstdlib>

namespace bench {

void give_up(const std::string& why) {
  std::fprintf(stderr, "load: %s\n", why.c_str());
  std::exit(1);
}

Address parse_address(const std::string& text) {
  const auto colon = text.rfind(':');
  if (colon == text.npos) give_up("an address is HOST:PORT, not " + text);
  return {text.substr(0, colon), std::atoi(text.c_str() + colon + 1)};
}

namespace {

int connect(const Address& address, int flags) {
  const int file = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | flags, 0);
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(static_cast<std::uint16_t>(address.port));
  if (::inet_pton(AF_INET, address.host.c_str(), &to.sin_addr) != 1) give_up("not an IPv4 address: " + address.host);
  if (::connect(file, reinterpret_cast<sockaddr*>(&to), sizeof to) != 0 && errno != EINPROGRESS)
    give_up(fmt::format("nobody listens on {}:{}", address.host, address.port));
  const int on = 1;
  ::setsockopt(file, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return file;
}

}  // namespace

int connect_to(const Address& address) { return connect(address, 0); }
int connect_later(const Address& address) { return connect(address, SOCK_NONBLOCK); }

nlohmann::json call(const Address& address, const std::string& method, const std::string& path, const nlohmann::json& body,
                    const std::string& token) {
  const auto text = body.is_null() ? std::string() : body.dump();
  const auto request = fmt::format("{} /api/v1{} HTTP/1.1\r\nHost: {}:{}\r\nConnection: close\r\n{}{}Content-Length: {}\r\n\r\n{}", method, path,
                                   address.host, address.port, token.empty() ? "" : "Authorization: Bearer " + token + "\r\n",
                                   text.empty() ? "" : "Content-Type: application/json\r\n", text.size(), text);
  const int file = connect_to(address);
  if (::send(file, request.data(), request.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(request.size())) give_up("cannot send");
  std::string answer;
  char piece[8192];
  for (ssize_t size; (size = ::recv(file, piece, sizeof piece, 0)) > 0;) answer.append(piece, static_cast<std::size_t>(size));
  ::close(file);
  const auto end = answer.find("\r\n\r\n");
  if (end == answer.npos || answer.size() < 12 || answer[9] != '2') give_up(method + " " + path + " was answered\n" + answer.substr(0, 1000));
  return end + 4 < answer.size() ? nlohmann::json::parse(answer.substr(end + 4)) : nlohmann::json();
}

}  // namespace bench
