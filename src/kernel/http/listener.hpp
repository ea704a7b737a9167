#pragma once
// Accepts connections on one address and does not end because of one that fails: without descriptors left it turns the next away
// with a spare one, waits and goes on. Used by the server, on shard 0.
#include <boost/asio/ip/tcp.hpp>
#include <functional>
#include <memory>
#include <string>
#include "loggia/kernel/result.hpp"
#include "loggia/kernel/shards.hpp"

namespace loggia::http {

struct Accepted {
  int descriptor = -1;
  bool v6 = false;
  std::string remote;  // address without port
};

/// `ADDR:PORT` or `[ADDR]:PORT`; `localhost` is 127.0.0.1.
Result<boost::asio::ip::tcp::endpoint> parse_listen(const std::string& listen);
std::string to_text(const boost::asio::ip::tcp::endpoint& endpoint);

class Listener : public std::enable_shared_from_this<Listener> {
 public:
  using Handler = std::function<void(Accepted)>;
  Listener(std::shared_ptr<Shards> shards, std::string name, Handler handler);
  ~Listener();
  Result<bool> open(const std::string& listen);
  std::string address() const { return address_; }
  void run();    // on shard 0
  void close();  // on shard 0

 private:
  void wait();
  void accept_ready();
  bool accept_one();  // false: nothing more for now
  void pause(int error);
  void open_spare();

  const std::shared_ptr<Shards> shards_;
  const std::string name_;
  Handler handler_;
  boost::asio::ip::tcp::acceptor acceptor_;
  std::string address_;
  Shards::Timer pause_;
  int spare_ = -1;
  bool complained_ = false;
};

}  // namespace loggia::http
