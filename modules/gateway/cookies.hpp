#pragma once
// The browser's refresh token is a cookie that scripts cannot read (contract, section 2: "auth"). Pure; any thread.
#include <optional>
#include <string>
#include <string_view>
#include "loggia/kernel/http.hpp"

namespace loggia::gateway {

/// `__Secure-loggia` on TLS, else `loggia`.
std::string_view cookie_name(bool secure);
/// The refresh token of a request's Cookie header.
std::optional<std::string> cookie_token(const HttpRequest& request, bool secure);
/// A Set-Cookie value that holds the token, or takes it away.
std::string set_cookie(std::string_view token, bool secure, std::chrono::seconds lifetime);
std::string clear_cookie(bool secure);

/// Whether the body of a register or login asks for a cookie.
bool wants_cookie(const std::string& body);
/// The answer of a sign-in without `refresh_token`, and that token.
struct Parted {
  std::string body, token;
};
std::optional<Parted> part_token(const std::string& answer);

}  // namespace loggia::gateway
