#pragma once
// The commands of the executable (contract, section 1). Exit codes: 0 done, 1 failed while running, 2 unusable arguments or configuration.
#include "cli/arguments.hpp"
#include "loggia/kernel/module.hpp"

namespace loggia::cli {

int run(int count, char** words, std::vector<ModuleDescriptor> modules);

/// What every command has at hand.
struct Shell {
  std::vector<ModuleDescriptor> modules;
  Arguments arguments;
  /// The configuration of flags, environment and file, checked; mistakes are printed, and then there is none.
  std::optional<Config> config(bool whole) const;
};

int serve(Shell& shell);
int up(Shell& shell);
int show_config(Shell& shell);
int check_config(Shell& shell);
int manage_user(Shell& shell);
int migrate(Shell& shell);
int topics(Shell& shell);
int instances(Shell& shell);
int export_data(Shell& shell);
int import_data(Shell& shell);
int make_certificates(Shell& shell);
int print_openapi(Shell& shell);
int print_asyncapi(Shell& shell);
int print_version(Shell& shell);

/// The variables that are ours: LOGGIA_…
std::map<std::string, std::string> our_environment();
void print_mistakes(const std::vector<FieldError>& wrong);
void configure_log(const Config& config, const Clock& clock);

std::string version();
std::string commit();

}  // namespace loggia::cli
