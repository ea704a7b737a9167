#pragma once
// Where the instances of modules are that run elsewhere (contract, section 5), and calls that are spread over them.
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>
#include "loggia/kernel/config.hpp"
#include "loggia/kernel/metrics.hpp"
#include "loggia/kernel/router.hpp"
#include "loggia/kernel/rpc.hpp"
#include "loggia/kernel/shards.hpp"

namespace loggia {

/// One process that serves a module.
struct Instance {
  std::string module;
  std::string address;  // ADDR:PORT of its rpc.listen
  friend bool operator==(const Instance&, const Instance&) = default;
};

/// Who is where. Safe from every thread; what it knows it answers at once, from memory.
class Discovery {
 public:
  virtual ~Discovery() = default;
  /// Blocking, briefly: the first list. `own`: what this process announces, where the kind of discovery has a registry. An error is one that a
  /// person has to mend; a registry that is away is none.
  virtual Result<bool> start(std::vector<Instance> own) = 0;
  virtual void stop() = 0;
  /// The last known list, in an order that does not change while the list does not.
  virtual std::vector<std::string> instances(const std::string& module) const = 0;
  /// Called on any thread after a list has changed: return quickly. Drop the handle to be called no more.
  using Watch = std::shared_ptr<void>;
  virtual Watch on_change(std::function<void(const std::string& module)> handler) = 0;
  /// What is wrong with the registry, in one line with what to do; empty: nothing, or there is none.
  virtual std::string trouble() const = 0;
};

/// What the configuration says, which never changes: addresses by module.
using Peers = std::map<std::string, std::vector<std::string>>;
std::shared_ptr<Discovery> static_discovery(Peers peers);

struct EtcdOptions {
  std::vector<std::string> endpoints;  // http://HOST:2379, nodes of one cluster
  std::string prefix = "/loggia/instances/";
  std::chrono::seconds lease{2};
  milliseconds keep_every{600};   // of the lease
  milliseconds limit{500};        // of a request: a node without a leader would take seven seconds to say so
  milliseconds look_every{1000};  // beside the watch, which a node that hangs does not end
  milliseconds look_again{300};   // after a failure
  milliseconds hold{4000};        // how long after an absence of etcd who is missing may still come back
};
/// Each instance is a key under a lease, followed by a watch. While etcd is away, what it said last stands; then this process registers again.
std::shared_ptr<Discovery> etcd_discovery(EtcdOptions options, std::shared_ptr<Clock> clock);
/// False: libcurl was not there when this was built.
bool etcd_can_be_reached();

struct DnsOptions {
  Peers names;  // by module: HOST:PORT for A and AAAA records, a name without a port for SRV records
  milliseconds look_every{5000}, look_again{1000};
  milliseconds start_limit{3000};
  std::string server;  // ADDR:PORT instead of those of /etc/resolv.conf, for tests
};
/// Looked up again and again. While a name leads nowhere, what was found last stands.
std::shared_ptr<Discovery> dns_discovery(DnsOptions options);

/// What is wrong in discovery.*, by configuration key. `modules`: all that this build has; `elsewhere`: those that this process calls in others, each
/// with who here needs it.
std::vector<FieldError> discovery_mistakes(const Config& config, const std::vector<std::string>& modules,
                                           const std::map<std::string, std::vector<std::string>>& elsewhere);
/// Of the kind that discovery.kind names. Only where there are no discovery_mistakes().
std::shared_ptr<Discovery> configured_discovery(const Config& config, std::shared_ptr<Clock> clock);

struct BalancerOptions {
  int failures_max = 5;  // of an instance that answers or is late, one after the other; without a connection it is one
  milliseconds eject_min{3000}, eject_max{30000};
  int retries_max = 2;  // of a call
  /// Tokens: each call brings some, each second some, a retry takes one.
  double retries_per_call = 0.2, retries_per_second = 3, retries_at_once = 100;
  /// Of a GET: how long an attempt is waited for before a second one runs beside it, within the same budget. 0: never.
  milliseconds hedge_after{0};
  /// What a call is about, where it is better answered by the same instance each time (rendezvous hashing); empty: by any.
  std::function<std::string(const Call&)> affinity;
  /// Whether an instance is well. An instance of which nothing was heard for `check_every` is asked. None: only calls tell.
  std::function<Async<bool>(std::shared_ptr<InstanceTransport>)> check;
  milliseconds check_every{1000};
};

/// `GET /bus/health` on the inner listener, which need not know it: an answer within `limit` that is not `unavailable` will do.
std::function<Async<bool>(std::shared_ptr<InstanceTransport>)> health_check(std::shared_ptr<Clock> clock, milliseconds limit);

/// The parameter that follows one of these beginnings of a path: of "/rooms/" and `GET /rooms/{id}/members` what `id` is.
std::function<std::string(const Call&)> affinity_after(std::vector<std::string> beginnings);

struct BalancerParts {
  std::string module;
  std::shared_ptr<Discovery> discovery;
  std::function<Result<std::shared_ptr<InstanceTransport>>(const std::string& address)> connect;
  std::shared_ptr<Shards> shards;
  std::shared_ptr<Clock> clock;
  std::shared_ptr<Random> random;
  std::shared_ptr<Metrics> metrics;
};

/// Calls over all instances of one module. An instance that cannot be reached gets nothing more until a check, or without checks one call after
/// `eject_min`, finds it well; where all are out, the least bad one is tried. A call that was not sent is tried at another instance; so is one
/// that got no answer, where it may be sent twice (GET; keyed, with a key). Results are those of a transport to one instance.
/// Safe on every shard.
class Balancer : public Transport {
 public:
  struct State {
    std::string address;
    bool healthy = true;
    std::size_t in_flight = 0;
  };
  virtual std::vector<State> state() const = 0;
  /// Somebody else (a socket's tunnel) could not reach that instance: a check looks now. From any thread.
  virtual void suspect(const std::string& address) = 0;
  /// The checks begin, where there are any.
  virtual void start() = 0;
  /// Before the last reference is dropped. Blocks until nothing is under way; not from a shard.
  virtual void stop() = 0;
};
std::shared_ptr<Balancer> balanced_transport(BalancerParts parts, BalancerOptions options);

}  // namespace loggia
