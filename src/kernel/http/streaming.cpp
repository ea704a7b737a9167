// Bodies that are not held: of a request, read by its handler as it wants, and of an answer, sent as its source gives. One piece is under way at a
// time, so who is slow lets the other side wait.
#include <algorithm>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <limits>
#include "http/connection.hpp"
#include "http/response.hpp"
#include "loggia/kernel/capacity.hpp"
#include "loggia/kernel/log.hpp"

namespace loggia::http {
namespace {

constexpr std::size_t bytes_per_millisecond_least = 1;  // as of bodies that are held
constexpr std::size_t waiting_max = 64u << 10;          // of requests behind the one that is answered; more stays in the socket

Error cut() { return Error(Errc::unavailable, "the request was cut before its end"); }
Error late() { return Error(Errc::timeout, "the request's bytes did not come in time"); }

}  // namespace

/// Outlives its request where somebody keeps it, and has nothing more to say then.
class RequestBody final : public ByteSource {
 public:
  explicit RequestBody(std::shared_ptr<HttpConnection> connection) : connection_{std::move(connection)} {}
  boost::asio::awaitable<Result<std::string>> read(Moment deadline) override { return connection_->next_piece(deadline); }

 private:
  const std::shared_ptr<HttpConnection> connection_;
};

/// To the handler.
void HttpConnection::leave_body(Head& head) {
  // How much a handler takes is its own to say.
  body_ = BodyReader(head, std::numeric_limits<std::size_t>::max() / 2);
  body_left_ = head.has_body;
  asks_first_ = head.expects_continue;
  body_waited_ = milliseconds(0);
  body_bytes_ = 0;
  head.request.bytes = ByteStream(std::make_shared<RequestBody>(self()));
}

boost::asio::awaitable<Result<std::string>> HttpConnection::next_piece(Moment deadline) {
  for (;;) {
    if (phase_ != Phase::handling) co_return cut();
    std::string piece;
    auto bytes = unread().substr(0, ByteStream::piece_max);
    const auto before = bytes.size();
    const auto state = body_.read(bytes, piece);
    consume(before - bytes.size());
    body_bytes_ += piece.size();
    if (state == BodyReader::State::refused) co_return Error(Errc::malformed, body_.refusal().detail);
    if (state == BodyReader::State::complete) body_left_ = false;
    if (state == BodyReader::State::complete || !piece.empty()) co_return piece;
    if (before > 0 && !unread().empty()) continue;
    if (std::exchange(asks_first_, false) && !ask_for_body()) break;
    const auto began = now();
    const auto allowed = core_->options.body_timeout + milliseconds(body_bytes_ / bytes_per_millisecond_least) - body_waited_;
    if (allowed <= milliseconds(0) || deadline <= began) co_return late();
    const auto limit = std::min(std::min(core_->options.body_timeout, allowed), std::chrono::ceil<milliseconds>(deadline - began));
    const bool ready = co_await wait_for(true, limit);
    body_waited_ += std::chrono::ceil<milliseconds>(now() - began);
    if (phase_ != Phase::handling) co_return cut();
    if (!ready) co_return late();
    const auto buffer = core_->scratch(shard_);
    const auto got = stream_.read(buffer.data(), buffer.size());
    if (got.state == IoResult::State::again) continue;
    if (got.state != IoResult::State::ok) break;
    in_.erase(0, std::exchange(in_at_, 0));
    in_.append(buffer.data(), got.bytes);
  }
  end();  // its handler hears of it, and answers nobody
  co_return cut();
}

/// False: the time was over, or the connection ended.
boost::asio::awaitable<bool> HttpConnection::wait_for(bool readable, milliseconds limit) {
  boost::asio::steady_timer timer(core_->shards->executor(shard_), limit);
  const auto over = std::make_shared<bool>(false), late = std::make_shared<bool>(false);
  timer.async_wait([self = self(), over, late](const boost::system::error_code& error) {
    if (error || *over) return;
    *late = true;
    self->stream_.cancel();
  });
  boost::system::error_code ended;
  if (readable) co_await stream_.when_readable(boost::asio::redirect_error(boost::asio::use_awaitable, ended));
  else co_await stream_.when_writable(boost::asio::redirect_error(boost::asio::use_awaitable, ended));
  *over = true;
  co_return !ended && !*late;
}

void HttpConnection::respond_streaming() {
  const auto bytes = std::exchange(response_.bytes, ByteStream());
  if (http_1_0_) {  // its end could not be told from a cut
    close_ = true;
    response_ = core_->refusal(505, "This answer takes HTTP/1.1.");
    out_ = response_head(response_, response_.body.size(), close_);
    sent_ = 0;
    return write();
  }
  give_back(response_.body);
  response_.shared_body = nullptr;
  out_ = response_head(response_, std::nullopt, close_);
  sent_ = 0;
  if (head_only_ || !may_have_body(response_.status)) return write();
  phase_ = Phase::streaming;
  deadline_ = Moment::max();
  if (close_) {  // what is unread belongs to no request that will be answered
    give_back(in_);
    in_at_ = 0;
  }
  wait_read();  // who hangs up is noticed
  auto done = [self = self(), handling = Handling(core_)](const std::exception_ptr& error, bool whole) {
    if (self->phase_ == Phase::ended) return self->slot_.release();
    if (!error && whole) return self->answered();
    self->end();
    self->slot_.release();
  };
  boost::asio::co_spawn(core_->shards->executor(shard_), stream_out(bytes, response_.until),
                        boost::asio::bind_cancellation_slot(cancel_.slot(), std::move(done)));
}

/// False: it came to an end that the client must not take for one.
boost::asio::awaitable<bool> HttpConnection::stream_out(ByteStream bytes, Moment until) {
  const auto held = self();
  for (bool last = false;;) {
    const bool sent = co_await write_out();
    if (!sent) co_return false;
    if (last) co_return true;
    auto asked = bytes.read(until);
    auto piece = co_await std::move(asked);
    if (phase_ != Phase::streaming) co_return false;
    if (!piece) {
      log::warn("http.stream_cut", Field("server", core_->options.name), Field("why", piece.error().detail));
      co_return false;
    }
    last = piece->empty();
    out_ = chunk_of(*piece);
    sent_ = 0;
  }
}

boost::asio::awaitable<bool> HttpConnection::write_out() {
  while (phase_ == Phase::streaming && (sent_ < out_.size() || stream_.unsent())) {
    const iovec rest{out_.data() + sent_, out_.size() - sent_};
    const auto sent = stream_.write(std::span<const iovec>(&rest, sent_ < out_.size() ? 1 : 0));
    if (sent.state == IoResult::State::ok) sent_ += sent.bytes;
    if (sent.state == IoResult::State::ok) continue;
    if (sent.state != IoResult::State::again) co_return false;
    const bool ready = co_await wait_for(false, core_->options.write_timeout);
    if (!ready) co_return false;
  }
  co_return phase_ == Phase::streaming;
}

/// What comes while an answer is streamed is the next request, which waits; or the rest of this one, which nobody wants: thrown away, since who
/// still sends may not read before it is rid of it; or the end.
void HttpConnection::watch() {
  const auto buffer = core_->scratch(shard_);
  const auto got = stream_.read(buffer.data(), buffer.size());
  if (got.state == IoResult::State::again) return wait_read();
  if (got.state != IoResult::State::ok) return terminate();
  if (close_) {
    discarded_ += got.bytes;
    return discarded_ > discarded_max ? terminate() : wait_read();
  }
  in_.erase(0, std::exchange(in_at_, 0));
  in_.append(buffer.data(), got.bytes);
  if (in_.size() < waiting_max) wait_read();
}

}  // namespace loggia::http
