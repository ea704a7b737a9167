#pragma once
// What can go wrong, in words that a client may rely on: the closed set of codes of the contract, section 2.
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace loggia {

enum class Errc {
  malformed,  // does not parse: 400; what parses and is not valid is invalid_request: 422
  invalid_request,
  unauthenticated,
  second_factor_required,
  forbidden,
  not_found,
  method_not_allowed,
  conflict,
  too_large,
  unsupported_media_type,
  rate_limited,
  internal,
  unavailable,
  outcome_unknown,  // it may or may not have happened
  timeout,
  insufficient_storage,
};

struct Fault {
  int status;
  std::string_view code;
};

/// HTTP status and `code` of an error. No default: a kind that is forgotten here is a warning.
constexpr Fault fault(Errc kind) {
  switch (kind) {
    case Errc::malformed:
      return {400, "invalid_request"};
    case Errc::invalid_request:
      return {422, "invalid_request"};
    case Errc::unauthenticated:
      return {401, "unauthenticated"};
    case Errc::second_factor_required:
      return {401, "second_factor_required"};
    case Errc::forbidden:
      return {403, "forbidden"};
    case Errc::not_found:
      return {404, "not_found"};
    case Errc::method_not_allowed:
      return {405, "method_not_allowed"};
    case Errc::conflict:
      return {409, "conflict"};
    case Errc::too_large:
      return {413, "too_large"};
    case Errc::unsupported_media_type:
      return {415, "unsupported_media_type"};
    case Errc::rate_limited:
      return {429, "rate_limited"};
    case Errc::internal:
      return {500, "internal"};
    case Errc::unavailable:
      return {503, "unavailable"};
    case Errc::outcome_unknown:
      return {503, "outcome_unknown"};
    case Errc::timeout:
      return {504, "timeout"};
    case Errc::insufficient_storage:
      return {507, "insufficient_storage"};
  }
  return {500, "internal"};
}

/// The kind that a status and code on the wire stand for; what is unknown is `internal`.
Errc errc_of(int status, std::string_view code);

/// A field that is wrong, named by its JSON pointer (RFC 6901) in the request.
struct FieldError {
  std::string pointer;
  std::string detail;
};

/// `detail` is for people and may be shown to whoever asked; nothing inner goes in there.
struct Error {
  Errc code = Errc::internal;
  std::string detail;
  std::vector<FieldError> fields;
  std::optional<int> retry_after;  // seconds

  Error() = default;
  Error(Errc kind, std::string text) : code{kind}, detail{std::move(text)} {}
  Error(Errc kind, std::string text, std::vector<FieldError> wrong) : code{kind}, detail{std::move(text)}, fields{std::move(wrong)} {}
};

/// Of one field: `wrong_field("/text", "has 1 to 8000 characters")` is 422.
Error wrong_field(std::string_view pointer, std::string_view detail);

}  // namespace loggia
