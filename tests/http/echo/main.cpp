// The kernel's WebSocket with a handler that sends every message back: what tests/system/autobahn_test.py drives Autobahn's cases against.
// loggia.v1 itself is no echo. `/deflate` takes permessage-deflate. It runs until its standard input ends.
#include <cstdio>
#include <mutex>
#include <set>
#include "loggia/kernel/http.hpp"

namespace loggia::http {
namespace {

/// Holds the sockets: dropping the pointer would end the connection.
class Sockets {
 public:
  void take(const std::shared_ptr<Upgrade>& upgrade) {
    WebSocket::Limits limits;
    limits.message_max = 32u << 20;
    limits.deflate = upgrade->request().path == "/deflate";
    const std::shared_ptr<WebSocket> socket = upgrade->accept("", limits);
    {
      const std::lock_guard lock(mutex_);
      sockets_.insert(socket);
    }
    WebSocket::Events events;
    events.message = [raw = socket.get()](std::string_view text) { raw->send(std::make_shared<const std::string>(frame_text(text))); };
    events.closed = [this, weak = std::weak_ptr(socket)](int) {
      const std::lock_guard lock(mutex_);
      sockets_.erase(weak.lock());
    };
    socket->start(std::move(events));
  }
  void clear() {
    const std::lock_guard lock(mutex_);
    sockets_.clear();
  }

 private:
  std::mutex mutex_;
  std::set<std::shared_ptr<WebSocket>> sockets_;
};

boost::asio::awaitable<HttpResponse> refused(HttpRequest) {
  HttpResponse response;
  response.status = 404;
  co_return response;
}
boost::asio::awaitable<std::optional<HttpResponse>> taken(std::shared_ptr<Upgrade> upgrade, std::shared_ptr<Sockets> sockets) {
  sockets->take(upgrade);
  co_return std::nullopt;
}

int serve() {
  const auto shards = thread_shards(1);
  const auto sockets = std::make_shared<Sockets>();
  Metrics metrics;
  HttpHandlers handlers;
  handlers.request = refused;
  handlers.upgrade = [sockets](std::shared_ptr<Upgrade> upgrade) { return taken(std::move(upgrade), sockets); };
  const auto server = http_server(HttpServerOptions(), shards, system_clock(), metrics, std::move(handlers));
  const auto started = server->start();
  if (!started) return std::fprintf(stderr, "%s\n", started.error().detail.c_str()), 1;
  std::printf("ws://%s\n", server->address().c_str());
  std::fflush(stdout);
  while (std::getchar() != EOF) continue;
  server->stop();
  stop_shards(*shards);
  sockets->clear();
  return 0;
}

}  // namespace
}  // namespace loggia::http

int main() { return loggia::http::serve(); }
