#pragma once
// What a process has to do with the others: whom it calls, who calls it, whose logs it hears. Without modules elsewhere and without rpc.listen
// there is nothing of it.
#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>
#include "discovery/report.hpp"
#include "loggia/kernel/discovery.hpp"
#include "loggia/kernel/module.hpp"
#include "loggia/kernel/rpc.hpp"

namespace loggia {

/// On the main thread but for what says otherwise.
class Inner {
 public:
  /// `here`: the modules of this process. Outlived by the kernel.
  Inner(Kernel& kernel, std::vector<const ModuleDescriptor*> here);
  ~Inner() { stop(); }

  /// The modules here are made. Proxies and stand-ins for those elsewhere, which are in `stand_ins` from then on; mTLS; routes.
  Result<bool> connect();
  std::vector<std::pair<std::string, std::unique_ptr<Module>>> stand_ins;
  /// The listener has its address, and others are known. Logs are answered from here on, modules not yet.
  Result<bool> open();
  /// The modules have started.
  void serve() { serving_ = true; }
  /// Others get no answer that they would have to wait for; what runs may finish.
  void drain();
  bool drained() const { return !listener_ || listener_->drained(); }
  /// Nobody calls from here on; the modules can be stopped.
  void close();
  void stop();
  /// Certificates; any thread.
  void reload();
  /// ADDR:PORT under which others reach the listener, once it is open; empty: there is none.
  const std::string& address() const { return address_; }
  /// Any thread.
  std::vector<Check> readiness() const;
  /// Of all modules, a line each: the command `instances`. On a shard.
  Async<std::string> instances();

 private:
  bool is_here(const std::string& module) const;
  bool needed(const std::string& module) const;
  bool speaks_for_people() const;
  Result<bool> load_tls();
  void connect_to(const ModuleDescriptor& module);
  void tunnel_to(const ModuleDescriptor& module, std::shared_ptr<Balancer> balancer);
  void make_listener();
  Result<std::shared_ptr<InstanceTransport>> transport_to(const std::string& module, const std::string& address);
  std::vector<std::shared_ptr<Transport>> each(const std::string& module);
  discovery::Report report() const;
  Elsewhere for_bus(const ModuleDescriptor& module, std::shared_ptr<Transport> transport);

  Kernel& kernel_;
  const std::vector<const ModuleDescriptor*> here_;
  RpcTable table_;
  std::shared_ptr<MutualTls> tls_;
  std::shared_ptr<void> keeps_tls_;
  std::shared_ptr<Discovery> discovery_;
  std::map<std::string, std::shared_ptr<Balancer>> balancers_;
  std::set<std::string> stood_for_;  // they say themselves how they are
  std::shared_ptr<RpcListener> listener_;
  std::string address_;
  std::atomic<bool> serving_{false}, stopped_{false};
  std::mutex mutex_;
  std::map<std::string, std::map<std::string, std::shared_ptr<Transport>>> by_address_;  // of each module, for what goes to every instance
  Tasks tasks_;
};

}  // namespace loggia
