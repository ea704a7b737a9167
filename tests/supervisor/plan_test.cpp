#include <doctest/doctest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>
#include <algorithm>
#include <filesystem>
#include <fstream>
#include "lifecycle/supervisor/ports.hpp"
#include "loggia/kernel/process.hpp"
#include "loggia/kernel/supervisor.hpp"

using namespace loggia;
namespace fs = std::filesystem;

namespace {

/// base <- store <- edge, and helper, which needs base and stores nothing.
std::vector<ModuleDescriptor> toy_modules() {
  std::vector<ModuleDescriptor> out(4);
  out[0].name = "base";
  out[1].name = "store";
  out[1].needs = {"base"};
  for (std::size_t at : {0u, 1u}) out[at].migrations.resize(1);
  out[2].name = "helper";
  out[2].needs = {"base"};
  out[3].name = "edge";
  out[3].needs = {"store", "helper"};
  ConfigKey listen;
  listen.name = "http.listen";
  listen.kind = ConfigKey::Kind::address;
  listen.standard = "127.0.0.1:8080";
  out[3].keys.push_back(listen);
  ConfigKey name;
  name.name = "edge.name";
  name.kind = ConfigKey::Kind::text;
  name.alike = true;
  out[3].keys.push_back(name);
  return out;
}

struct SetOfFiles {
  SetOfFiles() {
    char name[] = "/tmp/loggia-set-XXXXXX";
    path = ::mkdtemp(name);
    options.directory = path;
    options.modules = toy_modules();
  }
  ~SetOfFiles() { fs::remove_all(path); }
  SetOfFiles& file(const std::string& name, const std::string& modules, const std::string& more = "") {
    std::ofstream(path / name) << "[process]\nmodules = [" << modules << "]\n" << more << '\n';
    return *this;
  }
  SetOfFiles& one_each() {
    for (const char* name : {"base", "store", "helper", "edge"}) file(std::string(name) + ".toml", '"' + std::string(name) + '"');
    return *this;
  }
  SetOfFiles& flag(const std::string& key, const std::string& value) {
    options.flags.emplace_back(key, value);
    return *this;
  }
  PlannedSet planned() const {
    auto set = plan_set(options);
    if (!set) FAIL(set.error().detail);
    return *set;
  }
  /// Every mistake, a line each.
  std::string refusal() const {
    const auto set = plan_set(options);
    if (set) return "it is planned";
    CHECK(set.error().code == Errc::invalid_request);
    std::string out = set.error().fields.empty() ? set.error().detail : std::string();
    for (const auto& mistake : set.error().fields) out += mistake.pointer + ": " + mistake.detail + '\n';
    return out;
  }
  fs::path path;
  SetOptions options;
};

const PlannedProcess& process_of(const PlannedSet& set, const std::string& name) {
  const auto found = std::find_if(set.processes.begin(), set.processes.end(), [&](const auto& one) { return one.name == name; });
  REQUIRE(found != set.processes.end());
  return *found;
}
/// What a process is told of a key; the last one counts, as with `--set`.
std::string told(const PlannedSet& set, const std::string& name, const std::string& key) {
  const auto& words = process_of(set, name).arguments;
  std::string out;
  for (std::size_t at = 0; at + 1 < words.size(); ++at)
    if (words[at] == "--set" && words[at + 1].starts_with(key + '=')) out = words[at + 1].substr(key.size() + 1);
  return out;
}
bool holds(const std::string& text, const std::string& part) {
  CAPTURE(text);
  return text.find(part) != text.npos;
}

}  // namespace

TEST_CASE("a set of one file is one process, which has nobody to talk to") {
  SetOfFiles files;
  files.file("all.toml", "").flag("http.listen", "127.0.0.1:0").flag("admin.listen", "127.0.0.1:0").flag("storage.dir", "/tmp/x y");
  const auto set = files.planned();
  const auto& all = process_of(set, "all");
  CHECK(all.modules.size() == 4);
  CHECK(all.edge);
  CHECK(std::vector(all.arguments.begin(), all.arguments.begin() + 3) ==
        std::vector<std::string>{"serve", "--config", (files.path / "all.toml").string()});
  CHECK(told(set, "all", "storage.dir") == "/tmp/x y");
  CHECK(told(set, "all", "rpc.listen").empty());
  // Port 0 is chosen once, so that the address outlives a restart.
  for (const char* key : {"http.listen", "admin.listen"}) CHECK(split_address(told(set, "all", key)).port > 0);
}

