#include <stdexcept>
#include "loggia/kernel/refused.hpp"
#include "loggia/kernel/result.hpp"

namespace loggia {

Errc errc_of(int status, std::string_view code) {
  if (code == "invalid_request") return status == 400 ? Errc::malformed : Errc::invalid_request;
  for (const auto kind : {Errc::unauthenticated, Errc::second_factor_required, Errc::forbidden, Errc::not_found, Errc::method_not_allowed,
                          Errc::conflict, Errc::too_large, Errc::unsupported_media_type, Errc::rate_limited, Errc::internal, Errc::unavailable,
                          Errc::outcome_unknown, Errc::timeout, Errc::insufficient_storage})
    if (fault(kind).code == code) return kind;
  return Errc::internal;
}

Refused refused_of(const Error& error) {
  Refused out;
  const auto [status, code] = fault(error.code);
  out.status = status;
  out.code = code;
  out.detail = error.detail;
  if (!error.fields.empty()) out.errors = error.fields;
  out.retry_after = error.retry_after;
  return out;
}

Error error_of(const Refused& refused) {
  Error out(errc_of(refused.status, refused.code), refused.detail);
  if (refused.errors) out.fields = *refused.errors;
  out.retry_after = refused.retry_after;
  return out;
}

Error wrong_field(std::string_view pointer, std::string_view detail) {
  FieldError field;
  field.pointer = pointer;
  field.detail = detail;
  return Error(Errc::invalid_request, field.pointer + " " + field.detail, {field});
}

void throw_misused_result(const Error* error, const std::source_location& where) {
  const auto what = error ? "a result was used that is an error: " + error->detail : std::string("a result was asked for its error and has a value");
  throw std::runtime_error(what + " (" + where.file_name() + ":" + std::to_string(where.line()) + ")");
}

}  // namespace loggia
