#include "loggia/kernel/permissions.hpp"
#include "loggia/kernel/module.hpp"
#include "rpc/form.hpp"

namespace loggia {
namespace {

class Noting final : public Router {
 public:
  Noting(RpcTable& table, std::string module, Router& next) : table_{table}, module_{std::move(module)}, next_{next} {}
  void on(RouteInfo info, RouteHandler handler) override {
    table_.note(module_, info.route);
    next_.on(std::move(info), std::move(handler));
  }

 private:
  RpcTable& table_;
  const std::string module_;
  Router& next_;
};

}  // namespace

RpcTable::RpcTable(const std::vector<ModuleDescriptor>& modules) {
  for (const auto& module : modules) {
    auto& rights = rights_[module.name];
    rights.needs.insert(module.needs.begin(), module.needs.end());
    rights.hears.insert(module.hears.begin(), module.hears.end());
    for (const auto& topic : module.topics) rights.says.emplace(topic.name);
    rights.followed.insert(module.stand_in_follows.begin(), module.stand_in_follows.end());
    rights.speaks_for_people = module.speaks_for_people;
  }
}

std::unique_ptr<Router> RpcTable::noting(std::string module, Router& next) { return std::make_unique<Noting>(*this, std::move(module), next); }

void RpcTable::note(std::string module, std::string_view route) { owners_.insert_or_assign(std::string(route), std::move(module)); }

RpcPermission RpcTable::of(const std::string& caller_module, std::string_view route) const {
  const auto caller = rights_.find(caller_module);
  if (caller == rights_.end()) return RpcPermission::refused;
  if (rpc::path_of(route).starts_with("/bus/")) return RpcPermission::itself;
  const auto owner = owners_.find(route);
  if (owner == owners_.end() || !caller->second.needs.contains(owner->second)) return RpcPermission::refused;
  return caller->second.speaks_for_people ? RpcPermission::believed : RpcPermission::itself;
}

bool RpcTable::may_read(const std::string& caller_module, const std::string& producer, const std::string& topic) const {
  const auto caller = rights_.find(caller_module);
  if (caller == rights_.end()) return false;
  if (caller->second.hears.contains(topic) || caller->second.says.contains(topic)) return true;
  const auto owner = rights_.find(producer);
  return owner != rights_.end() && caller->second.needs.contains(producer) && owner->second.followed.contains(topic);
}

bool RpcTable::may_say(const std::string& caller_module, const std::string& topic) const {
  const auto caller = rights_.find(caller_module);
  return caller != rights_.end() && caller->second.says.contains(topic);
}

}  // namespace loggia
