// From configuration files to processes: what each is told, and what cannot work together.
#include <algorithm>
#include <set>
#include "lifecycle/supervisor/ports.hpp"
#include "loggia/kernel/process.hpp"
#include "loggia/kernel/supervisor.hpp"

namespace loggia {
namespace {

namespace fs = std::filesystem;

/// A file, read.
struct Part {
  fs::path file;
  Config config;
  Settings own;  // what it is told beside the flags of all
  PlannedProcess process;
  std::string name() const { return file.filename().string(); }
  bool has(const std::string& module) const { return std::find(process.modules.begin(), process.modules.end(), module) != process.modules.end(); }
};

const std::string* setting_of(const Settings& all, std::string_view key) {
  const auto found = std::find_if(all.rbegin(), all.rend(), [&](const auto& one) { return one.first == key; });
  return found == all.rend() ? nullptr : &found->second;
}

class Plan {
 public:
  explicit Plan(const SetOptions& options) : options_{options}, ports_{free_ports(system_random())} {}

  Result<PlannedSet> make() {
    refuse_flags();
    if (auto found = find_files(); !found) return found.error();
    read_files();
    if (!wrong_.empty()) return mistakes();
    check_modules();
    check_together();
    if (!wrong_.empty()) return mistakes();
    if (auto done = choose_addresses(); !done) return done.error();
    check_addresses();
    if (!wrong_.empty()) return mistakes();
    tell_peers();
    if (auto done = tell_certificates(); !done) return done.error();
    for (auto& part : parts_) check_whole(part);
    if (!wrong_.empty()) return mistakes();
    return finished();
  }

 private:
  void refuse(std::string place, std::string detail) {
    FieldError mistake{std::move(place), std::move(detail)};
    const auto same = [&](const auto& one) { return one.pointer == mistake.pointer && one.detail == mistake.detail; };
    if (std::none_of(wrong_.begin(), wrong_.end(), same)) wrong_.push_back(std::move(mistake));
  }
  Error mistakes() {
    auto detail = wrong_.front().pointer + ": " + wrong_.front().detail;
    return Error(Errc::invalid_request, std::move(detail), std::move(wrong_));
  }

  void refuse_flags() {
    const std::pair<const char*, const char*> of_one[] = {
        {"process.modules", "belongs into the file of each process: that is what a set consists of"},
        {"rpc.listen", "would be the address of all processes: write it into the file of each, or leave it out, and a free one is chosen"}};
    for (const auto& [key, why] : of_one) {
      if (setting_of(options_.flags, key)) refuse(std::string("--set ") + key, why);
      if (options_.environment.contains(variable_of(key))) refuse(variable_of(key), why);
    }
  }

  Result<bool> find_files() {
    std::error_code problem;
    for (const auto& entry : fs::directory_iterator(options_.directory, problem)) {
      if (entry.path().extension() != ".toml") continue;
      parts_.emplace_back().file = entry.path();
      parts_.back().process.name = entry.path().stem().string();
    }
    const auto where = options_.directory.string();
    if (problem) return Error(Errc::invalid_request, "cannot read the directory " + where + ": " + problem.message());
    if (parts_.empty())
      return Error(Errc::invalid_request, "there is no *.toml in " + where + ": write one file for each process, as in config/split");
    std::sort(parts_.begin(), parts_.end(), [](const auto& a, const auto& b) { return a.file < b.file; });
    return true;
  }

  std::optional<Config> load(const Part& part, const Settings& flags) {
    Config::Source source;
    source.keys = all_keys(options_.modules);
    source.file = part.file;
    source.environment = options_.environment;
    source.flags = flags;
    auto loaded = Config::load(source);
    if (loaded) return *loaded;
    for (const auto& mistake : loaded.error().fields) refuse(mistake.pointer, mistake.detail);
    return std::nullopt;
  }

