#pragma once
// A mail server of a few lines on a thread of its own: answers each line as the test says, and keeps what it heard. One connection after the other.
#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/streambuf.hpp>
#include <boost/asio/write.hpp>
#include <functional>
#include <istream>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace loggia::test {

class Relay {
 public:
  /// By the verb; `.` is the end of the content. "" hangs up, "…" says nothing. What is not named gets 250.
  using Answers = std::map<std::string, std::string>;
  explicit Relay(Answers answers = Answers()) : answers_{std::move(answers)} {
    acceptor_.listen();
    thread_ = std::thread([this] { serve(); });
  }
  ~Relay() {
    stopping_ = true;
    boost::system::error_code ignored;
    boost::asio::ip::tcp::socket waker(context_);
    waker.connect(acceptor_.local_endpoint(), ignored);  // accept() and read_until() block
    {
      const std::lock_guard lock(mutex_);
      if (open_) open_->shutdown(boost::asio::ip::tcp::socket::shutdown_both, ignored);
    }
    thread_.join();
  }
  int port() const { return acceptor_.local_endpoint().port(); }
  std::vector<std::string> lines() const {
    const std::lock_guard lock(mutex_);
    return lines_;
  }
  /// The content of the last mail as it came, dots and all.
  std::string content() const {
    const std::lock_guard lock(mutex_);
    return content_;
  }
  bool heard(const std::string& verb) const {
    for (const auto& line : lines())
      if (line.starts_with(verb)) return true;
    return false;
  }

 private:
  using Socket = boost::asio::ip::tcp::socket;

  std::string answer(const std::string& line) const {
    const auto verb = line.substr(0, line.find_first_of(" :"));
    if (const auto found = answers_.find(verb); found != answers_.end()) return found->second;
    if (verb == "DATA") return "354 go on";
    if (verb == "QUIT") return "221 bye";
    return "250 ok";
  }

  void serve() {
    while (!stopping_) {
      Socket socket(context_);
      boost::system::error_code problem;
      acceptor_.accept(socket, problem);
      if (problem || stopping_) return;
      {
        const std::lock_guard lock(mutex_);
        open_ = &socket;
      }
      talk(socket);
      const std::lock_guard lock(mutex_);
      open_ = nullptr;
    }
  }

  bool say(Socket& socket, const std::string& text) {
    if (text == "…") return true;
    boost::system::error_code problem;
    if (!text.empty()) boost::asio::write(socket, boost::asio::buffer(text + "\r\n"), problem);
    return !text.empty() && !problem;
  }

  void talk(Socket& socket) {
    const auto greeting = answers_.find("greeting");
    if (!say(socket, greeting == answers_.end() ? "220 relay" : greeting->second)) return;
    boost::asio::streambuf buffer;
    boost::system::error_code problem;
    const auto until = [&](const std::string& end) {
      const auto size = boost::asio::read_until(socket, buffer, end, problem);
      std::string out(size, '\0');
      std::istream(&buffer).read(out.data(), static_cast<std::streamsize>(size));
      return out.substr(0, size < end.size() ? 0 : size - end.size());
    };
    for (;;) {
      const auto line = until("\r\n");
      if (problem) return;
      {
        const std::lock_guard lock(mutex_);
        lines_.push_back(line);
      }
      auto reply = answer(line);
      if (!say(socket, reply)) return;
      if (!reply.starts_with("354")) continue;
      const auto content = until("\r\n.\r\n");
      if (problem) return;
      {
        const std::lock_guard lock(mutex_);
        content_ = content;
      }
      if (!say(socket, answer("."))) return;
    }
  }

  const Answers answers_;
  boost::asio::io_context context_;
  boost::asio::ip::tcp::acceptor acceptor_{context_, {boost::asio::ip::make_address("127.0.0.1"), 0}};
  mutable std::mutex mutex_;
  std::vector<std::string> lines_;
  std::string content_;
  Socket* open_ = nullptr;
  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

}  // namespace loggia::test
