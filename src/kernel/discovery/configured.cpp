// From discovery.* to a Discovery, and what is wrong there, in words that say what to write.
#include <algorithm>
#include "discovery/directory.hpp"
#include "http/listener.hpp"

namespace loggia {
namespace discovery {
namespace {

/// In figures: a name would have to be looked up again and again, which is what `dns` is for.
std::string wrong_address(const std::string& text) {
  const auto endpoint = http::parse_listen(text);
  if (endpoint && endpoint->port() != 0) return std::string();
  const auto place = place_of(text);
  if (place && place->port != 0) return "'" + text + "' is a name, not an address: write it in figures, or set discovery.kind = \"dns\"";
  return "'" + text + "' is no address of an instance: write ADDRESS:PORT or [ADDRESS]:PORT";
}

std::string wrong_name(const std::string& text) {
  const auto place = place_of(text);
  const auto sound = [](char c) { return static_cast<unsigned char>(c) > ' ' && std::string_view("/@?#[],\"'").find(c) == std::string_view::npos; };
  if (place && place->host.size() <= 253 && std::all_of(place->host.begin(), place->host.end(), sound)) return std::string();
  return "'" + text + "' is no name: write HOST:PORT (A and AAAA records), or a name without a port (SRV records)";
}

std::string wrong_endpoint(const std::string& text) {
  std::string_view rest = text;
  for (const std::string_view scheme : {"http://", "https://"})
    if (rest.starts_with(scheme)) rest.remove_prefix(scheme.size());
  const bool scheme = rest.size() != text.size();
  if (scheme && wrong_name(std::string(rest)).empty()) return std::string();
  return "'" + text + "' is no address of etcd: write http://HOST:2379";
}

Peers peers_of(const Config& config) {
  Peers out;
  for (const auto& [module, text] : config.table("discovery.peers")) out.emplace(module, split(text));
  return out;
}

}  // namespace
}  // namespace discovery

std::vector<FieldError> discovery_mistakes(const Config& config, const std::vector<std::string>& modules,
                                           const std::map<std::string, std::vector<std::string>>& elsewhere) {
  std::vector<FieldError> wrong;
  const auto kind = config.text("discovery.kind");
  const auto peers = discovery::peers_of(config);
  for (const auto& [module, texts] : peers)
    if (std::find(modules.begin(), modules.end(), module) == modules.end())
      wrong.push_back({"discovery.peers." + module, no_module(module, modules)});
  for (const auto& [module, texts] : peers)
    for (const auto& text : texts) {
      auto detail = kind == "dns" ? discovery::wrong_name(text) : discovery::wrong_address(text);
      if (!detail.empty()) wrong.push_back({"discovery.peers." + module, std::move(detail)});
    }
  if (kind == "etcd") {
    const auto endpoints = config.list("discovery.etcd.endpoints");
    if (endpoints.empty()) wrong.push_back({"discovery.etcd.endpoints", "is missing; it says where etcd is, for instance http://127.0.0.1:2379"});
    for (const auto& endpoint : endpoints)
      if (auto detail = discovery::wrong_endpoint(endpoint); !detail.empty()) wrong.push_back({"discovery.etcd.endpoints", std::move(detail)});
    if (const auto prefix = config.text("discovery.etcd.prefix"); !prefix.starts_with('/') || !prefix.ends_with('/') || prefix.size() < 2)
      wrong.push_back({"discovery.etcd.prefix", "begins and ends with a slash and has something in between: \"/loggia/instances/\""});
    if (!etcd_can_be_reached())
      wrong.push_back(
          {"discovery.kind",
           "this build cannot ask etcd, since libcurl was not there: apt-get install libcurl4-openssl-dev, build again (scripts/build), or "
           "set discovery.kind = \"static\""});
  } else {
    for (const auto& [module, needed_by] : elsewhere) {
      const auto found = peers.find(module);
      if (found != peers.end() && !found->second.empty()) continue;
      wrong.push_back({"discovery.peers." + module, "is missing, and \"" + module + "\" is needed by " + joined(needed_by) +
                                                        " and not in this process; add it to process.modules, or name its " +
                                                        (kind == "dns" ? "host and rpc port, for instance " + module + ".internal:7001"
                                                                       : std::string("rpc.listen, for instance 127.0.0.1:7001"))});
    }
  }
  return wrong;
}

std::shared_ptr<Discovery> configured_discovery(const Config& config, std::shared_ptr<Clock> clock) {
  if (config.text("discovery.kind") == "etcd") {
    EtcdOptions options;
    options.endpoints = config.list("discovery.etcd.endpoints");
    options.prefix = config.text("discovery.etcd.prefix");
    return etcd_discovery(std::move(options), std::move(clock));
  }
  if (config.text("discovery.kind") == "dns") {
    DnsOptions options;
    options.names = discovery::peers_of(config);
    return dns_discovery(std::move(options));
  }
  return static_discovery(discovery::peers_of(config));
}

}  // namespace loggia
