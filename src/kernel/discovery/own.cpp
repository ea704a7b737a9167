#include "discovery/own.hpp"
#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <algorithm>
#include <memory>

namespace loggia::discovery {
namespace {

std::string written(const sockaddr& address) {
  char text[INET6_ADDRSTRLEN] = "";
  if (address.sa_family == AF_INET) {
    ::inet_ntop(AF_INET, &reinterpret_cast<const sockaddr_in&>(address).sin_addr, text, sizeof text);
  } else if (address.sa_family == AF_INET6) {
    const auto& six = reinterpret_cast<const sockaddr_in6&>(address).sin6_addr;
    if (!IN6_IS_ADDR_LINKLOCAL(&six)) ::inet_ntop(AF_INET6, &six, text, sizeof text);
  }
  return text;
}

bool is_six(const std::string& address) { return address.find(':') != address.npos; }

}  // namespace

std::vector<std::string> own_addresses() {
  ifaddrs* all = nullptr;
  if (::getifaddrs(&all) != 0) return {};
  const std::unique_ptr<ifaddrs, decltype(&::freeifaddrs)> freed(all, &::freeifaddrs);
  std::vector<std::string> out;
  for (const auto* one = all; one; one = one->ifa_next) {
    if (!one->ifa_addr || (one->ifa_flags & IFF_UP) == 0 || (one->ifa_flags & IFF_LOOPBACK) != 0) continue;
    if (auto text = written(*one->ifa_addr); !text.empty()) out.push_back(std::move(text));
  }
  return out;
}

std::string reachable(const std::string& listening, const std::vector<std::string>& own) {
  const bool any = listening.starts_with("[::]:");  // of both kinds
  if (!any && !listening.starts_with("0.0.0.0:")) return listening;
  const auto port = listening.substr(listening.rfind(':'));
  const auto four = std::find_if_not(own.begin(), own.end(), is_six);
  if (four != own.end()) return *four + port;
  if (any && !own.empty()) return '[' + own.front() + ']' + port;
  return "127.0.0.1" + port;
}

}  // namespace loggia::discovery
