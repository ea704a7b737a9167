// `loggia export FILE` and `loggia import FILE`: all data as lines of text, from one storage into another (docs/moving.md).
#include "loggia/kernel/moving.hpp"
#include <fcntl.h>
#include <unistd.h>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <iostream>
#include <map>
#include "cli/commands.hpp"
#include "loggia/kernel/json_value.hpp"
#include "loggia/kernel/process.hpp"

namespace loggia::cli {
namespace {

using json = nlohmann::json;
constexpr int format = 1;

int refused(const std::string& why, int exit_code = 1) {
  std::cerr << "loggia: " << why << '\n';
  return exit_code;
}
int refused(const Error& why) { return refused(why.detail, why.code == Errc::invalid_request ? 2 : 1); }

bool on_postgres(const Config& config) { return config.text("storage.kind") == "postgres"; }

Result<std::shared_ptr<Database>> open(const ModuleDescriptor& module, const Config& config, const std::string& as) {
  static const std::shared_ptr<Clock> clock = system_clock();
  DatabaseOptions options;
  options.directory = config.text("storage.dir");
  options.name = module.name;
  if (on_postgres(config)) {
    options.postgres = config.text("storage.postgres.url");
    options.schema = module.name;
    options.name = as + " " + module.name;  // so that a server's sessions are known by their names
  }
  options.migrations = module.migrations;
  options.keep_before_migration = config.flag("storage.keep_before_migration");
  options.clock = clock;
  auto store = open_database(std::move(options));
  if (!store || !on_postgres(config)) return store;
  const auto served = (*store)->read_now([&](Query& query) -> Result<bool> {
    return query.select("SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND application_name = ?1", "loggia " + module.name)
        ->next();
  });
  if (!served) return served.error();
  if (*served) return Error(Errc::conflict, "a server works with this database. Stop all of them first.");
  return store;
}

json schemas_of(const std::vector<ModuleDescriptor>& modules) {
  json out = json::object();
  for (const auto& module : modules)
    if (!module.migrations.empty()) out[module.name] = module.migrations.back().number;
  return out;
}

json described(const moving::Tally& tally) {
  json out = json::object();
  out["rows"] = tally.all.rows();
  out["sum"] = tally.all.hex();
  out["rooms"] = json::object();
  for (const auto& [room, sum] : tally.rooms) {
    out["rooms"][room]["rows"] = sum.rows();
    out["rooms"][room]["sum"] = sum.hex();
  }
  return out;
}

std::string summary(const json& stores) {
  std::string out;
  for (const auto& [name, store] : stores.items())
    out += name + ": " + std::to_string(store["rows"].get<std::int64_t>()) + " rows, " + std::to_string(store["rooms"].size()) + " rooms\n";
  return out;
}

using Stores = std::map<std::string, std::shared_ptr<Database>, std::less<>>;

/// Every store in turn: into the file, its tally into `stores`. Those that are not open yet are opened, and closed again.
Result<bool> tell_all(Shell& shell, const Config& config, const std::function<void(std::string_view)>& line, const std::string& as,
                      const Stores& opened, json& stores) {
  for (const auto& module : shell.modules) {
    if (module.migrations.empty()) continue;
    const auto known = opened.find(module.name);
    auto store = known != opened.end() ? Result(known->second) : open(module, config, as);
    if (!store) return store.error();
    auto tally = moving::tell(**store, module.name, on_postgres(config), line);
    if (!tally) return tally.error();
    stores[module.name] = described(*tally);
  }
  return true;
}

/// Lines to the module that their head names, one store after the other. The stores stay open, and no server starts on them, until they are
/// known to be whole: who opened them anew would be refused as a server is.
class Taking {
 public:
  Taking(Shell& shell, const Config& config) : shell_{shell}, config_{config} {}
  Result<bool> head(const json& head) {
    const auto name = head.value("table", "");
    const auto dot = name.find('.');
    const auto module = name.substr(0, dot);
    if (module != module_) {
      if (auto done = finish(); !done) return done;
      if (auto done = begin(module); !done) return done;
    }
    return listeners_.at(module).head(name.substr(dot + 1), head.value("columns", std::vector<std::string>()));
  }
  Result<bool> row(std::string line) {
    if (module_.empty()) return Error(Errc::invalid_request, "a row comes before the head of its table");
    return listeners_.at(module_).row(std::move(line));
  }
  Result<bool> finish() { return module_.empty() ? Result<bool>(true) : listeners_.at(module_).end(); }
  const Stores& stores() const { return stores_; }
  /// What is there is what was to come.
  Result<bool> whole() {
    for (auto& [name, listener] : listeners_)
      if (auto done = listener.whole(); !done) return done;
    return true;
  }

