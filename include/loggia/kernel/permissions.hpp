#pragma once
// Who may call what between modules: one table, made of the descriptors, asked on every call (contract, section 5).
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>
#include "loggia/kernel/router.hpp"

namespace loggia {

/// In order: of several names in one certificate the one that may most counts.
enum class RpcPermission {
  refused,
  itself,    // as a module: what it says about people does not count
  believed,  // it speaks for people: whom it names as the caller is the caller
};
using RpcPermits = std::function<RpcPermission(const std::string& caller_module, std::string_view route)>;

struct ModuleDescriptor;

/// A module may call the routes of those that it needs, and every module the kernel's own under /bus/; what it may do there is told apart by topic.
/// Filled before serving starts, then read from every thread.
class RpcTable {
 public:
  explicit RpcTable(const std::vector<ModuleDescriptor>& modules);
  /// A router that notes what is mounted on it as `module`'s, and hands it on to `next`, which outlives it.
  std::unique_ptr<Router> noting(std::string module, Router& next);
  void note(std::string module, std::string_view route);
  RpcPermission of(const std::string& caller_module, std::string_view route) const;
  /// What it hears; what it produces itself, of other instances and other producers too; what a stand-in for the producer follows where it needs
  /// the producer.
  bool may_read(const std::string& caller_module, const std::string& producer, const std::string& topic) const;
  /// A signal of what it produces.
  bool may_say(const std::string& caller_module, const std::string& topic) const;

 private:
  struct Rights {
    std::set<std::string, std::less<>> needs, hears, says, followed;
    bool speaks_for_people = false;
  };
  std::map<std::string, Rights, std::less<>> rights_;
  std::map<std::string, std::string, std::less<>> owners_;  // by route
};

}  // namespace loggia
