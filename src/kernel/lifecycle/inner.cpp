#include "lifecycle/inner.hpp"
#include <algorithm>
#include "discovery/own.hpp"
#include "loggia/kernel/json.hpp"
#include "loggia/kernel/log.hpp"

namespace loggia {
namespace {

constexpr milliseconds health_within{1000}, certificates_looked_at{5000};

/// Where sockets of a module can go: where its calls go, and as with these, where none is well, to one that may be again.
class Healthy final : public TunnelPeers {
 public:
  explicit Healthy(std::shared_ptr<Balancer> balancer) : balancer_{std::move(balancer)} {}
  std::vector<std::string> addresses() const override {
    std::vector<std::string> out, others;
    for (auto& one : balancer_->state()) (one.healthy ? out : others).push_back(std::move(one.address));
    return out.empty() ? others : out;
  }
  void failed(const std::string& address) override { balancer_->suspect(address); }

 private:
  const std::shared_ptr<Balancer> balancer_;
};

Async<Answer> told(discovery::Report report) {
  Answer answer;
  answer.body = encode(report);
  co_return answer;
}

Async<Answer> health(bool serving) {
  if (!serving) co_return Error(Errc::unavailable, "the process is starting or stopping");
  Answer answer;
  answer.status = 204;
  co_return answer;
}

std::vector<std::string> logged_topics(const ModuleDescriptor& module) {
  std::vector<std::string> out;
  for (const auto& topic : module.topics)
    if (topic.logged) out.emplace_back(topic.name);
  return out;
}

bool overlap(const std::vector<std::string>& heard, const std::vector<Topic>& said) {
  return std::any_of(said.begin(), said.end(), [&](const Topic& topic) { return std::find(heard.begin(), heard.end(), topic.name) != heard.end(); });
}

}  // namespace

Inner::Inner(Kernel& kernel, std::vector<const ModuleDescriptor*> here)
    : kernel_{kernel}, here_{std::move(here)}, table_{kernel.modules}, discovery_{configured_discovery(kernel.config, kernel.clock)} {}

bool Inner::is_here(const std::string& module) const {
  return std::any_of(here_.begin(), here_.end(), [&](const auto* one) { return one->name == module; });
}

bool Inner::needed(const std::string& module) const {
  return std::any_of(here_.begin(), here_.end(),
                     [&](const auto* one) { return std::find(one->needs.begin(), one->needs.end(), module) != one->needs.end(); });
}

bool Inner::speaks_for_people() const {
  return std::any_of(here_.begin(), here_.end(), [](const auto* one) { return one->speaks_for_people; });
}

Result<bool> Inner::load_tls() {
  auto loaded = configured_mutual_tls(kernel_.config);
  if (!loaded) return loaded.error();
  tls_ = std::move(*loaded);
  if (tls_) keeps_tls_ = keep_current(tls_, kernel_.shards, certificates_looked_at);
  return true;
}

Result<std::shared_ptr<InstanceTransport>> Inner::transport_to(const std::string& module, const std::string& address) {
  RpcTransportOptions options;
  options.address = address;
  options.tls = tls_;
  options.module = module;
  options.carries_people = speaks_for_people();
  options.metrics = kernel_.metrics;
  return rpc_transport(std::move(options), kernel_.shards, kernel_.clock);
}

/// Those of addresses that are gone end with their calls.
std::vector<std::shared_ptr<Transport>> Inner::each(const std::string& module) {
  std::vector<std::shared_ptr<Transport>> out;
  std::map<std::string, std::shared_ptr<Transport>> now;
  const auto own = address();
  const std::lock_guard lock(mutex_);
  auto& known = by_address_[module];
  for (const auto& address : discovery_->instances(module)) {
    if (address == own) continue;
    auto to = known[address];
    if (!to)
      if (auto made = transport_to(module, address); made) to = std::move(*made);
    if (!to) continue;
    out.push_back(to);
    now.emplace(address, std::move(to));
  }
  known = std::move(now);
  return out;
}

Elsewhere Inner::for_bus(const ModuleDescriptor& module, std::shared_ptr<Transport> transport) {
  Elsewhere out;
  out.module = module.name;
  out.hears = module.hears;
  out.transport = std::move(transport);
  out.each = [this, name = module.name] { return each(name); };
  return out;
}

void Inner::connect_to(const ModuleDescriptor& module) {
  BalancerParts parts;
  parts.module = module.name;
  parts.discovery = discovery_;
  parts.connect = [this, name = module.name](const std::string& address) { return transport_to(name, address); };
  parts.shards = kernel_.shards;
  parts.clock = kernel_.clock;
  parts.random = kernel_.random;
  parts.metrics = kernel_.metrics;
  BalancerOptions options;
  options.check = health_check(kernel_.clock, health_within);
  options.affinity = affinity_after({"/rooms/", "/internal/rooms/"});  // one lock a room: its writers meet at one instance
  auto balancer = balanced_transport(std::move(parts), std::move(options));
  balancers_[module.name] = balancer;
  auto for_it = for_bus(module, balancer);
  for_it.topics = logged_topics(module);
  kernel_.bus->connect(std::move(for_it));
  if (!needed(module.name)) return;
  if (module.connect) module.connect(*balancer, kernel_.ports);
  if (!module.sockets.path.empty()) tunnel_to(module, balancer);
  if (!module.stand_in) return;
  stand_ins.emplace_back(module.name, module.stand_in(kernel_));
  stood_for_.insert(module.name);
}

void Inner::tunnel_to(const ModuleDescriptor& module, std::shared_ptr<Balancer> balancer) {
  TunnelOptions options;
  options.module = module.name;
  options.path = module.sockets.path;
  options.peers = std::make_shared<Healthy>(std::move(balancer));
  options.tls = tls_;
  module.sockets.connect(tunnels(std::move(options), kernel_.shards, kernel_.clock, kernel_.random, *kernel_.metrics), kernel_.ports);
}

Result<bool> Inner::connect() {
  if (auto loaded = load_tls(); !loaded) return loaded;
  std::vector<std::string> heard;
  std::vector<Topic> said;
  for (const auto* one : here_) {
    heard.insert(heard.end(), one->hears.begin(), one->hears.end());
    said.insert(said.end(), one->topics.begin(), one->topics.end());
  }
  const bool registry = kernel_.config.text("discovery.kind") != "static";
  for (const auto& module : kernel_.modules) {
    const bool known = registry || !discovery_->instances(module.name).empty();
    if (!is_here(module.name)) {
      if (needed(module.name) || (known && (overlap(heard, module.topics) || overlap(module.hears, said)))) connect_to(module);
    } else if (known && overlap(module.hears, said)) {
      kernel_.bus->connect(for_bus(module, nullptr));  // its other instances
    }
  }
  make_listener();
  return true;
}

void Inner::make_listener() {
  RpcListenerOptions options;
  options.listen = kernel_.config.text("rpc.listen");
  if (options.listen.empty()) return;
  options.tls = tls_;
  options.permits = [this](const std::string& caller, std::string_view route) { return table_.of(caller, route); };
  options.serving = [this] { return serving_.load(); };
  listener_ = rpc_listener(std::move(options), kernel_.shards, kernel_.clock, kernel_.metrics);
  BusRights rights;
  rights.reads = [this](const std::string& caller, const std::string& producer, const std::string& topic) {
    return table_.may_read(caller, producer, topic);
  };
  rights.says = [this](const std::string& caller, const std::string& topic) { return table_.may_say(caller, topic); };
  kernel_.bus->mount(listener_->always(), std::move(rights));
  RouteInfo info;
  info.route = "GET /bus/health";
  info.access = Access::internal;
  listener_->always().on(info, [this](const Context&, const Call&) { return health(serving_); });
  info.route = discovery::report_route;
  listener_->always().on(info, [this](const Context&, const Call&) { return told(report()); });
  for (const auto* one : here_) {
    if (one->mount) {
      const auto noting = table_.noting(one->name, *listener_);
      one->mount(*noting, kernel_);
    }
    if (one->sockets.path.empty()) continue;
    table_.note(one->name, "GET " + one->sockets.path);
    listener_->on_upgrade(one->sockets.path, one->sockets.take(kernel_));
  }
}

Result<bool> Inner::open() {
  if (listener_)
    if (auto started = listener_->start(); !started) return started;
  std::vector<Instance> own;
  if (listener_) address_ = discovery::reachable(listener_->address(), discovery::own_addresses());
  if (listener_)
    for (const auto* one : here_) {
      auto& instance = own.emplace_back();
      instance.module = one->name;
      instance.address = address();
    }
  if (auto started = discovery_->start(std::move(own)); !started) return started;
  for (const auto& [module, balancer] : balancers_) balancer->start();
  return true;
}

void Inner::drain() {
  serving_ = false;
  if (listener_) listener_->drain();
}

void Inner::close() {
  if (listener_) listener_->stop();
}

void Inner::stop() {
  if (stopped_.exchange(true)) return;
  keeps_tls_.reset();
  tasks_.cancel();
  close();
  tasks_.wait(milliseconds(2000));
  for (const auto& [module, balancer] : balancers_) balancer->stop();
  discovery_->stop();
}

void Inner::reload() {
  if (!tls_) return;
  if (auto again = tls_->reload(); !again) log::error("rpc.certificate_not_reloaded", Field("why", again.error().detail));
}

std::vector<Check> Inner::readiness() const {
  std::vector<Check> out;
  for (const auto& [module, balancer] : balancers_) {
    if (stood_for_.contains(module)) continue;
    const auto state = balancer->state();
    Check check;
    check.name = module;
    if (std::none_of(state.begin(), state.end(), [](const auto& one) { return one.healthy; })) {
      check.state = Check::State::degraded;
      check.detail = state.empty() ? "no instance is known" : "no instance of it answers";
    }
    out.push_back(std::move(check));
  }
  if (const auto trouble = discovery_->trouble(); !trouble.empty()) {
    Check check;
    check.name = "discovery";
    check.state = Check::State::degraded;
    check.detail = trouble;
    out.push_back(std::move(check));
  }
  return out;
}

/// Before all have started a module cannot say how it is.
discovery::Report Inner::report() const {
  discovery::Report out;
  out.serving = serving_;
  if (listener_) out.in_flight = static_cast<std::int64_t>(listener_->calls());
  for (const auto& [module, balancer] : balancers_)
    for (const auto& instance : balancer->state())
      if (!instance.healthy) {
        auto& one = out.left_out.emplace_back();
        one.module = module;
        one.address = instance.address;
      }
  if (!out.serving) return out;
  for (const auto& check : kernel_.readiness()) {
    if (check.state != Check::State::down) continue;
    auto& one = out.down.emplace_back();
    one.name = check.name;
    one.detail = check.detail;
  }
  return out;
}

Async<std::string> Inner::instances() {
  discovery::Asking asking;
  for (const auto& module : kernel_.modules) asking.modules.push_back(module.name);
  asking.discovery = discovery_;
  asking.kind = kernel_.config.text("discovery.kind");
  for (const auto* one : here_) asking.here.push_back(one->name);
  asking.address = address();
  asking.own = report();
  asking.connect = [this](const std::string& module, const std::string& address) { return transport_to(module, address); };
  return discovery::ask_instances(std::move(asking), kernel_.clock, tasks_);
}

}  // namespace loggia
