#pragma once
// `loggia up DIR`: a set of processes on one host, one for each configuration file, planned from the files, then started, watched and stopped as one.
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>
#include "loggia/kernel/module.hpp"

namespace loggia {

/// Key and value, as `--set` takes them.
using Settings = std::vector<std::pair<std::string, std::string>>;

/// One process of a set, as it is to be started.
struct PlannedProcess {
  std::string name;  // of its file, without .toml
  std::vector<std::string> modules;
  std::vector<std::string> arguments;  // behind the program's name
  bool edge = false;                   // has the public listener: its ready line is that of the whole
  int level = 0;                       // stops before those of a lower one, which it needs
  milliseconds drain = milliseconds(8000);
  bool json = false;  // its log
};

struct PlannedSet {
  std::vector<PlannedProcess> processes;  // by name
  Config config;                          // of the process with the public listener, else of the first
  std::shared_ptr<void> ports;            // those that were chosen stay ours while it lives
};

struct SetOptions {
  std::filesystem::path directory;  // of the files
  std::vector<ModuleDescriptor> modules;
  std::map<std::string, std::string> environment;  // LOGGIA_… only
  Settings flags;
  /// rpc.tls.* of one process, made where they are missing, for files that name none; `data` is its storage.dir. Null: no process gets any.
  std::function<Result<Settings>(const std::filesystem::path& data, const PlannedProcess& process)> certificates;
  /// What is wrong with the whole configuration of one process, as it will have it: check_process.
  std::function<std::vector<FieldError>(const Config&)> check;
};
/// All mistakes at once in Error::fields, as those of Config::load. Nothing has been started, and nothing made but certificates.
Result<PlannedSet> plan_set(const SetOptions& options);

struct SupervisorOptions {
  std::filesystem::path program = "/proc/self/exe";
  std::shared_ptr<Clock> clock;
  int out = 1, err = 2;                             // the ready line; the logs
  milliseconds beyond_drain = milliseconds(3'000);  // how long a process may take when its process.drain is over, before it is killed
};
/// On the only thread of the program, which has SIGTERM, SIGINT, SIGHUP and SIGCHLD for itself afterwards. Until SIGTERM or SIGINT, or until a
/// process ends that never was ready. The exit code.
int supervise(PlannedSet set, const SupervisorOptions& options);

}  // namespace loggia
