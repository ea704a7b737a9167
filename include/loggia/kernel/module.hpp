#pragma once
// A module and what it is given. main.cpp lists the modules; nothing registers itself.
#include <any>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <typeindex>
#include <vector>
#include "loggia/kernel/bus.hpp"
#include "loggia/kernel/config.hpp"
#include "loggia/kernel/http.hpp"
#include "loggia/kernel/ids.hpp"
#include "loggia/kernel/metrics.hpp"
#include "loggia/kernel/router.hpp"
#include "loggia/kernel/shards.hpp"
#include "loggia/kernel/socket_protocol.hpp"
#include "loggia/kernel/storage.hpp"
#include "loggia/kernel/tunnel.hpp"

namespace loggia {

/// The ports of this process by type: services that are here, proxies to those that are elsewhere. Filled while modules are made and
/// connected; read only afterwards.
class Ports {
 public:
  template <class P> void offer(std::shared_ptr<P> port) { all_[std::type_index(typeid(P))] = std::move(port); }
  /// A port that was declared in `needs`, or std::logic_error.
  template <class P> std::shared_ptr<P> get() const {
    const auto found = all_.find(std::type_index(typeid(P)));
    if (found == all_.end()) throw std::logic_error(std::string("no port of type ") + typeid(P).name() + ": declare the need of its module");
    return std::static_pointer_cast<P>(found->second);
  }
  template <class P> bool has() const { return all_.contains(std::type_index(typeid(P))); }

 private:
  std::map<std::type_index, std::shared_ptr<void>> all_;
};

/// One entry of `/readyz`.
struct Check {
  std::string name;
  enum class State { ok, degraded, down } state = State::ok;
  std::string detail;
};

/// The answer of `/readyz`, the same on every listener: 503 where something is down.
HttpResponse readiness_response(const std::vector<Check>& checks);

struct ModuleDescriptor;
class Mailer;

/// A command for the process beside a running server, through DIR/control.sock: arguments in, text out. On a shard.
using Command = std::function<Async<std::string>(Context, std::vector<std::string> arguments)>;

/// What a module meets of the world. Outlives every module.
struct Kernel {
  Config config;
  std::shared_ptr<Clock> clock;
  std::shared_ptr<Random> random;
  std::shared_ptr<Ids> ids;
  std::shared_ptr<Shards> shards;
  std::shared_ptr<Bus> bus;
  std::shared_ptr<Metrics> metrics;
  std::shared_ptr<Mailer> mailer;  // null: smtp.url is not set, or nothing is served
  Ports ports;
  /// The modules of this build in the order of main.cpp, and which of them are here.
  std::vector<ModuleDescriptor> modules;
  std::vector<std::string> here;
  /// Opens this module's database; what is wrong ends the start with its words.
  std::function<std::shared_ptr<Database>(const std::string& module, std::vector<Migration>)> open;
  /// Of all modules and dependencies, for the gateway's /readyz; on any thread.
  std::function<std::vector<Check>()> readiness;
  /// Gives back to the system what nobody needs now: caches of the stores, what the C library kept. Any thread; returns at once.
  std::function<void()> return_memory;
  /// Ends the process with exit 1 and these words: what is running can no longer be trusted.
  std::function<void(const std::string& why)> fatal;
  /// "user.add" and the like. While modules are made.
  std::map<std::string, Command> commands;
  /// The public address for the ready line and links, set by the gateway in start().
  std::string public_address;
  std::string version, commit;
};

/// Where people reach this server, for links in what leaves it: http.public_url, else `public_address`. Without a slash at its end.
std::string link_base(const Kernel& kernel);

/// Made once in a process, on the main thread, in the order of needs; destroyed in reverse. The constructor offers its ports and
/// opens its data; it may use the ports of its needs in start() at the earliest.
class Module {
 public:
  virtual ~Module() = default;
  /// All modules are made and the bus runs. On the main thread; may block. Errors end the start.
  virtual Result<bool> start() { return true; }
  virtual Check ready() const { return Check(); }  // the name is filled in
  /// Stop taking new work, let the rest finish; returns quickly. The gateway and realtime first.
  virtual void drain() {}
  /// While draining: true once nothing that was begun is unfinished. Asked until process.drain is over.
  virtual bool drained() const { return true; }
  /// SIGHUP: limits and certificates may have changed. On the main thread.
  virtual void reload(const Config&) {}
  /// No call comes any more. May block; afterwards nothing of it runs.
  virtual void stop() {}
};

/// WebSockets that a module takes from another (tunnel.hpp), which are no port.
struct ModuleSockets {
  std::string path;                                               // on the inner listener, behind `/rpc`; empty: there are none
  std::function<UpgradeHandler(Kernel&)> take;                    // where the module is here: all are made
  std::function<void(std::shared_ptr<Tunnels>, Ports&)> connect;  // where it is elsewhere: offers what hands sockets over
};

struct ModuleDescriptor {
  std::string name;
  std::vector<std::string> needs;  // modules whose ports it calls
  std::vector<std::string> hears;  // topics that it follows or consumes
  bool speaks_for_people = false;  // it knows who asks, so others believe it whom it names; all others speak for themselves only
  std::vector<ConfigKey> keys;
  std::vector<Topic> topics;              // that it produces, for AsyncAPI
  std::vector<SocketProtocol> protocols;  // that it speaks with clients, for AsyncAPI
  std::vector<Migration> migrations;      // empty: stores nothing
  /// Mistakes in values of its keys that their kinds do not show, all of them: `pointer` is the key. `config check` and `serve` ask.
  std::function<std::vector<FieldError>(const Config&)> check;
  std::function<std::unique_ptr<Module>(Kernel&)> make;
  /// Mounts its ports, from kernel.ports, on a router: the public edge, the inner listener, a loopback.
  std::function<void(Router&, Kernel&)> mount;
  /// Offers proxies of its ports over a transport, where the module is elsewhere.
  std::function<void(Transport&, Ports&)> connect;
  /// What stands for it in a process that needs it and does not have it, beside proxies: made after `connect`, started before the modules. May be
  /// empty.
  std::function<std::unique_ptr<Module>(Kernel&)> stand_in;
  std::vector<std::string> stand_in_follows;  // topics of its log that the stand-in reads
  ModuleSockets sockets;
};

}  // namespace loggia
