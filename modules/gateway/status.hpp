#pragma once
// GET /admin/status: what runs here, for administrators.
#include <map>
#include <optional>
#include <string>
#include <vector>
#include "loggia/kernel/module.hpp"

namespace loggia::gateway {

struct PartStatus {
  std::string name, status;  // ok, degraded, down
  std::optional<std::string> detail;
};
BOOST_DESCRIBE_STRUCT(PartStatus, (), (name, status, detail))
struct ServerStatus {
  std::string status, version, commit;
  Time started_at{};
  std::int64_t uptime = 0;  // seconds
  std::vector<std::string> modules;
  std::vector<PartStatus> checks;
  std::map<std::string, std::string> libraries;
};
BOOST_DESCRIBE_STRUCT(ServerStatus, (), (status, version, commit, started_at, uptime, modules, checks, libraries))

struct GetStatus {
  using Reply = ServerStatus;
  static constexpr std::string_view route = "GET /admin/status";
  static constexpr Access access = Access::admin;
  static constexpr std::string_view summary = "What runs here and how it is.";
};
BOOST_DESCRIBE_STRUCT(GetStatus, (), ())

/// Mounts it. Only the route is looked at where the API is described without a server.
void mount(Router& router, Kernel& kernel);

}  // namespace loggia::gateway
