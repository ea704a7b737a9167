#pragma once
// permessage-deflate (RFC 7692) without context takeover on either side: every message stands for itself, so no connection holds
// anything of it, and what one reader is sent compressed suits every other. A Deflater is a shard's; on its shard.
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include "loggia/kernel/http.hpp"

namespace loggia::http {

/// What Sec-WebSocket-Extensions answers to a client's offers; nothing where it makes none that can be taken.
std::optional<std::string> accept_deflate(const HttpRequest& request);

class Deflater {
 public:
  Deflater();
  ~Deflater();
  Deflater(const Deflater&) = delete;
  Deflater& operator=(const Deflater&) = delete;
  /// Frames of ours (frame_text), each compressed where that saves something.
  std::string frames(std::string_view framed);
  enum class State { ok, broken, too_large };
  /// The message of a compressed payload into `out`, of at most `max` bytes.
  State inflate(std::string_view payload, std::size_t max, std::string& out);

 private:
  struct Streams;
  bool deflate(std::string_view text, std::string& out);
  std::unique_ptr<Streams> streams_;
};

}  // namespace loggia::http
