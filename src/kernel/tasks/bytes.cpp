#include "loggia/kernel/bytes.hpp"
#include <algorithm>
#include <optional>
#include <stdexcept>

namespace loggia {

struct ByteStream::State {
  std::shared_ptr<ByteSource> source;  // none: it has ended, or failed
  std::optional<Error> failed;
  bool reading = false;

  void fail(Error why) {
    failed = std::move(why);
    source = nullptr;
  }
};

namespace {

class Whole final : public ByteSource {
 public:
  explicit Whole(std::string bytes) : bytes_{std::move(bytes)} {}
  boost::asio::awaitable<Result<std::string>> read(Moment) override {
    auto piece = bytes_.substr(at_, ByteStream::piece_max);
    at_ += piece.size();
    co_return piece;
  }

 private:
  const std::string bytes_;
  std::size_t at_ = 0;
};

/// Reset also where the reader is cancelled.
class Reading {
 public:
  explicit Reading(bool& flag) : flag_{flag} {
    if (std::exchange(flag_, true)) throw std::logic_error("Two read one stream of bytes at once.");
  }
  Reading(const Reading&) = delete;
  ~Reading() { flag_ = false; }

 private:
  bool& flag_;
};

}  // namespace

ByteStream::ByteStream(std::shared_ptr<ByteSource> source) : state_{std::make_shared<State>()} { state_->source = std::move(source); }

boost::asio::awaitable<Result<std::string>> ByteStream::read(Moment deadline) const { return read_of(state_, deadline); }

boost::asio::awaitable<Result<std::string>> ByteStream::read_of(std::shared_ptr<State> state, Moment deadline) {
  if (!state) co_return std::string();
  const Reading reading(state->reading);
  if (state->failed) co_return *state->failed;
  const auto source = state->source;  // close() may come while it is waited for
  if (!source) co_return std::string();
  auto asked = source->read(deadline);
  auto piece = co_await std::move(asked);
  if (state->failed) co_return *state->failed;
  if (!piece) {
    state->fail(piece.error());
  } else if (piece->empty()) {
    state->source = nullptr;
  } else if (piece->size() > piece_max) {
    throw std::logic_error("A source of bytes gave more than a piece.");
  }
  co_return piece;
}

void ByteStream::close() const {
  if (state_ && state_->source) state_->fail(Error(Errc::unavailable, "nobody reads these bytes any more"));
}

ByteStream bytes_of(std::string whole) { return ByteStream(std::make_shared<Whole>(std::move(whole))); }

}  // namespace loggia
