#pragma once
// gzip for what is served again and again: compressed once, at the start. Pure; any thread.
#include <string>
#include <string_view>

namespace loggia::gateway {

std::string gzip(std::string_view bytes);
/// Whether an Accept-Encoding header takes gzip (RFC 9110, 12.5.3).
bool accepts_gzip(std::string_view accept_encoding);

}  // namespace loggia::gateway
