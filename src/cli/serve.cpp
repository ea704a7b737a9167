#include <iostream>
#include "cli/commands.hpp"
#include "demo/demo.hpp"
#include "loggia/kernel/log.hpp"
#include "loggia/kernel/process.hpp"

namespace loggia::cli {

void configure_log(const Config& config, const Clock& clock) {
  const auto level = config.text("log.level");
  log::configure(level == "debug"   ? log::Level::debug
                 : level == "warn"  ? log::Level::warn
                 : level == "error" ? log::Level::error
                                    : log::Level::info,
                 config.text("log.format") == "json" ? log::Format::json : log::Format::text, clock);
}

namespace {

int failed(const Error& why) {
  std::cerr << "loggia: " << why.detail << '\n';
  for (const auto& field : why.fields) std::cerr << "loggia: " << field.pointer << ": " << field.detail << '\n';
  return why.code == Errc::invalid_request ? 2 : 1;  // the configuration has to change, or what it names
}

}  // namespace

int serve(Shell& shell) {
  std::optional<demo::Directory> directory;
  if (shell.arguments.demo) {
    auto prepared = demo::prepare(shell.arguments.flags);
    if (!prepared) return failed(prepared.error());
    directory.emplace(std::move(*prepared));
  }
  const auto config = shell.config(true);
  if (!config) return 2;
  static const auto clock = system_clock();  // the log outlives everything
  configure_log(*config, *clock);
  ProcessOptions options;
  options.modules = shell.modules;
  options.config = *config;
  options.version = version();
  options.commit = commit();
  auto process = make_process(std::move(options));
  if (auto started = process->start(); !started) return failed(started.error());
  if (directory) {
    auto people = demo::furnish(process->kernel());
    if (!people) return failed(people.error());
    std::cout << demo::greeting(process->kernel(), *people);
  }
  std::cout << process->ready_line() << '\n' << std::flush;
  return process->run();
}

}  // namespace loggia::cli
