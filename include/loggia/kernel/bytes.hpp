#pragma once
// Bytes that come piece by piece: of a request or an answer that nobody holds as a whole (contract.hpp, `bytes`; docs/decisions/0022).
#include <boost/asio/awaitable.hpp>
#include <memory>
#include <string>
#include "loggia/kernel/result.hpp"
#include "loggia/kernel/time.hpp"

namespace loggia {

/// Where they come from, for who makes a ByteStream. Dropped before its end: nobody wants the rest.
class ByteSource {
 public:
  virtual ~ByteSource() = default;
  /// The next piece, at most ByteStream::piece_max; empty: that was all. An Error: what came is not the whole, and nothing more will come. Asked for
  /// one piece at a time, on one shard, and for none after the end.
  virtual boost::asio::awaitable<Result<std::string>> read(Moment deadline) = 0;
};

/// Read once, by one reader, on the shard of the call. Who does not read lets the other side wait: nothing is held but the piece under way. Copies
/// are the same stream; with the last one the source goes.
class ByteStream {
 public:
  static constexpr std::size_t piece_max = 64u << 10;

  /// None, which reads as the end.
  ByteStream() = default;
  explicit ByteStream(std::shared_ptr<ByteSource> source);
  explicit operator bool() const { return state_ != nullptr; }
  /// The next piece; empty: that was all, and all of it came. An Error: it was cut (`unavailable`, or what the source says) or took too long
  /// (`timeout`); what came before is not the whole. The end and an Error stay.
  boost::asio::awaitable<Result<std::string>> read(Moment deadline) const;
  /// Nobody reads any more, by whichever copy: from here on reading is an Error, but for what has ended.
  void close() const;

 private:
  struct State;
  static boost::asio::awaitable<Result<std::string>> read_of(std::shared_ptr<State> state, Moment deadline);
  std::shared_ptr<State> state_;
};

/// All of `whole`, in pieces.
ByteStream bytes_of(std::string whole);

}  // namespace loggia
