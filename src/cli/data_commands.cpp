// Commands on data: by the running server where there is one, else on the storage itself.
#include <termios.h>
#include <unistd.h>
#include <iostream>
#include "cli/commands.hpp"
#include "loggia/kernel/log.hpp"
#include "loggia/kernel/process.hpp"

namespace loggia::cli {
namespace {

Result<std::string> on_data(Shell& shell, const Config& config, const std::string& name, const std::vector<std::string>& arguments) {
  if (auto answered = ask_running_server(config.text("storage.dir"), name, arguments)) return *answered;
  ProcessOptions options;
  options.modules = shell.modules;
  options.config = config;
  options.version = version();
  options.commit = commit();
  options.data_only = true;
  auto process = make_process(std::move(options));
  if (auto started = process->start(); !started) return started.error();
  return process->command(name, arguments);
}

int print(const Result<std::string>& done) {
  if (!done) {
    std::cerr << "loggia: " << done.error().detail << '\n';
    return done.error().code == Errc::invalid_request && done.error().fields.empty() ? 2 : 1;
  }
  std::cout << *done;
  if (!done->empty() && done->back() != '\n') std::cout << '\n';
  return 0;
}

/// From standard input if that is no terminal; else none, and one is made.
std::string password_from_input() {
  std::string line;
  if (!::isatty(STDIN_FILENO)) std::getline(std::cin, line);
  return line;
}

}  // namespace

int manage_user(Shell& shell) {
  const auto config = shell.config(false);
  if (!config) return 2;
  const auto& given = shell.arguments;
  auto name = given.command;
  name.replace(name.find(' '), 1, ".");
  std::vector<std::string> arguments;
  if (name != "user.list") arguments.push_back(given.name);
  if (name == "user.add" || name == "user.password") arguments.push_back(password_from_input());
  if (name == "user.add") arguments.insert(arguments.end(), {joined(given.roles, ","), given.email});
  if (name == "user.role") arguments.push_back(joined(given.roles, ","));
  return print(on_data(shell, *config, name, arguments));
}

int topics(Shell& shell) {
  const auto config = shell.config(false);
  if (!config) return 2;
  auto name = shell.arguments.command;
  name.replace(name.find(' '), 1, ".");
  std::vector<std::string> arguments;
  if (!shell.arguments.name.empty()) arguments.push_back(shell.arguments.name);
  arguments.insert(arguments.end(), shell.arguments.rest.begin(), shell.arguments.rest.end());
  return print(on_data(shell, *config, name, arguments));
}

int instances(Shell& shell) {
  const auto config = shell.config(false);
  if (!config) return 2;
  if (auto answered = ask_running_server(config->text("storage.dir"), "instances", {})) return print(*answered);
  const auto listed = registered_instances(*config, shell.modules);
  if (listed || listed.error().fields.empty()) return print(listed);
  print_mistakes(listed.error().fields);
  return 2;
}

int migrate(Shell& shell) {
  const auto config = shell.config(false);
  if (!config) return 2;
  const auto directory = std::filesystem::path(config->text("storage.dir"));
  std::shared_ptr<void> alone;
  std::error_code ignored;
  if (!shell.arguments.dry_run || std::filesystem::exists(directory, ignored)) {
    auto held = hold_directory(directory);
    if (!held) return print(held.error());
    alone = std::move(*held);
  }
  const auto clock = system_clock();
  std::size_t steps = 0;
  for (const auto& module : shell.modules) {
    if (module.migrations.empty()) continue;
    DatabaseOptions options;
    options.directory = directory;
    if (config->text("storage.kind") == "postgres") options.postgres = config->text("storage.postgres.url");
    options.name = module.name;
    options.migrations = module.migrations;
    options.keep_before_migration = config->flag("storage.keep_before_migration");
    options.clock = std::shared_ptr<Clock>(clock.get(), [](Clock*) {});
    options.dry_run = shell.arguments.dry_run;
    auto pending = pending_migrations(options);
    if (!pending) return print(pending.error());
    steps += pending->size();
    for (const auto& step : *pending) std::cout << module.name << ": " << step << '\n';
    if (pending->empty()) continue;
    auto opened = open_database(std::move(options));
    if (!opened) return print(opened.error());
    (*opened)->close();
  }
  std::cout << (steps == 0 ? "the schema is up to date" : shell.arguments.dry_run ? "nothing was changed" : "the schema is up to date now") << '\n';
  return 0;
}

}  // namespace loggia::cli