  void read_files() {
    for (const auto& flag : options_.flags)
      if (flag.first != "http.listen" && flag.first != "admin.listen") flags_of_all_.push_back(flag);
    for (auto& part : parts_) {
      auto config = load(part, options_.flags);
      if (!config) continue;
      part.config = *config;
      part.process.modules = config->list("process.modules");
      if (part.process.modules.empty())
        for (const auto& module : options_.modules) part.process.modules.push_back(module.name);
      part.process.drain = config->duration("process.drain");
      part.process.json = config->text("log.format") == "json";
    }
    std::map<std::string, int> levels;
    for (const auto& module : options_.modules) {
      auto& level = levels[module.name];
      for (const auto& need : module.needs) level = std::max(level, levels[need] + 1);
      const bool listens = std::any_of(module.keys.begin(), module.keys.end(), [](const auto& key) { return key.name == "http.listen"; });
      for (auto& part : parts_) {
        if (!part.has(module.name)) continue;
        part.process.level = std::max(part.process.level, level);
        part.process.edge = part.process.edge || listens;
      }
    }
  }

  bool is_static(const Part& part) const { return part.config.text("discovery.kind") == "static"; }

  void check_modules() {
    std::vector<std::string> names;
    for (const auto& module : options_.modules) names.push_back(module.name);
    bool unknown = false;
    for (const auto& part : parts_)
      for (const auto& name : part.process.modules)
        if (std::find(names.begin(), names.end(), name) == names.end()) {
          const auto near = nearest(name, names);
          refuse(part.file.string(), "process.modules: there is no module \"" + name + "\"" + (near ? "; did you mean \"" + *near + "\"?" : ""));
          unknown = true;
        }
    if (unknown) return;
    for (const auto& module : options_.modules) {
      std::vector<const Part*> owners;
      bool elsewhere = true;
      for (const auto& part : parts_) {
        if (part.has(module.name)) owners.push_back(&part);
        elsewhere = elsewhere && (!is_static(part) || part.config.table("discovery.peers").contains(module.name));
      }
      if (owners.empty() && !elsewhere)
        refuse(options_.directory.string(), "no file has the module \"" + module.name +
                                                "\": add it to process.modules of one, or say in all where it is " + "(discovery.peers." +
                                                module.name + ")");
      if (owners.size() < 2 || module.migrations.empty()) continue;
      const auto& config = owners.front()->config;
      const auto both = owners[0]->name() + " and " + owners[1]->name() + " both have the module \"" + module.name + "\", whose ";
      if (config.text("storage.kind") == "sqlite")
        refuse(options_.directory.string(), both + "SQLite file belongs to one process: take it out of process.modules of one, or set " +
                                                "storage.kind = \"postgres\" and bus.transport = \"kafka\"");
      else if (config.text("bus.transport") != "kafka")
        refuse(
            options_.directory.string(),
            both + "log belongs to one process with the embedded bus: take it out of process.modules of one, or set " + "bus.transport = \"kafka\"");
    }
  }

  void check_together() {
    for (const auto& key : parts_.front().config.keys()) {
      if (!key.alike) continue;
      const std::string name(key.name);
      for (const auto& part : parts_) {
        const auto here = part.config.text(name), first = parts_.front().config.text(name);
        if (here == first) continue;
        const auto shown = [](const std::string& value) { return value.empty() ? "empty" : value; };
        refuse(options_.directory.string(), name + " is " + shown(first) + " in " + parts_.front().name() + " and " + shown(here) + " in " +
                                                part.name() + ": let all processes of the set have the same, or set it for all (--set " + name +
                                                "=…)");
        break;
      }
    }
  }

  /// As a flag or variable says for all.
  std::string given(std::string_view key) const {
    if (const auto* flag = setting_of(options_.flags, key)) return *flag;
    const auto variable = options_.environment.find(variable_of(key));
    return variable == options_.environment.end() ? std::string() : variable->second;
  }

  /// `wanted`, with a free port where it has none.
  Result<std::string> settle(Part& part, const char* key, std::string wanted) {
    const auto address = split_address(wanted);
    if (address.port == 0) {
      auto taken = ports_->take(address.host.empty() ? "127.0.0.1" : address.host);
      if (!taken) return taken;
      wanted = *taken;
    }
    part.own.emplace_back(key, wanted);
    addresses_.push_back({wanted, std::string(key) + " of " + part.name()});
    return wanted;
  }

