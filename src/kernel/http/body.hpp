#pragma once
// A request's body as it comes in: by length or chunked (RFC 9112, 6 and 7), strict and bounded. Pure; used by the connection.
#include <cstdint>
#include <string>
#include <string_view>
#include "http/head.hpp"

namespace loggia::http {

/// One chunk; of nothing the last one (RFC 9112, 7.1).
std::string chunk_of(std::string_view piece);

class BodyReader {
 public:
  enum class State { more, complete, refused };
  BodyReader() = default;
  BodyReader(const Head& head, std::size_t body_max);

  /// Takes from the front of `in` what belongs to the body, never more.
  State read(std::string_view& in, std::string& body);
  const Refusal& refusal() const { return refusal_; }

 private:
  enum class Part { fixed, size, data, data_end, trailer, done };
  State refuse(int status, std::string_view detail);
  bool take_line(std::string_view& in);  // true when line_ is whole, or refused
  bool read_size();

  Part part_ = Part::done;
  std::uint64_t left_ = 0, total_ = 0;
  std::size_t body_max_ = 0, extensions_ = 0;
  bool failed_ = false;
  std::string line_;
  Refusal refusal_;
};

}  // namespace loggia::http
