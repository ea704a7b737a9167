// The listener put together: accepts on shard 0, deals the connections to the shards in turn, drains and stops.
#include <sys/socket.h>
#include <unistd.h>
#include <future>
#include "http/connection.hpp"
#include "http/listener.hpp"
#include "loggia/kernel/log.hpp"
#include "loggia/kernel/mutual_tls.hpp"

namespace loggia {
namespace http {
namespace {

class Server final : public HttpServer {
 public:
  Server(HttpServerOptions options, std::shared_ptr<Shards> shards, std::shared_ptr<Clock> clock, Metrics& metrics, HttpHandlers handlers)
      : core_{std::make_shared<Core>(std::move(options), std::move(shards), std::move(clock), metrics, std::move(handlers))} {}
  ~Server() override {
    if (listener_) stop();
  }

  Result<bool> start() override;
  std::string address() const override { return listener_ ? listener_->address() : core_->options.listen; }
  void drain() override;
  void stop() override;
  std::size_t connections() const override { return core_->connections(); }
  std::size_t tunnels() const override { return core_->tunnels; }
  bool drained() const override { return core_->handling == 0 && core_->tunnels == 0; }
  Result<bool> reload_certificate() override;

 private:
  static void begin(const std::shared_ptr<Core>& core, std::size_t shard, Accepted accepted);
  static void turn_away(const Core& core, int descriptor);

  const std::shared_ptr<Core> core_;
  std::shared_ptr<Listener> listener_;
};

Result<bool> Server::reload_certificate() {
  const auto& options = core_->options;
  if (options.mutual) return options.mutual->reload();
  if (options.certificate.empty() && options.private_key.empty()) return true;
  if (options.certificate.empty() || options.private_key.empty())
    return Error(Errc::invalid_request, "TLS takes both a certificate and a private key: name the other one too, or neither.");
  auto tls = TlsContext::load(options.certificate, options.private_key);
  if (!tls) return tls.error();
  core_->set_tls(std::move(*tls));
  return true;
}

Result<bool> Server::start() {
  if (listener_) return Error(Errc::internal, "A listener is started once.");
  if (!core_->options.mutual)
    if (auto loaded = reload_certificate(); !loaded) return loaded;
  auto next = std::make_shared<std::size_t>(0);
  auto listener = std::make_shared<Listener>(core_->shards, core_->options.name, [core = core_, next](Accepted accepted) {
    if (core->connections() >= core->options.connections_max) return turn_away(*core, accepted.descriptor);
    const auto shard = (*next)++ % core->shards->size();
    auto slot = std::make_shared<Slot>(core);
    core->shards->post(shard, [core, shard, slot, accepted = std::move(accepted)] {
      auto held = std::move(*slot);
      begin(core, shard, accepted);
      held.release();
    });
  });
  auto opened = listener->open(core_->options.listen);
  if (!opened) return opened;
  listener_ = std::move(listener);
  core_->shards->post(0, [listener = listener_] { listener->run(); });
  return true;
}

void Server::begin(const std::shared_ptr<Core>& core, std::size_t shard, Accepted accepted) {
  try {
    Stream stream(core->shards->executor(shard), accepted.descriptor, accepted.v6, core->tls());
    auto connection = std::make_shared<HttpConnection>(core, shard, Slot(core), std::move(stream), std::move(accepted.remote));
    connection->start();
  } catch (const std::exception& error) {
    log::error("http.connection_failed", Field("server", core->options.name), Field("error", error.what()));
  }
}

void Server::turn_away(const Core& core, int descriptor) {
  static constexpr std::string_view full = "HTTP/1.1 503 Service Unavailable\r\nretry-after: 1\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
  if (core.options.certificate.empty() && !core.options.mutual) [[maybe_unused]]
    const auto sent = ::send(descriptor, full.data(), full.size(), MSG_NOSIGNAL);
  ::close(descriptor);
}

void Server::drain() {
  if (core_->draining.exchange(true) || !listener_) return;
  core_->shards->post(0, [core = core_, listener = listener_] {
    listener->close();
    core->drain_all();  // from here, so that it comes behind what was accepted before
  });
}

void Server::stop() {
  core_->draining = true;
  if (!listener_) return;
  auto closed = std::make_shared<std::promise<void>>();
  auto done = closed->get_future();
  core_->shards->post(0, [core = core_, listener = listener_, closed] {
    listener->close();
    core->terminate_all();
    closed->set_value();
  });
  done.wait();
  core_->wait_until_empty();
  listener_ = nullptr;
  // What was cancelled is still in the loops and holds on to this and to the shards. The first turn of a loop comes behind the function
  // that cancelled (its last connection may be counted out before it has ended), the second behind what that function left in the loop.
  for (int turn = 0; turn < 2; ++turn)
    for (std::size_t shard = 0; shard < core_->shards->size(); ++shard) {
      auto ours = std::make_shared<std::promise<void>>();
      auto turned = ours->get_future();
      core_->shards->post(shard, [ours] { ours->set_value(); });
      turned.wait();
    }
}

}  // namespace
}  // namespace http

std::shared_ptr<HttpServer> http_server(HttpServerOptions options, std::shared_ptr<Shards> shards, std::shared_ptr<Clock> clock, Metrics& metrics,
                                        HttpHandlers handlers) {
  return std::make_shared<http::Server>(std::move(options), std::move(shards), std::move(clock), metrics, std::move(handlers));
}

}  // namespace loggia
