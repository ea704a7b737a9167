// `loggia instances` where no process runs: what discovery.* leads to, asked from here.
#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_future.hpp>
#include <future>
#include "discovery/report.hpp"
#include "http/listener.hpp"
#include "loggia/kernel/process.hpp"

namespace loggia {
namespace {

/// All of it ends before it is asked no more.
struct Shell {
  ~Shell() {
    discovery->stop();
    tasks.cancel();
    tasks.wait(milliseconds(2000));
    stop_shards(*shards);
  }
  std::shared_ptr<Clock> clock = system_clock();
  std::shared_ptr<Shards> shards = thread_shards(1);
  std::shared_ptr<Discovery> discovery;
  Tasks tasks;
};

Result<std::shared_ptr<InstanceTransport>> reached(const std::string& module, const std::string& address, const std::shared_ptr<MutualTls>& tls,
                                                   const Shell& shell) {
  const auto endpoint = http::parse_listen(address);
  if (!tls && endpoint && !endpoint->address().is_loopback())
    return Error(Errc::unavailable, "how it is would be asked with a certificate (rpc.tls.*)");
  RpcTransportOptions options;
  options.address = address;
  options.tls = tls;
  options.module = module;
  return rpc_transport(std::move(options), shell.shards, shell.clock);
}

}  // namespace

Result<std::string> registered_instances(const Config& config, const std::vector<ModuleDescriptor>& modules) {
  discovery::Asking asking;
  for (const auto& module : modules) asking.modules.push_back(module.name);
  asking.kind = config.text("discovery.kind");
  if (auto wrong = discovery_mistakes(config, asking.modules, {}); !wrong.empty()) {
    Error error(Errc::invalid_request, "discovery.* is wrong");
    error.fields = std::move(wrong);
    return error;
  }
  if (asking.kind != "etcd" && config.table("discovery.peers").empty())
    return Error(Errc::unavailable,
                 "nothing runs on " + config.text("storage.dir") +
                     ", and the configuration names no instance elsewhere (discovery.peers, or discovery.kind = \"etcd\"). Start it, or "
                     "name its directory with --data or its file with --config.");
  auto tls = configured_mutual_tls(config);
  if (!tls) return tls.error();
  Shell shell;
  shell.discovery = asking.discovery = configured_discovery(config, shell.clock);
  if (auto started = shell.discovery->start({}); !started) return started.error();
  const bool some =
      std::any_of(asking.modules.begin(), asking.modules.end(), [&](const auto& name) { return !shell.discovery->instances(name).empty(); });
  if (const auto trouble = shell.discovery->trouble(); !trouble.empty() && !some) return Error(Errc::unavailable, trouble);
  asking.silence_tells = *tls != nullptr;
  asking.connect = [&shell, tls = *tls](const std::string& module, const std::string& address) { return reached(module, address, tls, shell); };
  auto table = discovery::ask_instances(std::move(asking), shell.clock, shell.tasks);
  return boost::asio::co_spawn(shell.shards->executor(0), std::move(table), boost::asio::use_future).get();
}

}  // namespace loggia
