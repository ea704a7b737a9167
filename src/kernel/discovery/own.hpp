#pragma once
// Under which address others reach a listener of this host.
#include <string>
#include <vector>

namespace loggia::discovery {

/// Addresses of this host in figures, in the order of its interfaces: those that are up, without loopback and what is good on one wire alone.
std::vector<std::string> own_addresses();
/// A listener on all addresses (0.0.0.0 or [::], as in a container that learns its address when it starts) is nobody's address: the first of `own`
/// that it listens on, IPv4 before IPv6, or loopback where there is none. Any other is left as it is.
std::string reachable(const std::string& listening, const std::vector<std::string>& own);

}  // namespace loggia::discovery
