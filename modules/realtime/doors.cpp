#include "doors.hpp"
#include "node.hpp"
#include "session.hpp"

namespace loggia::realtime {
namespace {

constexpr std::string_view protocol = "loggia.v1";

/// A list of tokens with commas (RFC 6455, 11.3.4); the header may stand more than once.
bool offers_protocol(const HttpRequest& request) {
  for (const auto& [name, value] : request.headers) {
    if (name != "sec-websocket-protocol") continue;
    std::string_view rest = value;
    while (!rest.empty()) {
      const auto comma = rest.find(',');
      auto one = rest.substr(0, comma);
      rest = comma == rest.npos ? std::string_view() : rest.substr(comma + 1);
      while (one.starts_with(' ') || one.starts_with('\t')) one.remove_prefix(1);
      while (one.ends_with(' ') || one.ends_with('\t')) one.remove_suffix(1);
      if (one == protocol) return true;
    }
  }
  return false;
}

}  // namespace

std::optional<HttpResponse> SocketDoors::admit(Upgrade& upgrade, std::string address, const Trace& trace) {
  const auto hub = hub_.lock();
  if (!hub || !hub->running || hub->draining) {
    Error away(Errc::unavailable, "the server is going away: connect again in a moment");
    away.retry_after = 5;
    return problem(away, trace);
  }
  if (!offers_protocol(upgrade.request()))
    return problem(Error(Errc::malformed, "ask for the subprotocol loggia.v1 in Sec-WebSocket-Protocol"), trace);
  auto& node = *hub->nodes[upgrade.shard()];
  WebSocket::Limits limits;
  limits.deflate = hub->options.compression;
  auto socket = upgrade.accept(protocol, limits);
  node.add(std::make_shared<Session>(node, std::move(socket), hub->connections_made.fetch_add(1) + 1, std::move(address)));
  return std::nullopt;
}

}  // namespace loggia::realtime
