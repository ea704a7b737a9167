#include "http/websocket.hpp"
#include <algorithm>
#include "loggia/kernel/crypto.hpp"

namespace loggia::http {
namespace {

constexpr std::size_t buffers_max = 64, control_max = 4096, idle_entries = 4;
constexpr milliseconds close_limit{2000};

}  // namespace

std::string accept_key(std::string_view key) { return crypto::base64(crypto::sha1(std::string(key) + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11")); }

bool is_websocket_key(std::string_view key) {
  if (key.size() != 24 || !key.ends_with("==")) return false;
  const auto digit = [](char c) { return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '+' || c == '/'; };
  return std::all_of(key.begin(), key.end() - 2, digit) && std::string_view("AQgw").find(key[21]) != std::string_view::npos;
}

WebSocketConnection::WebSocketConnection(std::shared_ptr<Core> core, std::size_t shard, Slot slot, Stream stream, std::string early, Limits limits)
    : Member{std::move(core), shard}, stream_{std::move(stream)}, reader_{limits.message_max}, held_{std::move(early)}, slot_{std::move(slot)} {
  core_->metrics.websockets.add(1);
}

WebSocketConnection::~WebSocketConnection() {
  stream_.close();
  core_->metrics.websockets.add(-1);
}

void WebSocketConnection::answer(std::string handshake) { queue(std::make_shared<const std::string>(std::move(handshake)), Kind::handshake); }

void WebSocketConnection::compress() {
  deflate_ = true;
  reader_.inflate_with(core_->deflater(shard_));
}

void WebSocketConnection::start(Events events) {
  if (started_) throw std::logic_error("A WebSocket is started once.");
  events_ = std::move(events);
  started_ = true;
  if (phase_ == Phase::ended) return end(code_);  // it was ended before anyone listened
  resume_later();
}

// ---- reading ----

void WebSocketConnection::wait_read() {
  if (reading_ || !started_ || phase_ == Phase::ended || (paused_ && phase_ == Phase::open)) return;
  reading_ = true;
  stream_.when_readable([weak = weak()](const boost::system::error_code& error) {
    if (const auto held = weak.lock()) held->on_readable(static_cast<bool>(error));
  });
}

void WebSocketConnection::on_readable(bool failed) {
  reading_ = false;
  if (phase_ == Phase::ended || (paused_ && phase_ == Phase::open)) return;
  const auto buffer = core_->scratch(shard_);
  const auto got = failed ? IoResult() : stream_.read(buffer.data(), buffer.size());
  switch (got.state) {
    case IoResult::State::ok:
      return take(buffer.first(got.bytes));
    case IoResult::State::again:
      return wait_read();
    case IoResult::State::end:
    case IoResult::State::failed:
      return end(phase_ == Phase::open ? 1006 : code_);
  }
}

/// Never from inside a call.
void WebSocketConnection::resume_later() {
  if (std::exchange(resuming_, true)) return;
  core_->shards->post(shard_, [weak = weak()] {
    const auto held = weak.lock();
    if (!held) return;
    held->resuming_ = false;
    if (held->phase_ == Phase::ended || (held->paused_ && held->phase_ == Phase::open)) return;
    auto early = std::exchange(held->held_, std::string());
    held->take(early);
  });
}

void WebSocketConnection::take(std::span<char> bytes) {
  // The caller holds the one reference beside the owner's, who may let go within a callback: then nothing more is said to it.
  const auto abandoned = [this] { return weak_from_this().use_count() == 1; };
  bool alive = false;
  while (phase_ == Phase::open || phase_ == Phase::closing) {
    if (paused_ && phase_ == Phase::open) {
      held_.assign(bytes.data(), bytes.size());
      return;
    }
    const auto event = reader_.next(bytes);
    if (event.kind == FrameReader::Kind::more) break;
    if (phase_ == Phase::open && !std::exchange(alive, true) && events_.alive) events_.alive();
    if (abandoned()) return;
    if (event.kind != FrameReader::Kind::text) take_control(event);
    else if (phase_ == Phase::open && events_.message) events_.message(event.payload);
    if (abandoned()) return;
  }
  wait_read();
}

void WebSocketConnection::take_control(const FrameReader::Event& event) {
  switch (event.kind) {
    case FrameReader::Kind::ping:
      return pong(event.payload);
    case FrameReader::Kind::close:
    case FrameReader::Kind::error:
      if (phase_ == Phase::open) {
        code_ = event.code;
        last_words(event.code, event.kind == FrameReader::Kind::error ? event.payload : std::string_view());
      }
      phase_ = Phase::lingering;
      mark_dirty();
      return;
    case FrameReader::Kind::more:
    case FrameReader::Kind::text:
    case FrameReader::Kind::pong:
      return;
  }
}

void WebSocketConnection::pong(std::string_view payload) {
  if (phase_ != Phase::open) return;
  if (control_.size() > control_max) control_.clear();  // who pings and does not read gets the answer to the newest (RFC 6455, 5.5.3)
  append_control(control_, Opcode::pong, payload);
  mark_dirty();
}

/// A close frame ahead of what waits, which is not sent any more.
void WebSocketConnection::last_words(int code, std::string_view reason) {
  drop_queue();
  control_ += close_frame(code, reason);
  deadline_ = now() + close_limit;
}

void WebSocketConnection::pause_reading(bool paused) {
  if (paused_ == paused) return;
  paused_ = paused;
  if (!paused && started_) resume_later();
}

// ---- writing ----

void WebSocketConnection::queue(SharedBytes bytes, Kind kind) {
  queued_ += bytes->size();
  out_.push_back(Entry{std::move(bytes), kind});
  undrained_ = true;
  mark_dirty();
}

void WebSocketConnection::send(SharedBytes framed) {
  if (phase_ != Phase::open || !framed || framed->empty()) return;
  core_->count_frames_of(shard_, framed);
  if (deflate_) framed = core_->deflated(shard_, std::move(framed));
  queue(std::move(framed), Kind::data);
}

void WebSocketConnection::ping() {
  if (phase_ != Phase::open) return;
  append_control(control_, Opcode::ping, {});
  mark_dirty();
}

void WebSocketConnection::drop_queue() {
  std::vector<Entry> kept;
  const auto control = control_at_;
  control_at_ = SIZE_MAX;
  for (std::size_t i = head_; i < out_.size(); ++i) {
    const bool begun = i == head_ && offset_ > 0;
    if (!begun && out_[i].kind == Kind::data) {
      queued_ -= out_[i].bytes->size();
      continue;
    }
    if (i == control) control_at_ = kept.size();
    kept.push_back(std::move(out_[i]));
  }
  out_ = std::move(kept);
  head_ = 0;
}

void WebSocketConnection::close(int code, std::string_view reason) {
  if (phase_ != Phase::open) return;
  code_ = code;
  merge_control();
  control_.clear();  // no frame may follow the close frame
  phase_ = Phase::closing;
  // Who reads too slowly is to learn why: the frame waits as long as any write. A server that goes away does not wait for them.
  const bool patient = blocked_ && !core_->draining.load(std::memory_order_relaxed);
  deadline_ = now() + (patient ? std::max(close_limit, core_->options.write_timeout) : close_limit);
  queue(std::make_shared<const std::string>(close_frame(code, reason)), Kind::close);
  if (started_) resume_later();  // paused or not, the peer's close frame is awaited
}

/// Control frames go behind what is begun and ahead of the rest, one heap of them at a time.
void WebSocketConnection::merge_control() {
  if (control_.empty() || control_at_ != SIZE_MAX) return;
  control_at_ = head_ + (offset_ > 0 ? 1 : 0);
  while (control_at_ < out_.size() && out_[control_at_].kind == Kind::handshake) ++control_at_;
  queued_ += control_.size();
  Entry entry{std::make_shared<const std::string>(std::exchange(control_, std::string())), Kind::control};
  out_.insert(out_.begin() + static_cast<std::ptrdiff_t>(control_at_), std::move(entry));
}

std::size_t WebSocketConnection::gather(std::span<iovec> out) const {
  std::size_t count = 0;
  for (std::size_t i = head_; i < out_.size() && count < out.size(); ++i, ++count) {
    const auto skipped = i == head_ ? offset_ : 0;
    out[count].iov_base = const_cast<char*>(out_[i].bytes->data()) + skipped;
    out[count].iov_len = out_[i].bytes->size() - skipped;
  }
  return count;
}

void WebSocketConnection::written(std::size_t bytes) {
  core_->metrics.sent_bytes.add(bytes);
  queued_ -= bytes;
  while (bytes > 0) {
    const auto left = out_[head_].bytes->size() - offset_;
    if (bytes < left) {
      offset_ += bytes;
      return;
    }
    bytes -= left;
    offset_ = 0;
    out_[head_].bytes = nullptr;
    if (head_ == control_at_) control_at_ = SIZE_MAX;
    ++head_;
  }
  if (head_ >= buffers_max && head_ * 2 >= out_.size()) {  // a queue that is never empty does not grow for ever
    out_.erase(out_.begin(), out_.begin() + static_cast<std::ptrdiff_t>(head_));
    if (control_at_ != SIZE_MAX) control_at_ -= head_;
    head_ = 0;
  }
}

void WebSocketConnection::flush() {
  const auto held = self();
  while (phase_ != Phase::ended && !blocked_) {
    merge_control();
    if (head_ == out_.size() && !stream_.unsent()) return all_written();
    iovec buffers[buffers_max];
    const auto count = gather(buffers);
    const auto sent = stream_.write(std::span<const iovec>(buffers, count));
    switch (sent.state) {
      case IoResult::State::ok:
        written(sent.bytes);
        break;
      case IoResult::State::again:
        return wait_write();
      case IoResult::State::end:
      case IoResult::State::failed:
        return end(phase_ == Phase::lingering ? code_ : 1006);
    }
  }
}

void WebSocketConnection::wait_write() {
  blocked_ = true;
  if (phase_ == Phase::open) deadline_ = now() + core_->options.write_timeout;
  stream_.when_writable([weak = weak()](const boost::system::error_code& error) {
    const auto held = weak.lock();
    if (!held) return;
    held->blocked_ = false;
    if (error) held->end(1006);
    else held->flush();
  });
}

void WebSocketConnection::all_written() {
  if (out_.capacity() > idle_entries) out_ = std::vector<Entry>();
  else out_.clear();
  head_ = 0;
  if (phase_ == Phase::open) deadline_ = Moment::max();
  if (phase_ == Phase::closing) deadline_ = now() + close_limit;
  if (phase_ == Phase::lingering && !std::exchange(hung_up_, true)) {
    stream_.shutdown_send();
    wait_read();
  }
  if (std::exchange(undrained_, false) && started_ && phase_ == Phase::open && events_.drained) events_.drained();
}

void WebSocketConnection::sweep(Moment now) {
  if (now >= deadline_) end(phase_ == Phase::open ? 1006 : code_);
}

void WebSocketConnection::end(int code) {
  code_ = code;
  if (std::exchange(phase_, Phase::ended) != Phase::ended) {
    leave();
    stream_.close();
    out_ = std::vector<Entry>();
    head_ = offset_ = queued_ = 0;
    control_at_ = SIZE_MAX;
  }
  if (!started_) return slot_.release();
  core_->shards->post(shard_, [weak = weak()] {
    const auto held = weak.lock();
    if (!held) return;
    const auto events = std::exchange(held->events_, Events());  // once, last; and what they hold on to is let go
    if (events.closed) events.closed(held->code_);
    held->slot_.release();
  });
}

}  // namespace loggia::http
