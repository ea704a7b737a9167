#include "rpc/connection.hpp"
#include <sys/socket.h>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <cerrno>
#include "http/body.hpp"
#include "http/stream.hpp"

namespace loggia::rpc {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace beast_http = boost::beast::http;
using boost::system::error_code;
using http::IoResult;
using Incoming = beast_http::response_parser<beast_http::string_body>;

/// Bounded: without a bound, Beast 1.81 takes chunk trailers of any length.
constexpr std::size_t buffer_max = 64u << 10, head_max = 16u << 10, read_size = 32u << 10;

/// RFC 9112, section 3. The names and values are ours and hold no line end.
std::string outgoing(const Request& request) {
  std::string out = request.method + " " + request.target + " HTTP/1.1\r\nHost: " + request.host + "\r\n";
  for (const auto& [name, value] : request.headers) out += name + ": " + value + "\r\n";
  if (!request.body.empty()) out += "Content-Type: application/json\r\n";
  if (request.chunked) return out + "Transfer-Encoding: chunked\r\n\r\n";
  if (!request.body.empty() || request.method != "GET") out += "Content-Length: " + std::to_string(request.body.size()) + "\r\n";
  return out + "\r\n" + request.body;
}

Ending ending_of(const error_code& error, bool began) {
  if (error == beast_http::error::body_limit || error == beast_http::error::header_limit || error == beast_http::error::buffer_overflow)
    return Ending::too_much;
  return began ? Ending::broken : Ending::silent;
}

/// A socket, and the time that there is for what it does. Shared with the timer, whose last turn may come when the connection is gone.
struct Wire : std::enable_shared_from_this<Wire> {
  explicit Wire(const Executor& executor) : socket{executor}, timer{executor} {}

  void allow(milliseconds limit) {
    late = false;
    timer.expires_after(limit);
    timer.async_wait([weak = weak_from_this(), now = ++round](const error_code& error) {
      const auto self = weak.lock();
      if (error || !self || self->round != now) return;
      self->late = true;
      error_code ignored;
      if (self->stream) self->stream->cancel();
      else self->socket.cancel(ignored);
    });
  }
  void done() {
    ++round;
    timer.cancel();
  }

  asio::ip::tcp::socket socket;  // until it is connected
  std::optional<http::Stream> stream;
  asio::steady_timer timer;
  std::uint64_t round = 0;
  bool late = false;
};

class StreamConnection final : public Connection {
 public:
  StreamConnection(const Executor& executor, Peer peer) : wire_{std::make_shared<Wire>(executor)}, peer_{std::move(peer)}, buffer_{buffer_max} {}

  asio::awaitable<bool> connect(milliseconds limit) override {
    error_code error;
    wire_->allow(limit);
    co_await wire_->socket.async_connect(peer_.endpoint, asio::redirect_error(asio::use_awaitable, error));
    if (error || wire_->late) co_return false;
    wire_->socket.set_option(asio::ip::tcp::no_delay(true), error);
    stream().emplace(std::move(wire_->socket), peer_.tls);
    stream()->expect_peer(peer_.module);
    for (;;) {
      const auto shaken = stream()->handshake();
      if (shaken.state == IoResult::State::ok) break;
      if (shaken.state != IoResult::State::again) co_return false;
      const bool waited = co_await readable();
      if (!waited) co_return false;
    }
    wire_->done();
    kept_ = true;
    co_return true;
  }

  asio::awaitable<Exchange> exchange(std::shared_ptr<const Request> request, milliseconds limit) override {
    Exchange out;
    kept_ = false;
    wire_->allow(limit);
    // A peer that closes early may have answered before it did; what it says is not waited for.
    out.ending = co_await put(outgoing(*request));
    if (out.ending != Ending::answered) co_return out;
    Incoming parser;
    parser.eager(true);
    parser.body_limit(peer_.answer_max);
    parser.header_limit(head_max);
    while (!parser.is_done()) {
      const auto error = co_await read_into(parser);
      if (!error) continue;
      out.ending = failed(error, parser);
      co_return out;
    }
    wire_->done();
    out.ending = Ending::answered;
    out.received = head_of(parser);
    out.received.body = std::move(parser.get().body());
    // Bytes behind the answer belong to no request of ours.
    kept_ = parser.keep_alive() && buffer_.size() == 0;
    co_return out;
  }

  asio::awaitable<Exchange> stream(std::shared_ptr<const Request> request, ByteStream up, Pace pace) override {
    Exchange out;
    kept_ = false;
    auto& parser = incoming_.emplace();
    parser.body_limit(peer_.answer_max);
    parser.header_limit(head_max);
    wire_->allow(pace.left());
    out.ending = co_await put(outgoing(*request));
    if (out.ending != Ending::answered) co_return out;
    for (bool last = !up; !last;) {
      if (look(parser) || parser.got_some()) break;
      wire_->done();  // the source has the same deadline
      auto asked = up.read(pace.deadline);
      auto piece = co_await std::move(asked);
      out.ending = Ending::given_up;
      if (!piece) out.why = piece.error();
      if (!piece) co_return out;
      last = piece->empty();
      out.ending = Ending::late;
      if (pace.left() <= milliseconds(0)) co_return out;
      wire_->allow(pace.left());
      out.ending = co_await put(http::chunk_of(*piece));
      if (out.ending == Ending::late) co_return out;
      if (out.ending != Ending::answered) break;  // it may have answered before it closed
    }
    wire_->allow(std::max(pace.left(), milliseconds(1)));
    auto error = co_await read_until(parser, false);
    const bool down = !error && is_streamed(parser);
    if (!error && !down) {
      parser.eager(true);
      error = co_await read_until(parser, true);
    }
    wire_->done();
    out.ending = Ending::answered;
    if (error) out.ending = failed(error, parser);
    if (error) co_return out;
    out.received = head_of(parser);
    out.bytes = down;
    if (down) parser.body_limit(boost::none);
    if (down) parser.eager(true);
    else out.received.body = std::move(parser.get().body());
    co_return out;
  }

