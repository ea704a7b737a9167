#include "cli/commands.hpp"
#include <iostream>

namespace loggia::cli {

int run(int count, char** words, std::vector<ModuleDescriptor> modules) try {
  int exit_code = 0;
  auto arguments = parse_arguments(count, words, exit_code);
  if (!arguments) return exit_code;
  Shell shell{std::move(modules), std::move(*arguments)};
  const auto& command = shell.arguments.command;
  if (command == "serve") return serve(shell);
  if (command == "up") return up(shell);
  if (command == "config show") return show_config(shell);
  if (command == "config check") return check_config(shell);
  if (command.starts_with("user ")) return manage_user(shell);
  if (command == "migrate") return migrate(shell);
  if (command == "export") return export_data(shell);
  if (command == "import") return import_data(shell);
  if (command.starts_with("topics ")) return topics(shell);
  if (command == "instances") return instances(shell);
  if (command == "certs") return make_certificates(shell);
  if (command == "openapi") return print_openapi(shell);
  if (command == "asyncapi") return print_asyncapi(shell);
  return print_version(shell);
} catch (const std::exception& unexpected) {
  std::cerr << "loggia: " << unexpected.what() << '\n';
  return 1;
}

}  // namespace loggia::cli
