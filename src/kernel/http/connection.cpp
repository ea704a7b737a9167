#include "http/connection.hpp"
#include <algorithm>
#include "http/response.hpp"
#include "loggia/kernel/capacity.hpp"

namespace loggia::http {
namespace {

constexpr milliseconds linger_limit{2000};
constexpr std::size_t bytes_per_millisecond = 1;  // who sends a body slower than 1 kB a second is cut off

}  // namespace

HttpConnection::HttpConnection(std::shared_ptr<Core> core, std::size_t shard, Slot slot, Stream stream, std::string remote)
    : Member{std::move(core), shard}, stream_{std::move(stream)}, slot_{std::move(slot)}, remote_{std::move(remote)} {}

void HttpConnection::start() {
  deadline_ = now() + core_->options.header_timeout;
  wait_read();
}

void HttpConnection::consume(std::size_t bytes) {
  in_at_ += bytes;
  if (in_at_ < in_.size()) return;
  give_back(in_);
  in_at_ = 0;
}

void HttpConnection::wait_read() {
  if (std::exchange(waiting_, true)) return;
  stream_.when_readable([self = self()](const boost::system::error_code& error) {
    self->waiting_ = false;
    if (error) self->end();
    else self->on_readable();
  });
}

void HttpConnection::on_readable() {
  if (phase_ == Phase::ended || phase_ == Phase::handling || phase_ == Phase::writing) return;
  if (phase_ == Phase::streaming) return watch();
  const auto buffer = core_->scratch(shard_);
  const auto got = stream_.read(buffer.data(), buffer.size());
  if (got.state == IoResult::State::again) return core_->draining && idle() ? end() : wait_read();
  if (got.state == IoResult::State::failed && stream_.tls_failure() != TlsFailure::none) return refuse_tls();
  if (got.state != IoResult::State::ok) return end();
  if (phase_ == Phase::lingering) {
    discarded_ += got.bytes;
    deadline_ = std::min(now() + linger_limit, linger_end_);
    return discarded_ > discarded_max ? end() : wait_read();
  }
  in_.erase(0, std::exchange(in_at_, 0));
  in_.append(buffer.data(), got.bytes);
  proceed();
}

void HttpConnection::proceed() {
  while (phase_ == Phase::head || phase_ == Phase::body) {
    if (phase_ == Phase::head ? !read_head_bytes() : !read_body_bytes()) return;
  }
}

/// An empty line or two before a request is forgiven (RFC 9112, 2.2). False: more bytes are needed, or too many came.
bool HttpConnection::skip_blank_lines() {
  while (unread().starts_with("\r\n")) {
    if (++blank_lines_ > 2) return refuse(400, "A request begins with its request line."), false;
    consume(2);
  }
  if (!unread().empty() && unread() != "\r") return true;
  wait_read();
  return false;
}

/// True when the phase changed and there may be more to do.
bool HttpConnection::read_head_bytes() {
  if (!head_begun_) {
    if (!skip_blank_lines()) return false;
    head_begun_ = true;
    started_ = now();
    deadline_ = started_ + core_->options.header_timeout;
  }
  switch (scanner_.scan(unread(), core_->limits)) {
    case HeadScanner::State::more:
      return wait_read(), false;
    case HeadScanner::State::refused:
      return refuse(scanner_.refusal().status, scanner_.refusal().detail), false;
    case HeadScanner::State::complete:
      break;
  }
  auto verdict = read_head(unread().substr(0, scanner_.size()), core_->limits);
  consume(scanner_.size());
  if (!verdict.head) return refuse(verdict.refusal.status, verdict.refusal.detail), false;
  head_ = std::move(verdict.head);
  head_only_ = head_->request.method == "HEAD";
  http_1_0_ = head_->http_1_0;
  if (head_->has_body && !head_->websocket && core_->handlers.streams && core_->handlers.streams(head_->request)) return dispatch(), false;
  body_ = BodyReader(*head_, core_->limits.body_max);
  phase_ = Phase::body;
  body_started_ = now();
  deadline_ = body_started_ + core_->options.body_timeout;
  return true;
}

bool HttpConnection::read_body_bytes() {
  auto bytes = unread();
  const auto before = bytes.size();
  auto& body = head_->request.body;
  if (body.empty() && head_->content_length > 0) body.reserve(std::min<std::size_t>(head_->content_length, 64u << 10));
  const auto state = head_->has_body ? body_.read(bytes, body) : BodyReader::State::complete;
  consume(before - bytes.size());
  switch (state) {
    case BodyReader::State::refused:
      return refuse(body_.refusal().status, body_.refusal().detail), false;
    case BodyReader::State::more:
      if (std::exchange(head_->expects_continue, false) && body.empty() && !ask_for_body()) return end(), false;
      deadline_ = body_started_ + core_->options.body_timeout + milliseconds(body.size() / bytes_per_millisecond);
      return wait_read(), false;
    case BodyReader::State::complete:
      break;
  }
  dispatch();
  return false;
}

bool HttpConnection::ask_for_body() {
  static constexpr std::string_view line = "HTTP/1.1 100 Continue\r\n\r\n";
  const iovec buffer{const_cast<char*>(line.data()), line.size()};
  const auto sent = stream_.write(std::span<const iovec>(&buffer, 1));
  return sent.state == IoResult::State::ok && sent.bytes == line.size();
}

void HttpConnection::refuse(int status, std::string_view detail) {
  close_ = true;
  if (!head_begun_) started_ = now();
  respond(core_->refusal(status, detail));
}

void HttpConnection::respond(HttpResponse response) {
  response_ = std::move(response);
  core_->metrics.requests[std::clamp(response_.status / 100, 1, 5) - 1]->add();
  phase_ = Phase::writing;
  close_ = close_ || std::exchange(body_left_, false) || core_->draining.load(std::memory_order_relaxed);
  if (response_.bytes) return respond_streaming();
  if (response_.shared_body) give_back(response_.body);
  const auto size = response_.shared_body ? response_.shared_body->size() : response_.body.size();
  out_ = response_head(response_, size, close_);
  if (head_only_ || !may_have_body(response_.status)) {
    give_back(response_.body);
    response_.shared_body = nullptr;
  }
  sent_ = 0;
  write();
}

void HttpConnection::write() {
  const std::string& body = response_.shared_body ? *response_.shared_body : response_.body;
  while (sent_ < out_.size() + body.size() || stream_.unsent()) {
    iovec buffers[2];
    std::size_t count = 0;
    if (sent_ < out_.size()) buffers[count++] = iovec{out_.data() + sent_, out_.size() - sent_};
    const auto skipped = std::max(sent_, out_.size()) - out_.size();
    if (skipped < body.size()) buffers[count++] = iovec{const_cast<char*>(body.data()) + skipped, body.size() - skipped};
    const auto sent = stream_.write(std::span<const iovec>(buffers, count));
    if (sent.state == IoResult::State::ok) {
      sent_ += sent.bytes;
      continue;
    }
    if (sent.state != IoResult::State::again) return end();
    deadline_ = now() + core_->options.write_timeout;
    return stream_.when_writable([self = self()](const boost::system::error_code& error) {
      if (self->phase_ == Phase::ended) return;
      if (error) self->end();
      else self->write();
    });
  }
  answered();
}

void HttpConnection::answered() {
  core_->metrics.duration.observe(std::chrono::duration<double>(now() - started_).count());
  give_back(out_);
  give_back(response_.body);
  response_ = HttpResponse();
  head_.reset();
  head_begun_ = head_only_ = false;
  blank_lines_ = 0;
  scanner_.reset();
  if (close_ || (core_->draining.load(std::memory_order_relaxed) && unread().empty())) {
    stream_.shutdown_send();
    return linger();
  }
  phase_ = Phase::head;
  deadline_ = now() + core_->options.idle_timeout;
  proceed();
}

/// What the client still sends is read and thrown away for a while: a reset would take our answer from it.
void HttpConnection::linger() {
  phase_ = Phase::lingering;
  give_back(in_);
  in_at_ = 0;
  deadline_ = now() + linger_limit;
  linger_end_ = now() + core_->options.body_timeout;
  wait_read();
}

/// OpenSSL has said why, as far as the peer understands it.
void HttpConnection::refuse_tls() {
  if (core_->handlers.tls_refused) core_->handlers.tls_refused(to_text(stream_.tls_failure()), remote_);
  stream_.give_up_tls();
  linger();
}

void HttpConnection::sweep(Moment now) {
  if (now < deadline_) return;
  switch (phase_) {
    case Phase::head:
      if (!head_begun_) return end();
      return refuse(408, "The head of the request took too long.");
    case Phase::body:
      return refuse(408, "The body of the request took too long.");
    case Phase::handling:
    case Phase::streaming:  // each wait has an end of its own
      return;
    case Phase::writing:
    case Phase::lingering:
    case Phase::ended:
      return end();
  }
}

/// A request that waits in the socket is still answered.
void HttpConnection::drain() {
  if (idle()) on_readable();
}

void HttpConnection::terminate() {
  const bool handling = phase_ == Phase::handling || phase_ == Phase::streaming;
  end();
  if (handling) cancel_.emit(boost::asio::cancellation_type::terminal);
}

/// A handler that still runs ends on its own; what it answers is thrown away, and only then does the connection count as gone.
void HttpConnection::end() {
  const auto before = std::exchange(phase_, Phase::ended);
  if (before == Phase::ended) return;
  leave();
  stream_.close();
  if (before != Phase::handling && before != Phase::streaming) slot_.release();
}

}  // namespace loggia::http
