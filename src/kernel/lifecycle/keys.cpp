#include <algorithm>
#include <map>
#include <set>
#include "http/listener.hpp"
#include "lifecycle/engines.hpp"
#include "loggia/kernel/discovery.hpp"
#include "loggia/kernel/mail.hpp"
#include "loggia/kernel/process.hpp"
#include "loggia/kernel/storage.hpp"

namespace loggia {
namespace {

using Kind = ConfigKey::Kind;

/// What is between this process and others: mTLS whole or not at all, and nothing beyond loopback without it.
std::vector<FieldError> rpc_mistakes(const Config& config) {
  std::vector<FieldError> wrong;
  std::vector<std::string> missing;
  for (const char* key : {"rpc.tls.certificate", "rpc.tls.private_key", "rpc.tls.ca"})
    if (config.text(key).empty()) missing.emplace_back(key);
  if (!missing.empty() && missing.size() < 3)
    for (const auto& key : missing)
      wrong.push_back({key,
                       "is missing: mTLS takes rpc.tls.certificate, rpc.tls.private_key and rpc.tls.ca; set all three or none. `loggia certs "
                       "DIR` makes the files for development"});
  const auto listen = config.text("rpc.listen");
  if (listen.empty() || missing.empty()) return wrong;
  const auto endpoint = http::parse_listen(listen);
  if (endpoint && !endpoint->address().is_loopback())
    wrong.push_back({"rpc.listen",
                     "beyond loopback other modules are known by mTLS alone: set rpc.tls.certificate, rpc.tls.private_key and "
                     "rpc.tls.ca, or listen on 127.0.0.1"});
  return wrong;
}

}  // namespace

std::vector<ConfigKey> process_keys() {
  std::vector<ConfigKey> keys;
  const auto add = [&](std::string_view name, Kind kind, std::string_view standard, std::string_view help) -> ConfigKey& {
    ConfigKey key;
    key.name = name;
    key.kind = kind;
    key.standard = standard;
    key.help = help;
    keys.push_back(key);
    return keys.back();
  };
  add("admin.listen", Kind::address, "127.0.0.1:8081", "health and metrics");
  add("rpc.listen", Kind::address, "", "the listener for other modules");
  add("rpc.tls.certificate", Kind::text, "", "PEM file of this process for mTLS");
  add("rpc.tls.private_key", Kind::text, "", "PEM file of its key");
  add("rpc.tls.ca", Kind::text, "", "PEM file of the authority of all modules");
  add("process.modules", Kind::list, "", "the modules of this process; none: all");
  add("process.drain", Kind::duration, "8s", "how long a stopping process lets work finish");
  auto& threads = add("process.threads", Kind::integer, "0", "event loops, a thread each; 0: as many as cores");
  threads.min = 0;
  threads.max = 256;
  add("storage.dir", Kind::text, "data", "the data directory");
  add("storage.kind", Kind::text, "sqlite", "where data is").values = "sqlite|postgres";
  keys.back().alike = true;
  add("storage.postgres.url", Kind::text, "", "postgresql://…").secret = true;
  add("storage.keep_before_migration", Kind::flag, "true", "keep the old files beside");
  add("bus.transport", Kind::text, "embedded", "how events travel").values = "embedded|kafka";
  keys.back().alike = true;
  auto& partitions = add("bus.partitions", Kind::integer, "16", "partitions of each topic; fixed when the log is made");
  partitions.min = 1;
  partitions.max = 1024;
  partitions.alike = true;
  add("bus.retention", Kind::duration, "7d", "how long topics are kept");
  add("bus.kafka.brokers", Kind::list, "", "HOST:PORT of some brokers");
  add("bus.kafka.topic_prefix", Kind::text, "", "before every topic's name");
  auto& replication = add("bus.kafka.replication", Kind::integer, "0", "copies of topics that are made; 0: what the brokers have as default");
  replication.min = 0;
  replication.max = 32767;
  add("bus.kafka.options", Kind::table, "", "handed to librdkafka as they are").secret = true;
  add("discovery.kind", Kind::text, "static", "how modules elsewhere are found").values = "static|etcd|dns";
  keys.back().alike = true;
  add("discovery.peers", Kind::table, "", "addresses (static) or names (dns) by module");
  add("discovery.etcd.endpoints", Kind::list, "", "http://HOST:2379");
  add("discovery.etcd.prefix", Kind::text, "/loggia/instances/", "before every key there: each server has its own");
  add("smtp.url", Kind::text, "", "smtp://… or smtps://…").secret = true;
  add("smtp.from", Kind::text, "", "the sender's address");
  add("lab.enabled", Kind::flag, "false", "the lab console");
  add("log.format", Kind::text, "text", "of the log").values = "text|json";
  add("log.level", Kind::text, "info", "the least that is logged").values = "debug|info|warn|error";
  add("telemetry.otlp", Kind::text, "", "where traces are sent");
  return keys;
}

KafkaOptions kafka_options(const Config& config) {
  KafkaOptions options;
  options.brokers = config.list("bus.kafka.brokers");
  options.topic_prefix = config.text("bus.kafka.topic_prefix");
  options.options = config.table("bus.kafka.options");
  options.replication = config.integer("bus.kafka.replication") > 0 ? static_cast<int>(config.integer("bus.kafka.replication")) : -1;
  return options;
}

std::vector<ConfigKey> all_keys(const std::vector<ModuleDescriptor>& modules) {
  auto keys = process_keys();
  for (const auto& module : modules) keys.insert(keys.end(), module.keys.begin(), module.keys.end());
  return keys;
}

std::vector<FieldError> check_process(const Config& config, const std::vector<ModuleDescriptor>& modules) {
  std::vector<FieldError> wrong;
  std::vector<std::string> names;
  names.reserve(modules.size());
  for (const auto& module : modules) names.push_back(module.name);
  auto wanted = config.list("process.modules");
  if (wanted.empty()) wanted = names;
  const std::set<std::string> here(wanted.begin(), wanted.end());
  for (const auto& name : wanted)
    if (std::find(names.begin(), names.end(), name) == names.end()) wrong.push_back({"process.modules", no_module(name, names)});
  std::map<std::string, std::vector<std::string>> elsewhere;  // with who needs it
  for (const auto& module : modules) {
    if (!here.contains(module.name)) continue;
    for (const auto& need : module.needs)
      if (!here.contains(need)) elsewhere[need].push_back(module.name);
    if (!module.check) continue;
    auto mistakes = module.check(config);
    wrong.insert(wrong.end(), std::make_move_iterator(mistakes.begin()), std::make_move_iterator(mistakes.end()));
  }
  auto places = discovery_mistakes(config, names, elsewhere);
  wrong.insert(wrong.end(), std::make_move_iterator(places.begin()), std::make_move_iterator(places.end()));
  if (config.text("bus.transport") == "kafka") {
    if (kafka_library().empty())
      wrong.push_back({"bus.transport",
                       "this build has no Kafka: install librdkafka-dev and build Loggia again (scripts/build), or set bus.transport = "
                       "\"embedded\""});
    auto mistakes = kafka_mistakes(kafka_options(config));
    wrong.insert(wrong.end(), std::make_move_iterator(mistakes.begin()), std::make_move_iterator(mistakes.end()));
  }
  if (config.text("storage.kind") == "postgres") {
    if (postgres_library().empty())
      wrong.push_back({"storage.kind",
                       "this build has no PostgreSQL: install libpq-dev and build Loggia again (scripts/build), or set storage.kind = "
                       "\"sqlite\""});
    else if (config.text("storage.postgres.url").empty())
      wrong.push_back({"storage.postgres.url", "is missing; it says where the data is: postgresql://USER:PASSWORD@HOST:5432/DATABASE"});
  }
  auto rpc = rpc_mistakes(config);
  wrong.insert(wrong.end(), std::make_move_iterator(rpc.begin()), std::make_move_iterator(rpc.end()));
  auto mail = mail_mistakes(config);
  wrong.insert(wrong.end(), std::make_move_iterator(mail.begin()), std::make_move_iterator(mail.end()));
  // A process with the public listener knows its address; another one's links would lead nowhere.
  for (const auto& module : modules)
    for (const auto& key : module.keys)
      if (key.name == "http.public_url" && !here.contains(module.name) && !config.text("smtp.url").empty() && config.text("http.public_url").empty())
        wrong.push_back({"http.public_url", "is missing: mails (smtp.url) hold links, and the module \"" + module.name +
                                                "\" is in another process; write the address under which people reach it"});
  return wrong;
}

}  // namespace loggia