TEST_CASE("every process has an address, and is told those of all the others") {
  SetOfFiles files;
  files.one_each().file("helper-2.toml", "\"helper\"").flag("http.listen", "127.0.0.1:0");
  const auto set = files.planned();
  REQUIRE(set.processes.size() == 5);
  for (const auto& process : set.processes) {
    CHECK(told(set, process.name, "discovery.peers.base") == told(set, "base", "rpc.listen"));
    CHECK(told(set, process.name, "discovery.peers.helper") == told(set, "helper-2", "rpc.listen") + ',' + told(set, "helper", "rpc.listen"));
    CHECK(told(set, process.name, "http.listen").empty() == (process.name != "edge"));
  }
  std::vector<std::string> all;
  for (const auto& process : set.processes)
    for (const char* key : {"rpc.listen", "admin.listen"}) all.push_back(told(set, process.name, key));
  std::sort(all.begin(), all.end());
  CHECK(std::adjacent_find(all.begin(), all.end()) == all.end());
  CHECK(set.config.list("process.modules") == std::vector<std::string>{"edge"});
}

TEST_CASE("what a file says stays as it is") {
  SetOfFiles files;
  files.one_each();
  files.file("base.toml", "\"base\"", "[rpc]\nlisten = \"0.0.0.0:19101\"\n[admin]\nlisten = \"127.0.0.1:19102\"");
  files.file("helper.toml", "\"helper\"", "[discovery]\npeers.base = \"10.0.0.9:7000\"");
  const auto set = files.planned();
  CHECK(told(set, "base", "rpc.listen") == "0.0.0.0:19101");
  CHECK(told(set, "base", "admin.listen") == "127.0.0.1:19102");
  CHECK(told(set, "edge", "discovery.peers.base") == "127.0.0.1:19101");
  CHECK(told(set, "helper", "discovery.peers.base").empty());
  CHECK(told(set, "edge", "http.listen") == "127.0.0.1:8080");
  CHECK(told(set, "edge", "admin.listen") == "127.0.0.1:8081");
}

TEST_CASE("a fixed admin address is the edge's, from a flag or from a variable") {
  SetOfFiles files;
  files.one_each();
  files.options.environment["LOGGIA_ADMIN_LISTEN"] = "127.0.0.2:19103";
  const auto set = files.planned();
  CHECK(told(set, "edge", "admin.listen") == "127.0.0.2:19103");
  CHECK(told(set, "base", "admin.listen").starts_with("127.0.0.2:"));
  CHECK(told(set, "base", "admin.listen") != "127.0.0.2:19103");
  files.flag("admin.listen", "127.0.0.1:19104");
  CHECK(told(files.planned(), "edge", "admin.listen") == "127.0.0.1:19104");
}

TEST_CASE("who needs others stops before them") {
  SetOfFiles files;
  files.file("back.toml", "\"base\", \"store\"").file("front.toml", "\"edge\"").file("mid.toml", "\"helper\"");
  const auto set = files.planned();
  CHECK(process_of(set, "front").level > process_of(set, "mid").level);
  CHECK(process_of(set, "front").level > process_of(set, "back").level);
  SetOfFiles each;
  const auto four = each.one_each().planned();
  CHECK(process_of(four, "store").level > process_of(four, "base").level);
}

TEST_CASE("certificates are made for those whose file names none") {
  SetOfFiles files;
  files.one_each().file("base.toml", "\"base\"", "[rpc.tls]\ncertificate = \"own.pem\"").flag("storage.dir", "/tmp/set-data");
  std::vector<std::string> made;
  files.options.certificates = [&](const fs::path& data, const PlannedProcess& process) {
    made.push_back(data.string() + ' ' + process.name);
    return Settings{{"rpc.tls.certificate", process.modules.front() + ".pem"}};
  };
  const auto set = files.planned();
  CHECK(made == std::vector<std::string>{"/tmp/set-data edge", "/tmp/set-data helper", "/tmp/set-data store"});
  CHECK(told(set, "store", "rpc.tls.certificate") == "store.pem");
  CHECK(told(set, "base", "rpc.tls.certificate").empty());
}

TEST_CASE("the whole configuration of each process is checked as the process will have it") {
  SetOfFiles files;
  files.one_each();
  files.options.check = [](const Config& config) {
    std::vector<FieldError> wrong;
    CHECK(config.table("discovery.peers").size() == 4);
    if (config.list("process.modules").front() == "store") wrong.push_back({"rpc.listen", "is " + config.text("rpc.listen")});
    return wrong;
  };
  const auto said = files.refusal();
  CHECK(holds(said, (files.path / "store.toml").string() + ": rpc.listen: is 127.0.0.1:"));
  CHECK(!holds(said, "base.toml"));
}

