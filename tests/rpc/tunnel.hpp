#pragma once
// A gateway and instances of a module in one process, each with a listener of its own, and clients that send bytes as they are.
#include <doctest/doctest.h>
#include <atomic>
#include <condition_variable>
#include <future>
#include <mutex>
#include <thread>
#include "http/client_frames.hpp"
#include "http/raw_client.hpp"
#include "http/tunnel.hpp"
#include "kernel/fixtures.hpp"
#include "loggia/kernel/rpc.hpp"
#include "loggia/kernel/tunnel.hpp"
#include "rpc/peer.hpp"
#include "support/fakes.hpp"

namespace loggia::rpc::testing {

/// What another thread does soon.
template <class F> bool soon(F happened) {
  for (int turn = 0; turn < 10000; ++turn) {
    if (happened()) return true;
    std::this_thread::sleep_for(milliseconds(1));
  }
  return false;
}

inline const std::string ask =
    "GET /socket HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
inline const std::string taken =
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";

/// The loops; ended once everything on them has.
struct Ground {
  std::shared_ptr<Shards> shards = thread_shards(2);
  ~Ground() { stop_shards(*shards); }
};

/// Of the module: echoes, unless a test says otherwise.
class Instance {
 public:
  explicit Instance(const Ground& ground, RpcListenerOptions options = RpcListenerOptions()) : shards_{ground.shards} {
    listener = rpc_listener(std::move(options), shards_, system_clock(), metrics);
    listener->on_upgrade("/there",
                         [this](std::shared_ptr<Upgrade> upgrade, Context context) { return enter(std::move(upgrade), std::move(context)); });
    REQUIRE(listener->start());
  }
  ~Instance() {
    listener->stop();
    for (std::size_t shard = 0; shard < shards_->size(); ++shard)
      on_shard(shard, [this, shard] {
        const std::lock_guard lock(mutex_);
        std::erase_if(sockets_, [shard](const auto& socket) { return socket->shard() == shard; });
      });
  }
  template <class F> void on_shard(std::size_t shard, F work) {
    std::promise<void> done;
    shards_->post(shard, [&] {
      work();
      done.set_value();
    });
    done.get_future().wait();
  }
  /// On the socket's shard, and waits for it.
  template <class F> void on_socket(F work) {
    std::shared_ptr<WebSocket> socket;
    {
      const std::lock_guard lock(mutex_);
      socket = sockets_.back();
    }
    on_shard(socket->shard(), [&] { work(*socket); });
    // The one pointer beside the owner's ends on the shard too.
    on_shard(socket->shard(), [&] { socket = nullptr; });
  }
  void drop() {
    std::shared_ptr<WebSocket> socket;
    {
      const std::lock_guard lock(mutex_);
      socket = std::move(sockets_.back());
      sockets_.pop_back();
    }
    on_shard(socket->shard(), [&] { socket = nullptr; });
  }
  Context seen() {
    const std::lock_guard lock(mutex_);
    return seen_;
  }

  std::shared_ptr<Metrics> metrics = std::make_shared<Metrics>();
  std::shared_ptr<RpcListener> listener;
  std::atomic<int> entered{0}, closed{0};
  std::atomic<std::size_t> heard{0};
  std::atomic<bool> echoes{true};
  std::optional<HttpResponse> refusal;  // before the first handshake
  std::string greeting;

 private:
  boost::asio::awaitable<std::optional<HttpResponse>> enter(std::shared_ptr<Upgrade> upgrade, Context context) {
    const std::lock_guard lock(mutex_);
    ++entered;
    seen_ = std::move(context);
    if (refusal) co_return refusal;
    WebSocket::Limits limits;
    limits.message_max = 1u << 20;
    auto socket = upgrade->accept("loggia.v1", limits);
    WebSocket::Events events;
    events.message = [this, raw = socket.get()](std::string_view text) {
      heard += text.size();
      if (echoes) raw->send(std::make_shared<const std::string>(frame_text(text)));
    };
    events.closed = [this](int code) { closed = code; };
    socket->start(std::move(events));
    if (!greeting.empty()) socket->send(std::make_shared<const std::string>(frame_text(greeting)));
    sockets_.push_back(std::move(socket));
    co_return std::nullopt;
  }

  const std::shared_ptr<Shards> shards_;
  std::mutex mutex_;
  Context seen_;
  std::vector<std::shared_ptr<WebSocket>> sockets_;
};

struct KnownPeers final : TunnelPeers {
  std::vector<std::string> addresses() const override {
    const std::lock_guard lock(mutex);
    return known;
  }
  void failed(const std::string& address) override {
    const std::lock_guard lock(mutex);
    failures.push_back(address);
  }
  std::vector<std::string> told() const {
    const std::lock_guard lock(mutex);
    return failures;
  }
  mutable std::mutex mutex;
  std::vector<std::string> known, failures;
};

struct Gateway {
  explicit Gateway(const Ground& ground, std::vector<std::string> instances, milliseconds attempt = milliseconds(10000),
                   std::shared_ptr<MutualTls> tls = nullptr)
      : shards{ground.shards} {
    peers->known = std::move(instances);
    TunnelOptions options;
    options.module = "there";
    options.path = "/there";
    options.peers = peers;
    options.tls = std::move(tls);
    options.attempt_timeout = attempt;
    options.handshake_timeout = milliseconds(20000);
    tunnels = loggia::tunnels(std::move(options), shards, clock, random, metrics);
    HttpServerOptions listening;
    listening.header_timeout = milliseconds(20);  // of the clock that stands; so looks are taken often
    HttpHandlers handlers;
    handlers.request = [](HttpRequest) -> boost::asio::awaitable<HttpResponse> { co_return HttpResponse(); };
    handlers.upgrade = [this](std::shared_ptr<Upgrade> upgrade) {
      auto address = upgrade->request().remote;
      return tunnels->enter(std::move(upgrade), std::move(address), trace);
    };
    server = http_server(std::move(listening), shards, clock, metrics, std::move(handlers));
    REQUIRE(server->start());
    trace.id = "0af7651916cd43dd8448eb211c80319c";
    trace.span = "b7ad6b7169203331";
  }
  ~Gateway() { server->stop(); }
  std::string metric(const std::string& name) const {
    const auto text = metrics.text();
    const auto at = text.find("\n" + name + " ");
    return at == text.npos ? "" : text.substr(at + name.size() + 2, text.find('\n', at + 1) - at - name.size() - 2);
  }

  std::shared_ptr<Shards> shards;
  std::shared_ptr<test::FakeClock> clock = std::make_shared<test::FakeClock>();
  std::shared_ptr<Random> random = std::make_shared<test::FakeRandom>();
  std::shared_ptr<KnownPeers> peers = std::make_shared<KnownPeers>();
  Metrics metrics;
  Trace trace;
  std::shared_ptr<Tunnels> tunnels;
  std::shared_ptr<HttpServer> server;
};

/// A client that has asked, and what it was answered.
struct Guest : http::RawClient {
  explicit Guest(const Gateway& gateway, const std::string& more = "", const std::string& early = "") : RawClient{gateway.server->address()} {
    send(ask + more + "\r\n" + early);
    answer = response();
  }
  std::string say(std::string_view text) {
    send(http::client_frame(text));
    return frame().second;
  }
  Response answer;
};

}  // namespace loggia::rpc::testing