  asio::awaitable<Result<std::string>> next_piece(Pace pace) override {
    auto& parser = *incoming_;
    auto& body = parser.get().body();
    if (parse(parser)) co_return cut();
    while (body.empty() && !parser.is_done()) {
      if (pace.left() <= milliseconds(0)) co_return late();
      wire_->allow(pace.left());
      const auto error = co_await read_into(parser);
      wire_->done();
      if (wire_->late) co_return late();
      if (error) co_return cut();
    }
    co_return std::exchange(body, std::string());
  }

  bool kept() override {
    if (!kept_) return false;
    char byte = 0;
    const auto got = ::recv(stream()->descriptor(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    kept_ = got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK) && !stream()->has_unread();
    return kept_;
  }

  http::TlsFailure failure() const override { return wire_->stream ? wire_->stream->tls_failure() : http::TlsFailure::none; }

 private:
  static Error cut() { return Error(Errc::unavailable, "the answer was cut before its end"); }
  static Error late() { return Error(Errc::timeout, "the answer's bytes did not come in time"); }

  static Received head_of(Incoming& parser) {
    Received out;
    const auto& message = parser.get();
    const auto text = [](auto value) { return std::string(value.data(), value.size()); };
    out.status = static_cast<int>(message.result_int());
    out.content_type = text(message[beast_http::field::content_type]);
    out.retry_after = text(message[beast_http::field::retry_after]);
    out.turned_away = message.count(turned_away_header) > 0;
    out.reply = text(message[beast::string_view(reply_header.data(), reply_header.size())]);
    return out;
  }
  /// Chunked, since only so a cut is no end.
  static bool is_streamed(Incoming& parser) {
    const auto head = head_of(parser);
    return head.status >= 200 && head.status < 300 && parser.chunked() && !head.reply.empty();
  }

  Ending failed(const error_code& error, const Incoming& parser) const {
    if (wire_->late) return Ending::late;
    // A client has done its part of the handshake before the peer looks at its certificate; nothing was done of what it sent then.
    if (!parser.got_some() && failure() == http::TlsFailure::by_peer) return Ending::unsent;
    return ending_of(error, parser.got_some());
  }

  /// `answered`: all of it went out.
  asio::awaitable<Ending> put(std::string text) {
    for (std::size_t sent = 0; sent < text.size() || stream()->unsent();) {
      const iovec rest{text.data() + sent, text.size() - sent};
      const auto written = stream()->write(std::span<const iovec>(&rest, 1));
      sent += written.bytes;
      if (written.state == IoResult::State::ok) continue;
      bool waited = false;
      if (written.state == IoResult::State::again) waited = co_await writable();
      if (waited) continue;
      if (wire_->late) co_return Ending::late;
      co_return sent == 0 ? Ending::unsent : Ending::silent;
    }
    co_return Ending::answered;
  }

  /// To the end of the head, or of the message.
  asio::awaitable<error_code> read_until(Incoming& parser, bool end) {
    error_code error = parse(parser);
    while (!error && !(end ? parser.is_done() : parser.is_header_done())) error = co_await read_into(parser);
    co_return error;
  }

  std::optional<http::Stream>& stream() { return wire_->stream; }

  /// False: the time is over, or the call was cancelled.
  asio::awaitable<bool> readable() {
    error_code error;
    if (!wire_->late) co_await stream()->when_readable(asio::redirect_error(asio::use_awaitable, error));
    co_return !error && !wire_->late;
  }
  asio::awaitable<bool> writable() {
    error_code error;
    if (!wire_->late) co_await stream()->when_writable(asio::redirect_error(asio::use_awaitable, error));
    co_return !error && !wire_->late;
  }

  /// Reads once and parses what there is. Beast's own async_read does the same in ten seconds more of compiling.
  asio::awaitable<error_code> read_into(Incoming& parser) {
    if (buffer_.size() + read_size > buffer_max) co_return beast_http::error::buffer_overflow;
    const bool waited = co_await readable();
    if (!waited) co_return asio::error::operation_aborted;
    co_return look(parser);
  }
  /// What is there now, which may be nothing.
  error_code look(Incoming& parser) {
    error_code error;
    const auto got = stream()->read(static_cast<char*>(buffer_.prepare(read_size).data()), read_size);
    if (got.state == IoResult::State::again) return error;
    if (got.state == IoResult::State::end && parser.got_some()) {
      parser.put_eof(error);
      return error;
    }
    if (got.state != IoResult::State::ok) return asio::error::eof;
    buffer_.commit(got.bytes);
    return parse(parser);
  }
  error_code parse(Incoming& parser) {
    error_code error;
    if (buffer_.size() > 0 && !parser.is_done()) buffer_.consume(parser.put(buffer_.data(), error));
    return error == beast_http::error::need_more ? error_code() : error;
  }

  const std::shared_ptr<Wire> wire_;
  const Peer peer_;
  beast::flat_buffer buffer_;
  std::optional<Incoming> incoming_;  // of an exchange with bytes
  bool kept_ = false;
};

}  // namespace

std::unique_ptr<Connection> make_connection(const Executor& executor, Peer peer) {
  return std::make_unique<StreamConnection>(executor, std::move(peer));
}

}  // namespace loggia::rpc
