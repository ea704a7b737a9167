#include "client_address.hpp"
#include <arpa/inet.h>
#include <algorithm>
#include <charconv>

namespace loggia::gateway {
namespace {

constexpr std::size_t client_name_max = 200;

std::string_view trimmed(std::string_view text) {
  while (text.starts_with(' ') || text.starts_with('\t')) text.remove_prefix(1);
  while (text.ends_with(' ') || text.ends_with('\t')) text.remove_suffix(1);
  return text;
}

/// Without the brackets and the port that a proxy may add.
std::string_view host_of(std::string_view text) {
  text = trimmed(text);
  if (text.starts_with('[')) {
    const auto end = text.find(']');
    return end == text.npos ? std::string_view() : text.substr(1, end - 1);
  }
  const auto colon = text.find(':');
  return colon != text.npos && text.find(':', colon + 1) == text.npos ? text.substr(0, colon) : text;
}

/// Every entry of a list header, which may stand more than once, in order.
std::vector<std::string_view> entries_of(const HttpRequest& request, std::string_view name) {
  std::vector<std::string_view> out;
  for (const auto& [key, value] : request.headers) {
    if (key != name) continue;
    std::string_view rest = value;
    for (;;) {
      const auto comma = rest.find(',');
      out.push_back(trimmed(rest.substr(0, comma)));
      if (comma == rest.npos) break;
      rest.remove_prefix(comma + 1);
    }
  }
  return out;
}

/// The length of the UTF-8 sequence at the front; 0 where there is none (RFC 3629).
std::size_t sequence_at(std::string_view text) {
  const auto byte = [&](std::size_t at) { return static_cast<unsigned char>(text[at]); };
  const unsigned char first = byte(0);
  if (first < 0x80) return 1;
  const std::size_t size = first >= 0xC2 && first <= 0xDF ? 2 : (first & 0xF0) == 0xE0 ? 3 : first >= 0xF0 && first <= 0xF4 ? 4 : 0;
  if (size == 0 || text.size() < size) return 0;
  for (std::size_t at = 1; at < size; ++at)
    if ((byte(at) & 0xC0) != 0x80) return 0;
  if ((first == 0xE0 && byte(1) < 0xA0) || (first == 0xED && byte(1) > 0x9F) || (first == 0xF0 && byte(1) < 0x90) ||
      (first == 0xF4 && byte(1) > 0x8F))
    return 0;
  return size;
}

}  // namespace

std::optional<Address> Address::parse(std::string_view text) {
  const std::string host(host_of(text));
  Address out;
  in_addr four{};
  if (inet_pton(AF_INET, host.c_str(), &four) == 1) {
    const auto* raw = reinterpret_cast<const std::uint8_t*>(&four);
    out.bytes[10] = out.bytes[11] = 0xFF;
    std::copy(raw, raw + 4, out.bytes.begin() + 12);
    return out;
  }
  if (inet_pton(AF_INET6, host.c_str(), out.bytes.data()) == 1) return out;
  return std::nullopt;
}

bool Address::v4() const {
  return std::all_of(bytes.begin(), bytes.begin() + 10, [](auto byte) { return byte == 0; }) && bytes[10] == 0xFF && bytes[11] == 0xFF;
}

std::string Address::text() const {
  char out[INET6_ADDRSTRLEN] = "";
  if (v4()) inet_ntop(AF_INET, bytes.data() + 12, out, sizeof out);
  else inet_ntop(AF_INET6, bytes.data(), out, sizeof out);
  return out;
}

std::string Address::network() const {
  if (v4()) return text();
  Address whole = *this;
  std::fill(whole.bytes.begin() + 8, whole.bytes.end(), std::uint8_t{0});
  return whole.text() + "/64";
}

Result<Networks> Networks::parse(const std::vector<std::string>& entries) {
  Networks out;
  for (const auto& entry : entries) {
    const Error wrong(Errc::invalid_request,
                      "http.trusted_proxies: \"" + entry + "\" is no network; write an address such as 10.0.0.1 or a network such as 10.0.0.0/8");
    const auto slash = entry.find('/');
    const std::string host = entry.substr(0, slash);
    const auto address = Address::parse(host);
    if (!address || host.find('[') != host.npos || host_of(host) != host) return wrong;
    Network network;
    network.address = *address;
    if (slash != entry.npos) {
      int bits = -1;
      const auto* end = entry.data() + entry.size();
      const auto [stop, problem] = std::from_chars(entry.data() + slash + 1, end, bits);
      if (problem != std::errc() || stop != end || bits < 0 || bits > (address->v4() ? 32 : 128)) return wrong;
      network.bits = address->v4() ? bits + 96 : bits;
    }
    out.networks_.push_back(network);
  }
  return out;
}

bool Networks::contains(const Address& address) const {
  return std::any_of(networks_.begin(), networks_.end(), [&](const Network& network) {
    for (int bit = 0; bit < network.bits; bit += 8) {
      const auto at = static_cast<std::size_t>(bit / 8);
      const int left = std::min(8, network.bits - bit);
      const auto mask = static_cast<std::uint8_t>(0xFF << (8 - left));
      if ((address.bytes[at] & mask) != (network.address.bytes[at] & mask)) return false;
    }
    return true;
  });
}

bool Networks::contains(std::string_view text) const {
  const auto address = Address::parse(text);
  return address && contains(*address);
}

std::string client_address(const HttpRequest& request, const Networks& trusted) {
  const auto peer = Address::parse(request.remote);
  if (!peer) return request.remote;
  Address client = *peer;
  const auto hops = entries_of(request, "x-forwarded-for");
  for (auto hop = hops.rbegin(); hop != hops.rend() && trusted.contains(client); ++hop) {
    const auto before = Address::parse(*hop);
    if (!before) break;  // nothing further to the left can be believed
    client = *before;
  }
  return client.text();
}

std::string forwarded(const HttpRequest& request, const Networks& trusted, std::string_view name) {
  if (!trusted.contains(std::string_view(request.remote))) return {};
  const auto entries = entries_of(request, name);
  return entries.empty() ? std::string() : std::string(entries.back());
}

std::string client_name(std::string_view text) {
  std::string out;
  for (std::size_t count = 0; !text.empty() && count < client_name_max;) {
    const auto size = sequence_at(text);
    const bool control = size == 1 && (static_cast<unsigned char>(text[0]) < 0x20 || text[0] == 0x7F);
    const bool control_high = size == 2 && static_cast<unsigned char>(text[0]) == 0xC2 && static_cast<unsigned char>(text[1]) < 0xA0;
    if (size > 0 && !control && !control_high) {
      out += text.substr(0, size);
      ++count;
    }
    text.remove_prefix(std::max<std::size_t>(size, 1));
  }
  return out;
}

}  // namespace loggia::gateway
