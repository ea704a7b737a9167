#pragma once
// A response's head as bytes. Pure; used by the connection.
#include <optional>
#include <string>
#include <string_view>
#include "loggia/kernel/http.hpp"

namespace loggia::http {

std::string_view reason_of(int status);
/// Whether a response of that status has a body at all (RFC 9110, 6.4.1).
bool may_have_body(int status);
/// No name or value could be read as more than one field.
bool headers_are_safe(const Parameters& headers);
/// Status line, the response's headers but those of the connection, Content-Length (none: chunked), and `Connection: close` where `close`.
std::string response_head(const HttpResponse& response, std::optional<std::size_t> body_size, bool close);

}  // namespace loggia::http
