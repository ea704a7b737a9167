#include "http/tunnel.hpp"
#include <algorithm>
#include <stdexcept>
#include "http/frames.hpp"
#include "loggia/kernel/capacity.hpp"

namespace loggia {

void Upgrade::join(http::FarEnd) { throw std::logic_error("This handshake is on no connection of a listener."); }

namespace http {
namespace {

constexpr milliseconds answers_limit{1000}, goodbye_limit{2000};
constexpr int gone_code = 1001;
constexpr std::string_view goodbye = "the server is going away: reconnect with resume";

}  // namespace

Tunnel::Tunnel(std::shared_ptr<Core> core, std::size_t shard, Slot slot, Stream client, FarEnd far, std::string early)
    : Member{std::move(core), shard},
      client_{std::move(client)},
      far_{std::move(far.stream)},
      up_{client_, far_, std::move(early)},
      down_{far_, client_, std::move(far.early)},
      held_{std::move(far.held)},
      slot_{std::move(slot)} {
  core_->metrics.websockets.add(1);
  core_->tunnels.fetch_add(1);
}

void Tunnel::start(std::string answer) {
  const auto held = self();
  frames_.pass(down_.held, false);
  send(up_, std::exchange(up_.held, std::string()));
  send(down_, answer += std::exchange(down_.held, std::string()));
  if (core_->draining.load(std::memory_order_relaxed)) drain();
}

// ---- one way ----

void Tunnel::wait_read(Way& way) {
  way.from.when_readable([self = self(), &way](const boost::system::error_code& error) {
    if (self->ended_ || way.over) return;
    if (error) self->source_ended(way);
    else self->on_readable(way);
  });
}

void Tunnel::on_readable(Way& way) {
  const auto buffer = core_->scratch(shard_);
  const auto got = way.from.read(buffer.data(), buffer.size());
  switch (got.state) {
    case IoResult::State::ok:
      return take(way, std::string_view(buffer.data(), got.bytes));
    case IoResult::State::again:
      return wait_read(way);
    case IoResult::State::end:
    case IoResult::State::failed:
      return source_ended(way);
  }
}

void Tunnel::take(Way& way, std::string_view bytes) {
  if (&way == &down_) {
    if (said_) return wait_read(way);  // nothing follows a close frame
    if (going()) return take_last_frame(bytes);
    frames_.pass(bytes, false);
  }
  send(way, bytes);
}

/// As much as the other side takes; what it does not is held.
void Tunnel::send(Way& way, std::string_view bytes) {
  while (!bytes.empty() || way.to.unsent()) {
    const iovec buffer{const_cast<char*>(bytes.data()), bytes.size()};
    const auto sent = way.to.write(std::span<const iovec>(&buffer, bytes.empty() ? 0 : 1));
    switch (sent.state) {
      case IoResult::State::ok:
        bytes.remove_prefix(sent.bytes);
        if (&way == &down_) core_->metrics.sent_bytes.add(sent.bytes);
        break;
      case IoResult::State::again:
        return hold(way, bytes);
      case IoResult::State::end:
      case IoResult::State::failed:
        return finish(way);
    }
  }
  give_back(way.held);
  way.at = 0;
  way.deadline = Moment::max();
  if (way.last) finish(way);
  else wait_read(way);
}

void Tunnel::hold(Way& way, std::string_view bytes) {
  if (way.held.empty()) way.held = bytes;
  way.at = way.held.size() - bytes.size();
  way.deadline = now() + core_->options.write_timeout;
  way.to.when_writable([self = self(), &way](const boost::system::error_code& error) {
    if (self->ended_ || way.over) return;
    if (error) self->finish(way);
    else self->send(way, std::string_view(way.held).substr(way.at));
  });
}

/// What it has sent before is still passed on. A client whose instance is gone without a word is told to come back.
void Tunnel::source_ended(Way& way) {
  way.last = true;
  if (way.blocked()) return;
  std::string words;
  if (&way == &down_ && !said_ && !frames_.closed() && frames_.between()) words = close_frame(gone_code, goodbye);
  send(way, words);
}

void Tunnel::finish(Way& way) {
  way.over = true;
  give_back(way.held);
  way.deadline = Moment::max();
  deadline_ = std::min(deadline_, now() + goodbye_limit);
  way.to.shutdown_send();
  if (up_.over && down_.over) end();
}

// ---- the end ----

void Tunnel::drain() {
  if (drain_at_ == Moment::max()) drain_at_ = now() + answers_limit;
}

void Tunnel::sweep(Moment now) {
  const auto held = self();
  if (now >= std::min({deadline_, up_.deadline, down_.deadline})) return end();
  if (going() && frames_.between() && !frames_.closed() && !down_.last && !said_) say_going_away();
}

/// The time for answers is over, and that for the end of a frame runs.
bool Tunnel::going() {
  if (going_ || drain_at_ == Moment::max() || now() < drain_at_) return going_;
  going_ = true;
  deadline_ = std::min(deadline_, now() + goodbye_limit);
  return true;
}

/// The rest of the frame that was under way, and the close frame behind it; unless the frame goes on, or the instance has closed itself.
void Tunnel::take_last_frame(std::string_view bytes) {
  const auto end = frames_.pass(bytes, true);
  if (!frames_.between() || frames_.closed()) return send(down_, bytes);
  said_ = true;
  send(down_, std::string(bytes.substr(0, end)) += close_frame(gone_code, goodbye));
}

/// Between two frames. What the instance sends from now on is thrown away; the client's close frame is answered by it, and so both end.
void Tunnel::say_going_away() {
  said_ = true;
  const auto words = close_frame(gone_code, goodbye);
  if (down_.blocked()) down_.held += words;
  else send(down_, words);
}

void Tunnel::end() {
  if (std::exchange(ended_, true)) return;
  leave();
  client_.close();
  far_.close();
  give_back(up_.held);
  give_back(down_.held);
  held_ = nullptr;
  core_->metrics.websockets.add(-1);
  core_->tunnels.fetch_sub(1);
  slot_.release();
}

}  // namespace http
}  // namespace loggia
