// The configuration: a file, variables and flags. The input is a TOML file, then, behind lines of `---`, variables and flags as `name=value`.
#include "loggia/kernel/config.hpp"
#include <unistd.h>
#include <fstream>
#include "fuzz/target.hpp"

namespace loggia::fuzz::config_target {
namespace {

using Kind = ConfigKey::Kind;
const std::vector<ConfigKey> keys = {
    {"http.listen", Kind::address, "127.0.0.1:8080", "", false, {}},
    {"http.public_url", Kind::text, "", "", false, {}},
    {"http.trusted_proxies", Kind::list, "", "", false, {}},
    {"process.drain", Kind::duration, "8s", "", false, {}},
    {"bus.partitions", Kind::integer, "16", "", false, "", 1, 1024},
    {"bus.options", Kind::table, "", "", false, {}},
    {"auth.oidc", Kind::table, "", "", true, {}},
    {"auth.secret", Kind::text, "", "", true, {}},
    {"auth.registration", Kind::text, "open", "", false, "open|invite|closed"},
    {"gateway.rate_limit", Kind::flag, "true", "", false, {}},
    {"realtime.queue_bytes", Kind::bytes, "1048576", "", false, "", 1024},
};

/// The part before the next line of `---`.
std::string_view section(std::string_view& input) {
  const auto end = input.find("\n---\n");
  const auto out = input.substr(0, end);
  input = end == std::string_view::npos ? std::string_view() : input.substr(end + 5);
  return out;
}

void check(const Config& config) {
  const auto partitions = config.integer("bus.partitions");
  require(partitions >= 1 && partitions <= 1024, "a number is within its bounds");
  require(config.integer("realtime.queue_bytes") >= 1024, "bytes are within their bounds");
  require(config.duration("process.drain").count() >= 0, "a duration is not negative");
  const auto registration = config.text("auth.registration");
  require(registration == "open" || registration == "invite" || registration == "closed", "a word is one of those allowed");
  for (const auto& line : config.shown())
    if (line.key == "auth.secret" || line.key.starts_with("auth.oidc."))
      require(line.value.empty() || line.value == "********", "a secret is not shown");
}

}  // namespace
}  // namespace loggia::fuzz::config_target

LOGGIA_FUZZ(config) {
  using namespace loggia;
  using namespace loggia::fuzz;
  // A free name may stand for what a file holds, and some files never end.
  if (input.find("file") != input.npos || input.find("FILE") != input.npos) return;
  static const std::string path = "/dev/shm/loggia-fuzz-" + std::to_string(getpid()) + ".toml";
  static const struct Remover {
    ~Remover() { ::unlink(path.c_str()); }
  } remover;
  if (const auto duration = parse_duration(input)) require(duration->count() >= 0, "a duration is not negative");
  Config::Source source;
  source.keys = config_target::keys;
  source.file = path;
  std::ofstream(path, std::ios::binary) << config_target::section(input);
  // Few and short ones: the nearest key to each wrong name is looked for, which costs the square of its length.
  for (auto lines = config_target::section(input); !lines.empty() && source.environment.size() < 3;) {
    auto line = part(lines, '\n');
    const std::string name(part(line, '=').substr(0, 40));
    source.environment["LOGGIA_" + name] = line;
  }
  while (!input.empty() && source.flags.size() < 3) {
    auto line = part(input, '\n');
    const std::string name(part(line, '=').substr(0, 40));
    source.flags.emplace_back(name, line);
  }
  const auto config = Config::load(source);
  if (config) return config_target::check(*config);
  require(!config.error().fields.empty(), "every mistake is listed");
  for (const auto& field : config.error().fields) require(!field.pointer.empty() && !field.detail.empty(), "with its place and what is wrong");
}
