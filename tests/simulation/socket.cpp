#include "socket.hpp"
#include <fmt/format.h>
#include "client.hpp"
#include "process.hpp"
#include "world.hpp"

namespace loggia::simulation {

Socket::Socket(World& world, Process& process, Client& client, std::size_t shard, std::uint64_t number)
    : world_{world}, process_{&process}, client_{&client}, shard_{shard}, number_{number} {}

Instant Socket::latency() const { return world_.network.between(100, 5000); }

void Socket::tell_server(std::function<void(Events&)> what) {
  if (!process_) return;
  process_->machine->post(shard_, [self = shared_from_this(), what = std::move(what)] {
    if (self->process_) what(self->events_);
  });
}

// ---- from the server ----

void Socket::send(SharedBytes framed) {
  if (closing_ != 0 || closed_ || !process_) return;
  if (revoked_ != INT64_MAX && world_.loop.now() > std::max(revoked_, world_.stopped_until) + second)
    world_.fail(fmt::format("connection {} is sent something, and its session was revoked", number_));
  queued_ += framed->size();
  out_.push_back(std::move(framed));
  flow();
}

/// One delivery at a time is on its way: what has gathered until then goes with it.
void Socket::flow() {
  if (flowing_ || (out_.empty() && closing_ == 0)) return;
  flowing_ = true;
  const auto wait = std::max<Instant>(0, stalled_until_ - world_.loop.now());
  world_.loop.after(wait + latency(), Work([self = shared_from_this()] {
                      self->flowing_ = false;
                      self->deliver();
                    }));
}

void Socket::deliver() {
  if (closed_) return;
  // A client that hung up without a word takes nothing: its system's buffers are full at once.
  if (!client_) return;
  if (world_.loop.now() < stalled_until_) return flow();
  constexpr std::size_t at_once = 32u << 10;
  for (std::size_t taken = 0; !out_.empty() && taken < at_once && client_;) {
    const auto bytes = std::move(out_.front());
    out_.pop_front();
    queued_ -= bytes->size();
    taken += bytes->size();
    arrived(*bytes);
  }
  if (closed_) return;
  if (!out_.empty()) return flow();
  if (closing_ != 0) {
    closed_ = true;
    const auto code = closing_;
    tell_server([code](Events& events) {
      if (events.closed) events.closed(code);
    });
    return tell_client(code);
  }
  tell_server([](Events& events) {
    if (events.drained) events.drained();
  });
}

void Socket::arrived(const std::string& bytes) {
  for (std::size_t at = 0; at < bytes.size() && client_;) {
    if (static_cast<unsigned char>(bytes[at]) != 0x81) return world_.fail("a frame that is no text");
    std::uint64_t size = static_cast<unsigned char>(bytes[at + 1]);
    int more = size == 126 ? 2 : size == 127 ? 8 : 0;
    at += 2;
    if (more > 0) size = 0;
    for (; more > 0; --more) size = size << 8 | static_cast<unsigned char>(bytes[at++]);
    client_->receive(*this, std::string_view(bytes).substr(at, size));
    at += size;
  }
}

void Socket::ping() {
  if (!client_ || closed_) return;
  world_.loop.after(2 * latency(), Work([self = shared_from_this()] {
                      if (!self->client_ || self->closed_) return;
                      self->tell_server([](Events& events) {
                        if (events.alive) events.alive();
                      });
                    }));
}

void Socket::pause_reading(bool paused) {
  paused_ = paused;
  if (!paused) to_server();
}

void Socket::close(int code, std::string_view) {
  if (closing_ != 0 || closed_) return;
  closing_ = code;
  flow();
  // The real one ends 2 s later at the latest.
  world_.loop.after(2 * second, Work([self = shared_from_this()] {
                      if (std::exchange(self->closed_, true)) return;
                      self->tell_server([code = self->closing_](Events& events) {
                        if (events.closed) events.closed(code);
                      });
                      self->tell_client(1006);
                    }));
}

void Socket::refused() {
  closed_ = true;
  tell_client(503);
}

// ---- from the client ----

void Socket::say(std::string text) {
  in_.push_back(std::move(text));
  to_server();
}

void Socket::to_server() {
  if (speaking_ || paused_ || in_.empty()) return;
  speaking_ = true;
  world_.loop.after(latency(), Work([self = shared_from_this()] {
                      self->speaking_ = false;
                      if (self->closed_ || self->in_.empty() || self->paused_) return;
                      self->tell_server([text = std::move(self->in_.front())](Events& events) {
                        if (events.message) events.message(text);
                      });
                      self->in_.pop_front();
                      self->to_server();
                    }));
}

void Socket::cut(bool server_learns) {
  client_ = nullptr;
  in_.clear();
  if (!server_learns) return;
  closed_ = true;
  world_.loop.after(latency(), Work([self = shared_from_this()] {
                      self->tell_server([](Events& events) {
                        if (events.closed) events.closed(1006);
                      });
                    }));
}

void Socket::tell_client(int code) {
  if (!client_) return;
  auto* client = std::exchange(client_, nullptr);
  client->lost(*this, code);
}

void Socket::process_gone() {
  process_ = nullptr;
  closed_ = true;
  events_ = Events();
  world_.loop.after(latency(), Work([self = shared_from_this()] { self->tell_client(1006); }));
}

}  // namespace loggia::simulation