  Result<bool> choose_addresses() {
    auto first = std::find_if(parts_.begin(), parts_.end(), [](const auto& part) { return part.process.edge; });
    if (first == parts_.end()) first = parts_.begin();
    const auto http = given("http.listen"), admin = given("admin.listen");
    for (auto& part : parts_) {
      const bool leads = &part == &*first;
      if (part.process.edge) {
        auto settled = settle(part, "http.listen", http.empty() ? part.config.text("http.listen") : http);
        if (!settled) return settled.error();
      }
      // One process has the address that is known; of the others nobody needs to know it beforehand.
      auto wanted = !admin.empty() ? admin : part.config.text("admin.listen");
      if (!leads && (!admin.empty() || !part.config.set("admin.listen"))) wanted = split_address(wanted).host + ":0";
      if (auto settled = settle(part, "admin.listen", wanted); !settled) return settled.error();
      const auto rpc = part.config.text("rpc.listen");
      if (parts_.size() == 1 && rpc.empty() && is_static(part)) continue;  // there is nobody to talk to
      auto settled = settle(part, "rpc.listen", rpc);
      if (!settled) return settled.error();
      for (const auto& module : part.process.modules) peers_[module].push_back(reachable(*settled));
    }
    return true;
  }

  static std::string reachable(const std::string& address) {
    const auto [host, port] = split_address(address);
    return (host == "0.0.0.0" ? "127.0.0.1" : host == "[::]" ? "[::1]" : host) + ':' + std::to_string(port);
  }

  void check_addresses() {
    for (std::size_t at = 0; at < addresses_.size(); ++at)
      for (std::size_t other = 0; other < at; ++other)
        if (addresses_[at].first == addresses_[other].first)
          refuse(options_.directory.string(), addresses_[at].first + " is " + addresses_[other].second + " and " + addresses_[at].second +
                                                  ": give one of them another port, or port 0 for a free one");
  }

  void tell_peers() {
    for (auto& part : parts_) {
      if (!is_static(part) || parts_.size() == 1) continue;
      const auto known = part.config.table("discovery.peers");
      for (const auto& [module, addresses] : peers_) {
        if (known.contains(module)) continue;
        part.own.emplace_back("discovery.peers." + module, joined(addresses, ","));
      }
    }
  }

  Result<bool> tell_certificates() {
    if (!options_.certificates || parts_.size() == 1) return true;
    for (auto& part : parts_) {
      if (part.config.set("rpc.tls.certificate") || part.config.set("rpc.tls.private_key") || part.config.set("rpc.tls.ca")) continue;
      auto made = options_.certificates(part.config.text("storage.dir"), part.process);
      if (!made) return made.error();
      part.own.insert(part.own.end(), made->begin(), made->end());
    }
    return true;
  }

  /// As the process itself will.
  void check_whole(Part& part) {
    auto flags = part.own;
    flags.insert(flags.end(), flags_of_all_.begin(), flags_of_all_.end());
    const auto config = load(part, flags);
    if (!config) return;
    part.config = *config;
    if (!options_.check) return;
    for (const auto& mistake : options_.check(*config)) refuse(part.file.string() + ": " + mistake.pointer, mistake.detail);
  }

  PlannedSet finished() {
    PlannedSet out;
    out.ports = ports_;
    const auto edge = std::find_if(parts_.begin(), parts_.end(), [](const auto& part) { return part.process.edge; });
    out.config = edge == parts_.end() ? parts_.front().config : edge->config;
    for (auto& part : parts_) {
      auto& arguments = part.process.arguments;
      arguments = {"serve", "--config", part.file.string()};
      for (const auto* settings : {&part.own, &flags_of_all_})
        for (const auto& [key, value] : *settings) arguments.insert(arguments.end(), {"--set", key + '=' + value});
      out.processes.push_back(std::move(part.process));
    }
    return out;
  }

  const SetOptions& options_;
  std::shared_ptr<FreePorts> ports_;
  std::vector<Part> parts_;
  Settings flags_of_all_;
  std::vector<std::pair<std::string, std::string>> addresses_;  // and whose they are
  std::map<std::string, std::vector<std::string>> peers_;
  std::vector<FieldError> wrong_;
};

}  // namespace

Result<PlannedSet> plan_set(const SetOptions& options) { return Plan(options).make(); }

}  // namespace loggia
