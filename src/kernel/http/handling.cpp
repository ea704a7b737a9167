// The part of a connection that calls the handlers: here the coroutines of the modules begin and end.
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/error.hpp>
#include "http/connection.hpp"
#include "http/deflate.hpp"
#include "http/response.hpp"
#include "http/websocket.hpp"
#include "loggia/kernel/capacity.hpp"
#include "loggia/kernel/log.hpp"

namespace loggia::http {

/// A handshake that has been checked and not answered. Ends with the handler.
class UpgradeRequest final : public Upgrade {
 public:
  UpgradeRequest(std::shared_ptr<HttpConnection> connection, HttpRequest request)
      : connection_{std::move(connection)}, request_{std::move(request)}, shard_{connection_->shard_} {}
  const HttpRequest& request() const override { return request_; }
  std::size_t shard() const override { return shard_; }
  std::shared_ptr<WebSocket> accept(std::string_view subprotocol, WebSocket::Limits limits) override {
    if (!connection_) throw std::logic_error("An upgrade is accepted once, and before its handler has answered.");
    const auto connection = std::move(connection_);
    connection_ = nullptr;
    return connection->hand_over(request_, subprotocol, limits);
  }
  void join(FarEnd far) override {
    if (!connection_) throw std::logic_error("An upgrade is joined once, and before its handler has answered.");
    std::exchange(connection_, nullptr)->join(std::move(far));
  }
  void expire() { connection_ = nullptr; }

 private:
  std::shared_ptr<HttpConnection> connection_;
  const HttpRequest request_;
  const std::size_t shard_;
};

void HttpConnection::dispatch() {
  const auto began = std::exchange(phase_, Phase::handling);
  deadline_ = Moment::max();
  auto& head = *head_;
  close_ = close_ || head.close;
  if (began == Phase::head) leave_body(head);
  head.request.remote = remote_;
  head.request.tls = stream_.tls();
  head.request.peer = stream_.peer();
  if (!core_->options.takes_identity) drop_identity(head.request.headers);
  started_ = now();
  if (head.websocket && core_->handlers.upgrade) run_upgrade();
  else run();
}

void HttpConnection::drop_identity(Parameters& headers) {
  if (std::erase_if(headers, [](const auto& header) { return header.first.starts_with("loggia-"); }) > 0) core_->metrics.forged.add();
}

void HttpConnection::run() {
  auto request = std::move(head_->request);
  head_.reset();
  try {
    auto done = [self = self(), handling = Handling(core_)](const std::exception_ptr& error, HttpResponse response) {
      if (self->phase_ == Phase::ended) return self->slot_.release();
      if (error) return self->failed(error);
      if (response.status < 200 || response.status > 599 || !headers_are_safe(response.headers)) {
        log::error("http.bad_response", Field("server", self->core_->options.name), Field("status", response.status));
        response = self->core_->refusal(500, "The server made an answer that cannot be sent.");
      }
      self->respond(std::move(response));
    };
    boost::asio::co_spawn(core_->shards->executor(shard_), core_->handlers.request(std::move(request)),
                          boost::asio::bind_cancellation_slot(cancel_.slot(), std::move(done)));
  } catch (...) {
    failed(std::current_exception());
  }
}

void HttpConnection::run_upgrade() {
  const auto& request = head_->request;
  if (request.header("sec-websocket-version") != "13") {
    close_ = true;
    auto response = core_->refusal(426, "The version of WebSocket spoken here is 13.");
    response.headers.emplace_back("sec-websocket-version", "13");
    response.headers.emplace_back("upgrade", "websocket");
    return respond(std::move(response));
  }
  if (!is_websocket_key(request.header("sec-websocket-key"))) return refuse(400, "Sec-WebSocket-Key is 16 bytes in base64.");
  auto upgrade = std::make_shared<UpgradeRequest>(self(), std::move(head_->request));
  head_.reset();
  try {
    auto done = [self = self(), upgrade, handling = Handling(core_)](const std::exception_ptr& error, std::optional<HttpResponse> response) {
      upgrade->expire();
      if (error && self->handing_over_) {
        log::error("http.upgrade_failed", Field("server", self->core_->options.name));
        return;
      }
      if (self->handing_over_) return;
      if (self->phase_ == Phase::ended) return self->slot_.release();
      if (error) return self->failed(error);
      if (!response || response->status < 200 || response->status > 599 || !headers_are_safe(response->headers))
        response = self->core_->refusal(500, "The server did not answer the handshake.");
      self->respond(std::move(*response));
    };
    boost::asio::co_spawn(core_->shards->executor(shard_), core_->handlers.upgrade(upgrade),
                          boost::asio::bind_cancellation_slot(cancel_.slot(), std::move(done)));
  } catch (...) {
    upgrade->expire();
    failed(std::current_exception());
  }
}

void HttpConnection::failed(const std::exception_ptr& error) {
  std::string why;
  try {
    std::rethrow_exception(error);
  } catch (const std::exception& exception) {
    why = exception.what();
  } catch (...) {
    why = "an exception of no known kind";
  }
  log::error("http.handler_failed", Field("server", core_->options.name), Field("error", why));
  respond(core_->refusal(500, "Something went wrong on the server."));
}

/// What the client has sent behind its handshake; this ends.
std::string HttpConnection::upgraded() {
  handing_over_ = true;
  phase_ = Phase::ended;
  leave();
  core_->metrics.requests[0]->add();
  core_->metrics.duration.observe(std::chrono::duration<double>(now() - started_).count());
  std::string early(unread());
  give_back(in_);
  in_at_ = 0;
  return early;
}

void HttpConnection::join(FarEnd far) {
  if (phase_ != Phase::handling) return;  // stopped meanwhile: the far end sees that nobody is here
  auto early = upgraded();
  auto answer = std::move(far.answer);
  const auto tunnel = std::make_shared<Tunnel>(core_, shard_, std::move(slot_), std::move(stream_), std::move(far), std::move(early));
  tunnel->start(std::move(answer));
}

std::shared_ptr<WebSocket> HttpConnection::hand_over(const HttpRequest& request, std::string_view subprotocol, WebSocket::Limits limits) {
  if (phase_ != Phase::handling) {  // stopped meanwhile: the owner is told by `closed`
    handing_over_ = true;
    auto socket = std::make_shared<WebSocketConnection>(core_, shard_, std::move(slot_), std::move(stream_), std::string(), limits);
    socket->terminate();
    return socket;
  }
  auto early = upgraded();
  auto socket = std::make_shared<WebSocketConnection>(core_, shard_, std::move(slot_), std::move(stream_), std::move(early), limits);
  std::string answer = "HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: Upgrade\r\nsec-websocket-accept: ";
  (answer += accept_key(request.header("sec-websocket-key"))) += "\r\n";
  if (const auto extension = limits.deflate ? accept_deflate(request) : std::nullopt) {
    ((answer += "sec-websocket-extensions: ") += *extension) += "\r\n";
    socket->compress();
  }
  if (!subprotocol.empty() && is_token(subprotocol)) ((answer += "sec-websocket-protocol: ") += subprotocol) += "\r\n";
  socket->answer(answer += "\r\n");
  return socket;
}

}  // namespace loggia::http
