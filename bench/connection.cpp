#include "connection.hpp"
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cerrno>
#include <utility>

namespace bench {

Connection::~Connection() { ::close(file_); }

long Connection::receive(char* into, std::size_t size) {
  const auto got = ::recv(file_, into, size, 0);
  if (got > 0) return got;
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return 0;
  return -1;
}

/// The next whole message of what was read: a WebSocket text frame of a server (no mask), or a line.
bool Connection::next(std::string_view& text) {
  const auto rest = std::string_view(in_).substr(taken_);
  if (target_ == Target::tcp) {
    const auto end = rest.find('\n');
    if (end == rest.npos) return false;
    text = rest.substr(0, end);
    taken_ += end + 1;
    return true;
  }
  if (!hello_.empty() && !upgraded()) return false;
  for (;;) {
    const auto left = in_.size() - taken_;
    if (left < 2) return false;
    const auto view = std::string_view(in_).substr(taken_);
    std::size_t head = 2;
    auto size = static_cast<std::uint64_t>(static_cast<unsigned char>(view[1]) & 127);
    if (size == 126) {
      if (left < 4) return false;
      size = static_cast<std::uint64_t>(static_cast<unsigned char>(view[2])) << 8 | static_cast<unsigned char>(view[3]);
      head = 4;
    } else if (size == 127) {
      if (left < 10) return false;
      size = 0;
      for (std::size_t at = 2; at < 10; ++at) size = size << 8 | static_cast<unsigned char>(view[at]);
      head = 10;
    }
    if (left < head + size) return false;
    const int kind = view[0] & 15;
    text = view.substr(head, size);
    taken_ += head + size;
    if (kind == 1) return true;
    if (kind == 9) out_ += std::string("\x8a\x80\0\0\0\0", 6);  // a pong; the ping's text is empty
    if (kind == 8) return false;
  }
}

/// Masked with 0, which RFC 6455 allows: the text stays as it is.
void Connection::send_text(std::string_view text) {
  out_ += '\x81';
  if (text.size() < 126) out_ += static_cast<char>(0x80 | text.size());
  else {
    out_ += '\xfe';
    out_ += static_cast<char>(text.size() >> 8);
    out_ += static_cast<char>(text.size() & 255);
  }
  out_.append(4, '\0');
  out_ += text;
}

void Connection::flush() {
  while (!out_.empty()) {
    const auto sent = ::send(file_, out_.data(), out_.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent <= 0) return;
    out_.erase(0, static_cast<std::size_t>(sent));
  }
}

std::string Connection::wait_message() {
  char piece[4096];
  std::string_view text;
  while (!next(text)) {
    const auto size = ::recv(file_, piece, sizeof piece, 0);
    if (size <= 0) give_up("the server closed a connection that was being opened");
    in_.append(piece, static_cast<std::size_t>(size));
  }
  std::string out(text);
  in_.erase(0, taken_);
  taken_ = 0;
  return out;
}

namespace {

std::string handshake_request(const Address& address, const char* path, const char* protocol) {
  return fmt::format(
      "GET {} HTTP/1.1\r\nHost: {}:{}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: "
      "bG9hZCBnZW5lcmF0b3IhIQ==\r\n{}\r\n",
      path, address.host, address.port, *protocol ? fmt::format("Sec-WebSocket-Protocol: {}\r\n", protocol) : "");
}

}  // namespace

void Connection::handshake(const Address& address, const char* path, const char* protocol) {
  const auto request = handshake_request(address, path, protocol);
  if (::send(file_, request.data(), request.size(), MSG_NOSIGNAL) < 0) give_up("cannot send a handshake");
  std::string head;
  for (char c; head.find("\r\n\r\n") == head.npos;) {
    if (::recv(file_, &c, 1, 0) != 1) give_up("no answer to a handshake");
    head += c;
  }
  if (head.find(" 101 ") == head.npos) give_up("a handshake was refused\n" + head);
}

void Connection::open_loggia(const Address& address, const std::string& token) {
  handshake(address, "/api/v1/realtime", "loggia.v1");
  send_text(fmt::format(R"({{"id":0,"op":"hello","token":"{}"}})", token));
  flush();
  while (wait_message().find("\"re\":0") == std::string::npos) {
  }
  ::fcntl(file_, F_SETFL, O_NONBLOCK);
}

void Connection::begin_loggia(const Address& address, const std::string& token) {
  hello_ = fmt::format(R"({{"id":0,"op":"hello","token":"{}"}})", token);
  out_ += handshake_request(address, "/api/v1/realtime", "loggia.v1");
  flush();
}

bool Connection::upgraded() {
  const auto end = in_.find("\r\n\r\n");
  if (end == in_.npos) return false;
  refused_ = in_.find(" 101 ") > in_.find("\r\n");
  if (refused_) return false;
  taken_ = end + 4;
  send_text(std::exchange(hello_, std::string()));
  return true;
}

void Connection::open_floor(const Address& address, const std::string& room) {
  if (target_ == Target::beast) {
    handshake(address, "/", "");
    send_text("J" + room);
  } else {
    out_ += "J " + room + "\n";
  }
  flush();
  wait_message();
  ::fcntl(file_, F_SETFL, O_NONBLOCK);
}

void Connection::say(const std::string& room, std::string_view marker, std::uint64_t number, std::size_t size) {
  static constexpr std::string_view words = " the words of a message that somebody wrote to somebody else about something that happened";
  std::string text(marker);
  while (text.size() < size) text += words.substr(0, size - text.size());
  switch (target_) {
    case Target::loggia:
      return send_text(fmt::format(R"({{"id":{},"op":"send","room":"{}","client_id":"{}","text":"{}"}})", number, room, marker, text));
    case Target::beast:
      return send_text("M" + text);
    case Target::tcp:
      out_ += "M " + text + "\n";
  }
}

}  // namespace bench
