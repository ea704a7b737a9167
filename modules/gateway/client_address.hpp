#pragma once
// Who is at the other end: the peer, or whom a trusted proxy speaks for (contract, section 5). Immutable after parsing, any thread.
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>
#include "loggia/kernel/http.hpp"

namespace loggia::gateway {

/// An IPv4 or IPv6 address; IPv4 is kept as ::ffff:a.b.c.d, so that both forms are one address.
struct Address {
  std::array<std::uint8_t, 16> bytes{};
  /// Takes `1.2.3.4`, `1.2.3.4:80`, `::1`, `[::1]`, `[::1]:80`.
  static std::optional<Address> parse(std::string_view text);
  bool v4() const;
  std::string text() const;
  /// What limits count by: an IPv6 host owns a /64.
  std::string network() const;
};

class Networks {
 public:
  /// `10.0.0.0/8`, `::1`, …; the error names the entry that is none.
  static Result<Networks> parse(const std::vector<std::string>& entries);
  bool contains(const Address& address) const;
  bool contains(std::string_view address) const;

 private:
  struct Network {
    Address address;
    int bits = 128;
  };
  std::vector<Network> networks_;
};

/// The rightmost address of X-Forwarded-For that is no trusted proxy; the peer itself where that is not one.
std::string client_address(const HttpRequest& request, const Networks& trusted);
/// The value of an X-Forwarded-… header (the last one), or empty where the peer may not set it.
std::string forwarded(const HttpRequest& request, const Networks& trusted, std::string_view name);
/// A User-Agent as it may be stored and shown: valid UTF-8 without control characters, at most 200 code points.
std::string client_name(std::string_view user_agent);

}  // namespace loggia::gateway
