#pragma once
// One process of Loggia: the modules of a configuration with the kernel under them, from start to drained end. Used by the commands.
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>
#include "loggia/kernel/module.hpp"

namespace loggia {

/// Keys of the process itself and of the kernel: storage.dir, log.level, …
std::vector<ConfigKey> process_keys();
/// Those and the modules' own.
std::vector<ConfigKey> all_keys(const std::vector<ModuleDescriptor>& modules);
/// What no single key shows: unknown modules, a need that nobody here serves, a transport that this build lacks. Empty: fine.
std::vector<FieldError> check_process(const Config& config, const std::vector<ModuleDescriptor>& modules);

struct ProcessOptions {
  std::vector<ModuleDescriptor> modules;  // of this build, in an order that satisfies their needs
  Config config;
  std::string version, commit;
  /// For commands beside no server: only modules that own data, no listener, no bus that runs, no ready line.
  bool data_only = false;
};

/// Made, run and destroyed on the main thread. Signals SIGTERM, SIGINT, SIGHUP are the process's own from make() on.
class Process {
 public:
  virtual ~Process() = default;
  /// Opens, makes, starts. An error is what the person at the shell reads; nothing is left running.
  virtual Result<bool> start() = 0;
  virtual Kernel& kernel() = 0;
  /// `loggia ready http=… admin=…`
  virtual std::string ready_line() const = 0;
  /// Until SIGTERM or SIGINT; drains. The exit code.
  virtual int run() = 0;
  /// Runs one of kernel().commands to its end.
  virtual Result<std::string> command(const std::string& name, std::vector<std::string> arguments) = 0;
  /// Drains nothing, ends everything; also done by the destructor.
  virtual void stop() = 0;
};
std::unique_ptr<Process> make_process(ProcessOptions options);

/// Asks the processes that run on this data directory, until one has the command; for topics and instances more of them, and their answers become
/// one. Nothing where none runs: then the command opens the storage itself.
std::optional<Result<std::string>> ask_running_server(const std::filesystem::path& directory, const std::string& command,
                                                      const std::vector<std::string>& arguments);

/// The instances that discovery.* of `config` leads to, each asked how it is, by a shell beside none of them: with the certificate of rpc.tls.*, or
/// without one where that can do. Errc::invalid_request with the keys that are wrong; without, it says what to do.
Result<std::string> registered_instances(const Config& config, const std::vector<ModuleDescriptor>& modules);

/// For commands that work on the files themselves: nobody else does while what is returned lives. The error names who does now.
Result<std::shared_ptr<void>> hold_directory(const std::filesystem::path& directory);

/// Name and version of each library, for `loggia version`.
std::vector<std::pair<std::string, std::string>> library_versions();

}  // namespace loggia