TEST_CASE("what cannot work is refused, and says what to change") {
  SetOfFiles files;
  CHECK(holds(files.refusal(), "there is no *.toml in " + files.path.string()));
  files.one_each();
  SUBCASE("no directory") {
    files.options.directory /= "nowhere";
    CHECK(holds(files.refusal(), "cannot read the directory"));
  }
  SUBCASE("a module in no file") {
    fs::remove(files.path / "store.toml");
    CHECK(holds(files.refusal(), "no file has the module \"store\": add it to process.modules of one"));
    files.options.flags = {{"discovery.peers.store", "10.0.0.9:7000"}};
    CHECK(files.refusal() == "it is planned");
  }
  SUBCASE("an unknown module, and no second complaint about the one that was meant") {
    files.file("store.toml", "\"stor\"");
    const auto said = files.refusal();
    CHECK(holds(said, "store.toml: process.modules: there is no module \"stor\"; did you mean \"store\"?"));
    CHECK(!holds(said, "no file has"));
  }
  SUBCASE("keys that do not exist, each with its file and line") {
    files.file("base.toml", "\"base\"", "[rpc]\nlisen = \"\"").file("edge.toml", "\"edge\"", "[htp]\nlisten = \"\"");
    const auto said = files.refusal();
    CHECK(holds(said, "base.toml:4: there is no key \"rpc.lisen\"; did you mean \"rpc.listen\"?"));
    CHECK(holds(said, "edge.toml:4: there is no key \"htp.listen"));
  }
  SUBCASE("a flag that is wrong is said once") {
    files.flag("log.level", "loud");
    const auto said = files.refusal();
    CHECK(holds(said, "--set log.level: "));
    CHECK(std::count(said.begin(), said.end(), '\n') == 1);
  }
  SUBCASE("two owners of one SQLite file") {
    files.file("store-2.toml", "\"store\"");
    CHECK(holds(files.refusal(), "store-2.toml and store.toml both have the module \"store\", whose SQLite file belongs to one process"));
    files.flag("storage.kind", "postgres");
    CHECK(
        holds(files.refusal(), "store-2.toml and store.toml both have the module \"store\", whose log belongs to one process with the embedded bus"));
    files.flag("bus.transport", "kafka").flag("bus.kafka.brokers", "127.0.0.1:1");
    CHECK(files.refusal() == "it is planned");
  }
  SUBCASE("two public listeners with one address") {
    files.file("edge-2.toml", "\"edge\"");
    CHECK(holds(files.refusal(), "127.0.0.1:8080 is http.listen of edge-2.toml and http.listen of edge.toml: give one of them another port"));
    files.flag("http.listen", "127.0.0.1:0");
    CHECK(files.refusal() == "it is planned");
  }
  SUBCASE("processes that do not go together") {
    files.file("store.toml", "\"store\"", "[bus]\npartitions = 8");
    CHECK(holds(files.refusal(), "bus.partitions is 16 in base.toml and 8 in store.toml: let all processes of the set have the same"));
    files.file("store.toml", "\"store\"", "[edge]\nname = \"here\"");
    CHECK(holds(files.refusal(), "edge.name is empty in base.toml and here in store.toml"));
  }
  SUBCASE("what is of one process alone") {
    files.flag("process.modules", "base").flag("rpc.listen", "127.0.0.1:1");
    const auto said = files.refusal();
    CHECK(holds(said, "--set process.modules: "));
    CHECK(holds(said, "--set rpc.listen: "));
    files.options.flags.clear();
    files.options.environment["LOGGIA_PROCESS_MODULES"] = "base";
    CHECK(holds(files.refusal(), "LOGGIA_PROCESS_MODULES: "));
  }
}

TEST_CASE("a chosen port is kept from others and left to who listens there") {
  const auto ours = free_ports(system_random());
  const auto first = ours->take("127.0.0.1"), six = ours->take("[::1]");
  REQUIRE(first);
  CHECK(split_address(*first).host == "127.0.0.1");
  if (six) CHECK(split_address(*six).host == "[::1]");
  CHECK(!ours->take("192.0.2.1"));  // no address of this host
  const auto listens = [](int port, bool reuse) {
    const int file = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = reuse ? 1 : 0;
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ::setsockopt(file, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    const bool done = ::bind(file, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 && ::listen(file, 1) == 0;
    ::close(file);
    return done;
  };
  const int port = split_address(*first).port;
  CHECK(!listens(port, false));  // as another set would ask for it
  CHECK(listens(port, true));    // as our listeners do
  CHECK(listens(port, true));    // and again, after a restart
}
