#pragma once
// A listener on a free port of loopback with two shards, and what its handlers do is said here: for the tests with sockets.
#include <doctest/doctest.h>
#include <algorithm>
#include <atomic>
#include <future>
#include "client_frames.hpp"
#include "loggia/kernel/http.hpp"
#include "raw_client.hpp"

namespace loggia::http {

/// Echoes: the body, or method, path and query. `/wait` waits until `go` is set, `/identity` answers how many loggia- headers there are.
inline boost::asio::awaitable<HttpResponse> echo(HttpRequest request, std::shared_ptr<std::atomic<bool>> go) {
  HttpResponse response;
  if (request.path == "/throw") throw std::runtime_error("by test");
  if (request.path == "/split") response.headers.emplace_back("location", "a\r\nb: c");
  if (request.path == "/empty") response.status = 204;
  if (request.path == "/identity")
    request.body = std::to_string(
        std::count_if(request.headers.begin(), request.headers.end(), [](const auto& one) { return one.first.starts_with("loggia-"); }));
  if (request.path == "/shared") {
    response.shared_body = std::make_shared<const std::string>(3u << 20, 's');
    co_return response;
  }
  while (request.path == "/wait" && !go->load()) {
    auto slept = co_await sleep_for(milliseconds(1));
    if (!slept) throw std::runtime_error("cancelled");
  }
  response.body = request.body.empty() ? request.method + " " + request.path : std::move(request.body);
  for (const auto& [name, value] : request.query) response.body += " " + name + "=" + value;
  co_return response;
}

/// Keeps the sockets that it accepts. `/refused` is refused, `/nothing` gets no answer.
class Sockets {
 public:
  std::atomic<bool> pause_at_first{false};
  std::atomic<int> closed_code{0}, count{0}, alive{0}, drained{0};
  std::promise<void> closed;
  std::function<void(WebSocket&, std::string_view)> on_message;

  void add(const std::shared_ptr<Upgrade>& upgrade) {
    WebSocket::Limits limits;
    limits.message_max = 1000;
    limits.deflate = upgrade->request().path == "/deflate";
    auto socket = upgrade->accept("loggia.v1", limits);
    WebSocket::Events events;
    events.message = [this, raw = socket.get()](std::string_view text) {
      if (on_message) on_message(*raw, text);
      else raw->send(std::make_shared<const std::string>(frame_text(text)));
    };
    events.alive = [this] { ++alive; };
    events.drained = [this] { ++drained; };
    events.closed = [this](int code) {
      closed_code = code;
      if (--count == 0) closed.set_value();
    };
    ++count;
    socket->start(std::move(events));
    std::lock_guard lock(mutex_);
    sockets_.push_back(std::move(socket));
  }
  std::shared_ptr<WebSocket> first() {
    std::lock_guard lock(mutex_);
    return sockets_.empty() ? nullptr : sockets_.front();
  }
  std::vector<std::shared_ptr<WebSocket>> all() {
    std::lock_guard lock(mutex_);
    return sockets_;
  }
  void drop_all() {
    std::lock_guard lock(mutex_);
    sockets_.clear();
  }

 private:
  std::mutex mutex_;
  std::vector<std::shared_ptr<WebSocket>> sockets_;
};

inline boost::asio::awaitable<std::optional<HttpResponse>> take_socket(std::shared_ptr<Upgrade> upgrade, std::shared_ptr<Sockets> sockets) {
  std::optional<HttpResponse> response;
  if (upgrade->request().path == "/refused") {
    response.emplace();
    response->status = 403;
    response->body = "not from here";
  } else if (upgrade->request().path != "/nothing") {
    sockets->add(upgrade);
  }
  co_return response;
}

struct Listening {
  explicit Listening(HttpServerOptions options = HttpServerOptions(), std::shared_ptr<Clock> time = system_clock()) : clock{std::move(time)} {
    HttpHandlers handlers;
    handlers.request = [go = go](HttpRequest request) { return echo(std::move(request), go); };
    handlers.upgrade = [sockets = sockets](std::shared_ptr<Upgrade> upgrade) { return take_socket(std::move(upgrade), sockets); };
    handlers.refusal = [](int status, std::string_view detail) { return problem(status, detail, Trace()); };
    server = http_server(std::move(options), shards, clock, metrics, std::move(handlers));
    const auto started = server->start();
    REQUIRE_MESSAGE(started.has_value(), (started ? "" : started.error().detail));
  }
  ~Listening() {
    go->store(true);
    server->stop();
    on_shards([this] { sockets->drop_all(); });
    stop_shards(*shards);
  }
  /// Runs `work` on shard 0, then waits for a turn of every shard.
  template <class F> void on_shards(F work) {
    for (std::size_t shard = 0; shard < shards->size(); ++shard) {
      std::promise<void> done;
      shards->post(shard, [&] {
        if (shard == 0) work();
        done.set_value();
      });
      done.get_future().wait();
    }
  }
  std::string connect_text(std::string_view path = "/socket") const {
    return "GET " + std::string(path) +
           " HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
           "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
  }

  std::shared_ptr<std::atomic<bool>> go = std::make_shared<std::atomic<bool>>(false);
  std::shared_ptr<Sockets> sockets = std::make_shared<Sockets>();
  std::shared_ptr<Shards> shards = thread_shards(2);
  std::shared_ptr<Clock> clock;
  Metrics metrics;
  std::shared_ptr<HttpServer> server;
};

}  // namespace loggia::http
