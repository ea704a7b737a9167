#pragma once
// An upgraded connection: the frame reader on one side, one queue and one writer on the other. Idle, it holds this object and a
// registration in epoll, nothing else. Made by an Upgrade; belongs to whoever accepted it; on its shard.
#include <span>
#include <string>
#include <vector>
#include "http/core.hpp"
#include "http/frame_reader.hpp"
#include "http/frames.hpp"
#include "http/stream.hpp"

namespace loggia::http {

class WebSocketConnection final : public WebSocket, public Member {
 public:
  /// `early`: what the client sent behind its handshake. `handshake`: the answer to it.
  WebSocketConnection(std::shared_ptr<Core> core, std::size_t shard, Slot slot, Stream stream, std::string early, Limits limits);
  /// permessage-deflate was agreed on; before start().
  void compress();
  ~WebSocketConnection() override;
  void answer(std::string handshake);

  void start(Events events) override;
  void send(SharedBytes framed) override;
  std::size_t queued() const override { return queued_; }
  void drop_queue() override;
  void ping() override;
  void pause_reading(bool paused) override;
  void set_limits(Limits limits) override { reader_.set_message_max(limits.message_max); }
  void close(int code, std::string_view reason) override;
  std::size_t shard() const override { return shard_; }

  void flush() override;
  void sweep(Moment now) override;
  void drain() override {}  // upgraded sockets are their owner's
  void terminate() override { end(1006); }

 private:
  /// closing: our close frame is queued, the peer's awaited. lingering: nothing more is to be said; once all is written, wait for the
  /// peer to hang up, so that our last frame is not lost to a reset.
  enum class Phase : std::uint8_t { open, closing, lingering, ended };
  enum class Kind : std::uint8_t { data, handshake, control, close };
  struct Entry {
    SharedBytes bytes;
    Kind kind;
  };
  std::shared_ptr<WebSocketConnection> self() { return std::static_pointer_cast<WebSocketConnection>(shared_from_this()); }
  std::weak_ptr<WebSocketConnection> weak() { return std::static_pointer_cast<WebSocketConnection>(shared_from_this()); }
  void wait_read();
  void on_readable(bool failed);
  void resume_later();
  void take(std::span<char> bytes);
  void take_control(const FrameReader::Event& event);
  void pong(std::string_view payload);
  void last_words(int code, std::string_view reason);
  void queue(SharedBytes bytes, Kind kind);
  void merge_control();
  std::size_t gather(std::span<iovec> out) const;
  void written(std::size_t bytes);
  void wait_write();
  void all_written();
  void end(int code);

  Stream stream_;
  FrameReader reader_;
  Events events_;
  std::string held_;     // read, and not taken because reading is paused
  std::string control_;  // control frames that go ahead of the queue
  std::vector<Entry> out_;
  std::size_t head_ = 0, offset_ = 0, queued_ = 0;
  std::size_t control_at_ = SIZE_MAX;  // where in out_ control frames wait
  Moment deadline_ = Moment::max();
  Slot slot_;
  int code_ = 1006;
  Phase phase_ = Phase::open;
  bool started_ = false, reading_ = false, paused_ = false, blocked_ = false, undrained_ = false, resuming_ = false, hung_up_ = false;
  bool deflate_ = false;
};

/// What Sec-WebSocket-Accept answers to a key (RFC 6455, 4.2.2).
std::string accept_key(std::string_view key);
/// 16 bytes in base64.
bool is_websocket_key(std::string_view key);

}  // namespace loggia::http
