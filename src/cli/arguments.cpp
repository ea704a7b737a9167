#include "cli/arguments.hpp"
#include <CLI/CLI.hpp>

namespace loggia::cli {
namespace {

/// Flags of every command that reads the configuration.
void add_configuration(CLI::App& app, Arguments& out, bool serving) {
  const auto flag = [&app, &out](const char* name, const char* key, const char* help) {
    const std::string of(key);
    app.add_option_function<std::string>(name, [&out, of](const std::string& value) { out.flags.emplace_back(of, value); }, help)->trigger_on_parse();
  };
  app.add_option("--config", out.config, "configuration file (default: config/loggia.toml, then /etc/loggia/loggia.toml)");
  flag("--data", "storage.dir", "data directory");
  const auto set = [&out](const std::string& text) {
    const auto at = text.find('=');
    if (at == std::string::npos || at == 0) throw CLI::ValidationError("--set", "takes section.key=value, not \"" + text + "\"");
    out.flags.emplace_back(text.substr(0, at), text.substr(at + 1));
  };
  app.add_option_function<std::string>("--set", set, "section.key=value, repeatable")->trigger_on_parse()->allow_extra_args(false);
  if (!serving) return;
  flag("--listen", "http.listen", "ADDR:PORT of the public listener");
  flag("--admin", "admin.listen", "ADDR:PORT for health and metrics");
  flag("--modules", "process.modules", "a,b,c: the modules of this process");
}

CLI::App* command(CLI::App& parent, const std::string& name, const std::string& help, Arguments& out, const std::string& as) {
  auto* app = parent.add_subcommand(name, help);
  app->callback([&out, as] { out.command = as; });
  return app;
}

void add_users(CLI::App& app, Arguments& out) {
  auto* user = app.add_subcommand("user", "manage accounts");
  user->require_subcommand(1);
  add_configuration(*command(*user, "list", "all accounts", out, "user list"), out, false);
  const std::pair<const char*, const char*> named[] = {
      {"add", "make an account; its password comes from standard input, or is made and printed once"},
      {"password", "set a password in the same way; all sessions end"},
      {"role", "set the roles; sessions end where one is lost"},
      {"disable", "end all sessions and refuse new ones"},
      {"enable", "undo disable"}};
  for (const auto& [verb, help] : named) {
    auto* one = command(*user, verb, help, out, std::string("user ") + verb);
    one->add_option("NAME", out.name, "the username")->required();
    add_configuration(*one, out, false);
    if (std::string_view(verb) == "add" || std::string_view(verb) == "role")
      one->add_option("--role", out.roles, "admin, member, guest or bot; repeatable")->allow_extra_args(false);
    if (std::string_view(verb) == "add") one->add_option("--email", out.email, "an address, unverified");
  }
}

void add_topics(CLI::App& app, Arguments& out) {
  auto* topics = app.add_subcommand("topics", "look into the event bus");
  topics->require_subcommand(1);
  for (const auto& [verb, help] : {std::pair("list", "topics with their producers and how many events they hold"),
                                   std::pair("lag", "how far each group is behind, partition by partition")})
    add_configuration(*command(*topics, verb, help, out, std::string("topics ") + verb), out, false);
  const auto number = [&out](CLI::App& on, const char* name, const char* help) {
    const std::string word(name);
    on.add_option_function<std::string>(name, [&out, word](const std::string& value) { out.rest.insert(out.rest.end(), {word, value}); }, help);
  };
  auto* tail = command(*topics, "tail", "the newest events, or those from a sequence on, one CloudEvent a line", out, "topics tail");
  tail->add_option("TOPIC", out.name)->required();
  number(*tail, "--count", "how many (10)");
  number(*tail, "--from", "from this sequence on");
  number(*tail, "--partition", "only this partition");
  add_configuration(*tail, out, false);
  auto* replay = command(*topics, "replay", "let a group handle events again", out, "topics replay");
  replay->add_option("TOPIC", out.name)->required();
  number(*replay, "--group", "the consuming group");
  number(*replay, "--from", "from this sequence on");
  number(*replay, "--partition", "only this partition");
  replay->add_flag_callback("--dead-letters", [&out] { out.rest.push_back("--dead-letters"); }, "those that were set aside");
  replay->add_flag_callback("--effects", [&out] { out.rest.push_back("--effects"); }, "send mails, pushes and webhooks again, too");
  add_configuration(*replay, out, false);
}

}  // namespace

std::optional<Arguments> parse_arguments(int count, char** words, int& exit_code) {
  Arguments out;
  CLI::App app("Loggia, a real-time chat: accounts, rooms, messages, live delivery. One executable holds all of it.", "loggia");
  app.require_subcommand(1);
  app.set_help_all_flag("--help-all", "the flags of all commands");
  auto* serve = command(app, "serve", "run until SIGTERM or SIGINT", out, "serve");
  add_configuration(*serve, out, true);
  serve->add_flag("--demo", out.demo, "with sample people, rooms and messages; prints the address and two logins");
  auto* up = command(app, "up", "one process for each file in DIR, until SIGTERM or SIGINT; restarts what dies", out, "up");
  up->add_option("DIR", out.name, "a directory of configuration files, such as config/split")->required();
  add_configuration(*up, out, true);
  up->add_flag("--demo", out.demo, "is for serve alone");
  auto* config = app.add_subcommand("config", "the configuration");
  config->require_subcommand(1);
  add_configuration(*command(*config, "show", "what is in force, and where each value comes from", out, "config show"), out, true);
  add_configuration(*command(*config, "check", "validate: exit 0, or 2 with every mistake", out, "config check"), out, true);
  add_users(app, out);
  auto* migrate = command(app, "migrate", "bring the schema up to date (also done at start)", out, "migrate");
  migrate->add_flag("--dry-run", out.dry_run, "say what would be done, tried on a copy");
  add_configuration(*migrate, out, false);
  for (const auto& [verb, help] : {std::pair("export", "write all data into a file, to import it into another storage"),
                                   std::pair("import", "read such a file into an empty storage, and compare every room's sum")}) {
    auto* moving = command(app, verb, help, out, verb);
    moving->add_option("FILE", out.name)->required();
    add_configuration(*moving, out, false);
  }
  add_topics(app, out);
  auto* instances = command(app, "instances", "the instances of every module, with address and health", out, "instances");
  add_configuration(*instances, out, false);
  auto* certs = command(app, "certs", "make a CA and a certificate for each module, for development; what is there and good is kept", out, "certs");
  certs->add_option("DIR", out.name, "where they are")->required();
  certs->add_option("--for", out.rest, "NAME=a,b: only NAME.pem, for a process of these modules; repeatable")->allow_extra_args(false);
  command(app, "openapi", "print the API description (OpenAPI 3.1)", out, "openapi");
  command(app, "asyncapi", "print the description of events and frames (AsyncAPI 3.0)", out, "asyncapi");
  command(app, "version", "version, commit, compiler, libraries", out, "version");
  try {
    app.parse(count, words);
    return out;
  } catch (const CLI::ParseError& problem) {
    exit_code = app.exit(problem) == 0 ? 0 : 2;
    return std::nullopt;
  }
}

}  // namespace loggia::cli
