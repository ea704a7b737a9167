#pragma once
// A wire to a server on loopback that a test can cut, at a byte if it likes: what the network does, without a network.
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>
#include <atomic>
#include <list>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace loggia::test {

class Wire {
 public:
  enum class State {
    whole,
    cut_before,  // at the next COMMIT on its way there, which does not arrive; then it is whole again
    cut_after,   // when it has been done: its answer does not arrive
    cut_client,  // when the next COMMIT has arrived, which the server goes on with: for it nothing was cut
    away,        // refuses connections, and has cut those that there were
    mute,        // takes all and passes on nothing
    half_open,   // nor does it tell the server who has hung up
  };

  /// `url`: postgresql://USER@127.0.0.1:PORT/DATABASE
  explicit Wire(const std::string& url) {
    const auto at = url.rfind(':'), slash = url.find('/', at);
    port_ = static_cast<std::uint16_t>(std::stoi(url.substr(at + 1, slash - at - 1)));
    listening_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    auto address = loopback(0);
    socklen_t size = sizeof address;
    if (::bind(listening_, reinterpret_cast<sockaddr*>(&address), size) != 0 || ::listen(listening_, 16) != 0) throw std::runtime_error("no port");
    ::getsockname(listening_, reinterpret_cast<sockaddr*>(&address), &size);
    url_ = url.substr(0, at + 1) + std::to_string(ntohs(address.sin_port)) + url.substr(slash);
    if (::pipe2(wake_, O_CLOEXEC) != 0) throw std::runtime_error("no pipe");
    thread_ = std::thread([this] { run(); });
  }
  ~Wire() {
    set(State::away, true);
    thread_.join();
    for (const int one : {listening_, wake_[0], wake_[1]}) ::close(one);
  }
  Wire(const Wire&) = delete;
  const std::string& url() const { return url_; }
  /// Returns when it is so.
  void set(State state, bool end = false) {
    state_ = state;
    ended_ = end;
    const int before = turned_;
    if (::write(wake_[1], "x", 1) != 1) throw std::runtime_error("no wake");
    turned_.wait(before);
  }
  State state() const { return state_; }
  /// Clients that hung up, of which the server knows nothing (half_open).
  int left() const { return left_count_; }

 private:
  struct Pair {
    int client, server;
  };
  static sockaddr_in loopback(std::uint16_t port) {
    sockaddr_in out{};
    out.sin_family = AF_INET;
    out.sin_port = htons(port);
    out.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return out;
  }
  static void drop(Pair& pair) {
    ::close(pair.client);
    if (pair.server >= 0) ::close(pair.server);
    pair.client = pair.server = -1;
  }
  static bool pass(int to, const char* data, ssize_t size) {
    for (ssize_t sent = 0, one; sent < size; sent += one)
      if ((one = ::send(to, data + sent, static_cast<std::size_t>(size - sent), MSG_NOSIGNAL)) <= 0) return false;
    return true;
  }
  void take() {
    const int client = ::accept4(listening_, nullptr, nullptr, SOCK_CLOEXEC), server = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const auto address = loopback(port_);
    Pair pair{client, server};
    if (state_ == State::away || ::connect(server, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) drop(pair);
    else pairs_.push_back(pair);
  }
  void move(Pair& pair, bool from_client) {
    char data[16384];
    const auto size = ::recv(from_client ? pair.client : pair.server, data, sizeof data, 0);
    if (size <= 0 && from_client && state_ == State::half_open) left_.push_back(std::exchange(pair.server, -1)), ++left_count_;
    if (size <= 0) return drop(pair);
    if (state_ == State::mute || state_ == State::half_open) return;
    const auto seen = std::string_view(data, static_cast<std::size_t>(size)).find("COMMIT") != std::string_view::npos;
    if (seen && (from_client ? state_ == State::cut_before : state_ == State::cut_after)) {
      state_ = State::whole;
      return drop(pair);
    }
    if (!from_client && pair.client < 0) return;  // nobody is there to hear it
    if (!pass(from_client ? pair.server : pair.client, data, size)) return drop(pair);
    if (seen && from_client && state_ == State::cut_client) {
      state_ = State::whole;
      ::close(std::exchange(pair.client, -1));
    }
  }
  void run() {
    while (!ended_) {
      std::vector<pollfd> all{{wake_[0], POLLIN, 0}, {listening_, POLLIN, 0}};
      for (const auto& pair : pairs_) {
        all.push_back({pair.client, POLLIN, 0});
        all.push_back({pair.server, POLLIN, 0});
      }
      ::poll(all.data(), all.size(), -1);
      std::size_t at = 2;
      for (auto& pair : pairs_) {
        if (all[at].revents) move(pair, true);
        if (all[at + 1].revents && pair.server >= 0) move(pair, false);
        at += 2;
      }
      if (all[1].revents) take();
      if (char byte = 0; all[0].revents && ::read(wake_[0], &byte, 1) == 1 && state_ == State::away)
        for (auto& pair : pairs_) drop(pair);
      pairs_.remove_if([](const Pair& pair) { return pair.server < 0; });
      if (all[0].revents) {
        ++turned_;
        turned_.notify_all();
      }
    }
    for (auto& pair : pairs_) drop(pair);
    for (const int server : left_) ::close(server);
    ++turned_;
    turned_.notify_all();
  }

  std::uint16_t port_ = 0;
  int listening_ = -1, wake_[2] = {-1, -1};
  std::string url_;
  std::atomic<State> state_{State::whole};
  std::atomic<bool> ended_{false};
  std::atomic<int> turned_{0}, left_count_{0};
  std::list<Pair> pairs_;  // of the thread
  std::vector<int> left_;  // connections to the server whose clients are gone
  std::thread thread_;
};

}  // namespace loggia::test