 private:
  Result<bool> begin(const std::string& name) {
    if (stores_.contains(name)) return Error(Errc::invalid_request, "the tables of \"" + name + "\" do not stand together");
    for (const auto& module : shell_.modules) {
      if (module.name != name || module.migrations.empty()) continue;
      auto store = open(module, config_, "import");
      if (!store) return store.error();
      module_ = name;
      stores_[name] = *store;
      return listeners_.try_emplace(name, **store, on_postgres(config_)).first->second.begin();
    }
    return Error(Errc::invalid_request, "this release has no module \"" + name + "\"");
  }

  Shell& shell_;
  const Config& config_;
  std::string module_;
  Stores stores_;
  std::map<std::string, moving::Listener> listeners_;
};

/// What the file says at its end; an error names the line.
Result<json> take_all(const Shell& shell, std::istream& in, Taking& taking) {
  std::string line;
  if (!std::getline(in, line)) return Error(Errc::invalid_request, "the file is empty");
  const auto head = json::parse(line, nullptr, false);
  if (!head.is_object() || head.value("loggia_export", 0) != format)
    return Error(Errc::invalid_request, "this is no export of Loggia, or one in a format that this release does not know");
  if (head.value("schemas", json::object()) != schemas_of(shell.modules))
    return Error(Errc::invalid_request, "the export was made by a release with another schema (" + head.value("release", "") +
                                            "): import it with that one, which the newer one migrates then");
  for (std::int64_t number = 2; std::getline(in, line); ++number) {
    Result<bool> done(true);
    if (line.starts_with('[')) {
      done = taking.row(std::move(line));
    } else {
      auto other = json::parse(line, nullptr, false);
      if (other.is_object() && other.contains("end")) {
        done = taking.finish();
        if (done) return std::move(other["end"]);
      } else {
        done = other.is_object() ? taking.head(other) : Result<bool>(Error(Errc::invalid_request, "this is neither a table nor a row"));
      }
    }
    if (!done) return Error(done.error().code, "line " + std::to_string(number) + ": " + done.error().detail);
  }
  return Error(Errc::invalid_request, "the file ends too early: it is not whole");
}

}  // namespace

int export_data(Shell& shell) {
  const auto config = shell.config(false);
  if (!config) return 2;
  const auto alone = hold_directory(config->text("storage.dir"));
  if (!alone) return refused(alone.error());
  const auto& path = shell.arguments.name;
  // For its owner alone: it holds what the databases hold, keys and hashes of passwords too.
  const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (file < 0) return refused("cannot make " + path + ": " + std::strerror(errno) + ". Name a file that is not there yet.");
  ::close(file);
  std::ofstream out(path, std::ios::binary);
  const auto line = [&out](std::string_view text) { out << text << '\n'; };
  json head = json::object();
  head["loggia_export"] = format;
  head["release"] = version();
  head["schemas"] = schemas_of(shell.modules);
  line(head.dump());
  json stores = json::object(), end = json::object();
  const auto done = tell_all(shell, *config, line, "export", Stores(), stores);
  end["end"] = stores;
  line(end.dump());
  out.close();
  if (!done || !out) {
    ::unlink(path.c_str());
    return done ? refused("cannot write " + path + ": is the disk full?") : refused(done.error());
  }
  std::cout << summary(stores);
  return 0;
}

int import_data(Shell& shell) {
  const auto config = shell.config(false);
  if (!config) return 2;
  const auto alone = hold_directory(config->text("storage.dir"));
  if (!alone) return refused(alone.error());
  std::ifstream in(shell.arguments.name, std::ios::binary);
  if (!in) return refused("cannot read " + shell.arguments.name + ": " + std::strerror(errno), 2);
  Taking taking(shell, *config);
  const auto told = take_all(shell, in, taking);
  if (!told) return refused(told.error());
  // Read again from where it is now.
  json stores = json::object();
  const auto nowhere = [](std::string_view) {};
  if (auto read = tell_all(shell, *config, nowhere, "import", taking.stores(), stores); !read) return refused(read.error());
  if (stores != *told) return refused("what is in the storage now is not what the file says. Make the storage empty, and import again.");
  if (auto done = taking.whole(); !done) return refused(done.error());
  std::cout << summary(stores) << "all rows and every room have the sum that they had\n";
  return 0;
}

}  // namespace loggia::cli
