#pragma once
// Which web pages may speak to us: our own, and those that http.allowed_origins names (contract, section 5). Immutable, any thread.
#include <string>
#include <string_view>
#include <vector>
#include "client_address.hpp"

namespace loggia::gateway {

/// `https://Chat.example:443/x` is `https://chat.example`; empty where it is no http(s) origin (`null` is none).
std::string origin_of(std::string_view url);

enum class Origin { none, own, allowed, foreign };

class Origins {
 public:
  /// An empty public_url: scheme and Host of each request count instead.
  static Result<Origins> make(const std::string& public_url, const std::vector<std::string>& allowed, Networks trusted);
  Origin of(const HttpRequest& request) const;
  /// Whether the browser speaks TLS to us, or to the proxy before us: cookies are then Secure.
  bool secure(const HttpRequest& request) const;
  const Networks& trusted() const { return trusted_; }
  bool any_allowed() const { return !allowed_.empty(); }

 private:
  std::string own(const HttpRequest& request) const;
  std::string public_;
  std::vector<std::string> allowed_;
  Networks trusted_;
};

/// The headers of CORS that an answer to this request carries; an origin that is not allowed gets none.
Parameters cors_headers(const HttpRequest& request, Origin origin);
/// Those of the answer to a preflight.
Parameters preflight_headers(const HttpRequest& request, Origin origin, std::string_view methods);

}  // namespace loggia::gateway
