// `loggia up DIR`: one process for each file in DIR, watched by this one.
#include <iostream>
#include "cli/commands.hpp"
#include "loggia/kernel/certificates.hpp"
#include "loggia/kernel/process.hpp"
#include "loggia/kernel/supervisor.hpp"

namespace loggia::cli {
namespace {

int refused_up(const std::string& why) {
  std::cerr << "loggia: " << why << '\n';
  return 2;
}

/// DATA/certs/NAME.pem with its key, of an authority of this set's own.
Result<Settings> development_certificates(const std::filesystem::path& data, const PlannedProcess& process) {
  std::error_code ignored;
  if (std::filesystem::create_directories(data, ignored)) std::filesystem::permissions(data, std::filesystem::perms::owner_all, ignored);
  const auto directory = data / "certs";
  const auto made = make_development_certificates(directory, {{process.name, process.modules}});
  if (!made) return made.error();
  const auto file = [&directory](const std::string& name) { return (directory / name).string(); };
  return Settings{
      {"rpc.tls.certificate", file(process.name + ".pem")}, {"rpc.tls.private_key", file(process.name + ".key")}, {"rpc.tls.ca", file("ca.pem")}};
}

}  // namespace

int up(Shell& shell) {
  const auto& given = shell.arguments;
  if (given.demo) return refused_up("--demo: the demo is one process. Use `loggia serve --demo`, or add people with `loggia user add`.");
  if (given.config) return refused_up("--config: every *.toml in " + given.name + " is the configuration of one process. Write it into those.");
  SetOptions options;
  options.directory = given.name;
  options.modules = shell.modules;
  options.environment = our_environment();
  options.flags = given.flags;
  options.certificates = development_certificates;
  options.check = [&shell](const Config& config) { return check_process(config, shell.modules); };
  auto set = plan_set(options);
  if (!set) {
    const auto& why = set.error();
    print_mistakes(why.fields);
    if (why.fields.empty()) std::cerr << "loggia: " << why.detail << '\n';
    return why.code == Errc::invalid_request ? 2 : 1;
  }
  for (const auto& warning : set->config.warnings()) std::cerr << "loggia: warning: " << warning << '\n';
  static const std::shared_ptr<Clock> clock = system_clock();  // the log outlives everything
  configure_log(set->config, *clock);
  SupervisorOptions supervisor;
  supervisor.clock = clock;
  return supervise(std::move(*set), supervisor);
}

}  // namespace loggia::cli
