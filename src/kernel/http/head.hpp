#pragma once
// The guard before everything else: the bytes of a request's head, read once and strictly (RFC 9112), so that no second reader, a proxy
// before us or a parser behind, could find another end of the message. What is doubtful is refused and the connection closed.
// Pure; used by the connection for every head; from every thread.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include "loggia/kernel/http.hpp"

namespace loggia::http {

struct Limits {
  std::size_t header_max = 16u << 10;
  std::size_t target_max = 8u << 10;
  std::size_t body_max = 1u << 20;
  std::size_t fields_max = 100;
};

/// Why a request is not taken. `detail` may be shown to the client.
struct Refusal {
  int status = 400;
  std::string detail;
};

struct Head {
  HttpRequest request;  // without body and remote
  bool http_1_0 = false;
  bool chunked = false;
  std::uint64_t content_length = 0;
  bool has_body = false;  // chunked, or a length above 0
  bool expects_continue = false;
  bool close = false;      // the client wants no further answer after this one
  bool websocket = false;  // GET, `Connection: upgrade`, `Upgrade: websocket`
};

/// Finds where a head ends, over bytes that come bit by bit: each byte is looked at once.
class HeadScanner {
 public:
  enum class State { more, complete, refused };
  /// `bytes`: everything since the head's first byte, as before and longer.
  State scan(std::string_view bytes, const Limits& limits);
  std::size_t size() const { return size_; }  // of the head with its empty line, when complete
  const Refusal& refusal() const { return refusal_; }
  void reset() { *this = HeadScanner(); }

 private:
  State refuse(int status, std::string_view detail);

  std::size_t seen_ = 0, line_ = 0, size_ = 0, fields_ = 0;
  bool first_line_ = true;
  Refusal refusal_;
};

/// A whole head with its empty line. Either is set.
struct Verdict {
  std::optional<Head> head;
  Refusal refusal;
};
Verdict read_head(std::string_view bytes, const Limits& limits);

/// For field names and other `token`s of RFC 9110, 5.6.2.
bool is_token(std::string_view text);
/// May stand in a field's value: no control characters but the tab.
bool is_field_value(std::string_view text);
bool iequals(std::string_view a, std::string_view b);
/// Whether a comma-separated list, over all fields of that name, holds a token, without regard to case.
bool lists_token(const Parameters& headers, std::string_view name, std::string_view token);
std::string_view trimmed(std::string_view text);

}  // namespace loggia::http
