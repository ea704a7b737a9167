#include "loggia/kernel/config.hpp"
#include <doctest/doctest.h>
#include <algorithm>
#include <fstream>
#include "support/print.hpp"

using namespace loggia;
namespace fs = std::filesystem;
using Kind = ConfigKey::Kind;

namespace {

ConfigKey key(std::string_view name, Kind kind, std::string_view standard, std::string_view values = "", std::int64_t min = 0,
              std::int64_t max = INT64_MAX) {
  ConfigKey out;
  out.name = name;
  out.kind = kind;
  out.standard = standard;
  out.values = values;
  out.min = min;
  out.max = max;
  return out;
}

std::vector<ConfigKey> keys() {
  std::vector<ConfigKey> all{
      key("http.listen", Kind::address, "127.0.0.1:8080"),
      key("http.allowed_origins", Kind::list, ""),
      key("log.level", Kind::text, "info", "debug|info|warn|error"),
      key("log.format", Kind::text, "text", "text|json"),
      key("bus.transport", Kind::text, "embedded", "embedded|kafka"),
      key("bus.partitions", Kind::integer, "16", "", 1, 1024),
      key("bus.kafka.options", Kind::table, ""),
      key("discovery.peers", Kind::table, ""),
      key("auth.oidc", Kind::table, ""),
      key("process.drain", Kind::duration, "8s"),
      key("chat.retention", Kind::duration, ""),
      key("realtime.queue_bytes", Kind::bytes, "1048576"),
      key("lab.enabled", Kind::flag, "false"),
      key("storage.postgres.url", Kind::text, ""),
  };
  all.back().secret = true;
  return all;
}

/// A folder of its own for the files of one test.
class Folder {
 public:
  Folder() {
    std::string name = (fs::temp_directory_path() / "loggia-config-XXXXXX").string();
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    path_ = name;
  }
  ~Folder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  fs::path write(const std::string& name, const std::string& text) const {
    std::ofstream(path_ / name) << text;
    return path_ / name;
  }
  fs::path operator/(const std::string& name) const { return path_ / name; }

 private:
  fs::path path_;
};

Config::Source source() {
  Config::Source out;
  out.keys = keys();
  return out;
}

/// The mistakes as lines `place: detail`, the file named F.
std::vector<std::string> mistakes(const Config::Source& from) {
  const auto loaded = Config::load(from);
  if (loaded) return {};
  std::vector<std::string> out;
  for (const auto& field : loaded.error().fields) {
    auto place = field.pointer;
    if (from.file && place.starts_with(from.file->string())) place.replace(0, from.file->string().size(), "F");
    out.push_back(place + ": " + field.detail);
  }
  return out;
}
std::vector<std::string> mistakes_of_file(const std::string& text) {
  const Folder folder;
  auto from = source();
  from.file = folder.write("loggia.toml", text);
  return mistakes(from);
}
std::string origin_of(const Config& config, const std::string& name) {
  for (const auto& line : config.shown())
    if (line.key == name) return line.origin;
  return "nowhere";
}
std::string value_of(const Config& config, const std::string& name) {
  for (const auto& line : config.shown())
    if (line.key == name) return line.value;
  return "nothing";
}

using Lines = std::vector<std::string>;

}  // namespace

TEST_CASE("what nobody sets has its default") {
  const auto config = Config::load(source()).value();
  CHECK(config.text("http.listen") == "127.0.0.1:8080");
  CHECK(config.integer("bus.partitions") == 16);
  CHECK(config.integer("realtime.queue_bytes") == 1048576);
  CHECK(config.duration("process.drain") == std::chrono::seconds(8));
  CHECK(config.duration("chat.retention") == milliseconds(0));
  CHECK_FALSE(config.flag("lab.enabled"));
  CHECK(config.list("http.allowed_origins").empty());
  CHECK(config.table("discovery.peers").empty());
  CHECK_FALSE(config.set("http.listen"));
  CHECK(config.warnings().empty());
  CHECK(origin_of(config, "log.level") == "default");
}

TEST_CASE("flags win over the environment, the environment over the file, the file over defaults") {
  const Folder folder;
  auto from = source();
  from.file = folder.write("loggia.toml", "[log]\nlevel = \"debug\"\nformat = \"json\"\n[bus]\npartitions = 4\n[process]\ndrain = \"1s\"\n");
  from.environment["LOGGIA_BUS_PARTITIONS"] = "8";
  from.environment["LOGGIA_PROCESS_DRAIN"] = "2s";
  from.flags.emplace_back("process.drain", "3s");
  from.flags.emplace_back("process.drain", "4s");
  const auto config = Config::load(from).value();
  CHECK(config.text("log.level") == "debug");
  CHECK(config.integer("bus.partitions") == 8);
  CHECK(config.duration("process.drain") == std::chrono::seconds(4));
  CHECK(config.text("http.listen") == "127.0.0.1:8080");
  CHECK(origin_of(config, "log.level") == from.file->string() + ":2");
  CHECK(origin_of(config, "bus.partitions") == "LOGGIA_BUS_PARTITIONS");
  CHECK(origin_of(config, "process.drain") == "--set");
  CHECK(config.set("bus.partitions"));
}

TEST_CASE("a file that was named must be there; of the usual ones the first that exists is read") {
  const Folder folder;
  auto from = source();
  from.file = folder / "missing.toml";
  CHECK(mistakes(from).size() == 1);
  from.file.reset();
  from.usual_files = {folder / "missing.toml", folder.write("second.toml", "log.level = \"warn\"\n"),
                      folder.write("third.toml", "log.level = \"error\"\n")};
  CHECK(Config::load(from).value().text("log.level") == "warn");
}

TEST_CASE("a key that does not exist is an error that names the nearest one that does") {
  CHECK(mistakes_of_file("[http]\nlisen = \"127.0.0.1:1\"\n") == Lines{"F:2: there is no key \"http.lisen\"; did you mean \"http.listen\"?"});
  CHECK(mistakes_of_file("[htp]\nlisten = \"127.0.0.1:1\"\n") == Lines{"F:2: there is no key \"htp.listen\"; did you mean \"http.listen\"?"});
  CHECK(mistakes_of_file("lab = true\n") == Lines{"F:1: lab is a section: write [lab] and its keys below it"});
  const auto far = mistakes_of_file("[completely]\ndifferent = 1\n");
  REQUIRE(far.size() == 1);
  CHECK(far[0].find("the nearest is") != std::string::npos);
  auto from = source();
  from.flags.emplace_back("log.levle", "debug");
  CHECK(mistakes(from) == Lines{"--set log.levle: there is no key \"log.levle\"; did you mean \"log.level\"?"});
}

TEST_CASE("a variable that is not known is a warning, since orchestrators set such names") {
  auto from = source();
  from.environment["LOGGIA_LOG_LEVLE"] = "debug";
  from.environment["LOGGIA_PORT"] = "tcp://10.0.0.1:80";
  const auto config = Config::load(from).value();
  REQUIRE(config.warnings().size() == 2);
  CHECK(config.warnings()[0] == "the variable LOGGIA_LOG_LEVLE is not known; did you mean LOGGIA_LOG_LEVEL?");
  CHECK(config.warnings()[1].starts_with("the variable LOGGIA_PORT is not known"));
}

TEST_CASE("a variable with _FILE names a file that holds the value") {
  const Folder folder;
  auto from = source();
  from.environment["LOGGIA_STORAGE_POSTGRES_URL_FILE"] = folder.write("url", "postgresql://u:p@h/d\n").string();
  const auto config = Config::load(from).value();
  CHECK(config.text("storage.postgres.url") == "postgresql://u:p@h/d");
  from.environment["LOGGIA_STORAGE_POSTGRES_URL"] = "postgresql://other";
  CHECK(mistakes(from) == Lines{"LOGGIA_STORAGE_POSTGRES_URL_FILE: is set, and LOGGIA_STORAGE_POSTGRES_URL too; remove one of them"});
  from.environment.erase("LOGGIA_STORAGE_POSTGRES_URL");
  from.environment["LOGGIA_STORAGE_POSTGRES_URL_FILE"] = (folder / "missing").string();
  const auto wrong = mistakes(from);
  REQUIRE(wrong.size() == 1);
  CHECK(wrong[0].starts_with("LOGGIA_STORAGE_POSTGRES_URL_FILE: the file "));
}

TEST_CASE("tables take free names, and a value may be in a file") {
  const Folder folder;
  const auto secret = folder.write("secret", "s3cret\n").string();
  auto from = source();
  from.file = folder.write("loggia.toml",
                           "[discovery.peers]\nchat = \"127.0.0.1:9001\"\nuser = [\"127.0.0.1:1\", \"127.0.0.1:2\"]\n[auth.oidc]\ncorp = {issuer = "
                           "\"https://id\", client_secret = {file = \"" +
                               secret + "\"}}\n[bus.kafka.options]\n\"security.protocol\" = \"ssl\"\n");
  from.environment["LOGGIA_DISCOVERY_PEERS_AUTH"] = "127.0.0.1:9003";
  from.flags.emplace_back("discovery.peers.chat", "127.0.0.1:9002");
  from.flags.emplace_back("bus.kafka.options.ssl.ca.location", "ca.pem");
  const auto config = Config::load(from).value();
  const std::map<std::string, std::string> peers{{"auth", "127.0.0.1:9003"}, {"chat", "127.0.0.1:9002"}, {"user", "127.0.0.1:1,127.0.0.1:2"}};
  CHECK(config.table("discovery.peers") == peers);
  CHECK(config.table("auth.oidc").at("corp.client_secret") == "s3cret");
  CHECK(config.table("bus.kafka.options").at("security.protocol") == "ssl");
  CHECK(config.table("bus.kafka.options").at("ssl.ca.location") == "ca.pem");
  CHECK(value_of(config, "auth.oidc.corp.client_secret") == "********");
  CHECK(value_of(config, "auth.oidc.corp.issuer") == "https://id");
  CHECK(origin_of(config, "discovery.peers.auth") == "LOGGIA_DISCOVERY_PEERS_AUTH");
  // A variable wins over a name of the file that has dots and underscores of its own, and may hold a whole table.
  from.environment["LOGGIA_AUTH_OIDC_CORP_CLIENT_SECRET"] = "other";
  from.environment["LOGGIA_BUS_KAFKA_OPTIONS"] = "{linger = 5}";
  CHECK(Config::load(from).value().table("auth.oidc").at("corp.client_secret") == "other");
  CHECK(Config::load(from).value().table("bus.kafka.options").at("linger") == "5");
}

TEST_CASE("secrets are masked when the configuration is shown") {
  auto from = source();
  CHECK(value_of(Config::load(from).value(), "storage.postgres.url").empty());
  from.environment["LOGGIA_STORAGE_POSTGRES_URL"] = "postgresql://user:hunter2@host/db";
  const auto config = Config::load(from).value();
  CHECK(value_of(config, "storage.postgres.url") == "********");
  for (const auto& line : config.shown()) CHECK(line.value.find("hunter2") == std::string::npos);
}

TEST_CASE("every mistake is told at once, each with its place") {
  const auto wrong = mistakes_of_file(
      "[http]\n"
      "listen = \"nowhere\"\n"
      "allowed_origins = [{a = 1}]\n"
      "[log]\n"
      "level = \"inf\"\n"
      "[bus]\n"
      "partitions = 0\n"
      "[process]\n"
      "drain = 8\n"
      "[lab]\n"
      "enabled = \"yes\"\n"
      "[realtime]\n"
      "queue_bytes = \"1MB\"\n"
      "[discovery]\n"
      "peers = 3\n");
  const std::vector<std::string> expected{
      "F:2: http.listen is ADDR:PORT, such as 127.0.0.1:8080 or [::1]:8080",
      "F:3: http.allowed_origins is a list of texts",
      "F:5: log.level is one of debug, info, warn, error; did you mean \"info\"?",
      "F:7: bus.partitions is a whole number from 1 to 1024",
      "F:9: process.drain is a duration such as 250ms, 10s, 5m, 24h or 7d",
      "F:11: lab.enabled is true or false",
      "F:13: realtime.queue_bytes is a number of bytes",
      "F:15: discovery.peers is a table",
  };
  for (const auto& line : expected) {
    CAPTURE(line);
    CHECK(std::count(wrong.begin(), wrong.end(), line) == 1);
  }
  CHECK(wrong.size() == expected.size());
}

TEST_CASE("a mistake in a place that another one overrides is still told") {
  const Folder folder;
  auto from = source();
  from.file = folder.write("loggia.toml", "[bus]\npartitions = 5000\n");
  from.flags.emplace_back("bus.partitions", "8");
  CHECK(mistakes(from).size() == 1);
}

TEST_CASE("a file that is no TOML is told with its line") {
  const auto wrong = mistakes_of_file("[http]\nlisten = \n");
  REQUIRE(wrong.size() == 1);
  CHECK(wrong[0].starts_with("F:2: is no TOML: "));
}

TEST_CASE("values are checked wherever they come from") {
  struct Case {
    const char *name, *value;
    bool good;
  };
  const Case cases[] = {
      {"http.listen", "0.0.0.0:0", true},
      {"http.listen", "[::1]:8080", true},
      {"http.listen", "::1:8080", false},
      {"http.listen", "127.0.0.1", false},
      {"http.listen", "127.0.0.1:65536", false},
      {"http.listen", ":8080", false},
      {"http.listen", "", false},
      {"bus.partitions", "1024", true},
      {"bus.partitions", "16x", false},
      {"bus.partitions", "", false},
      {"lab.enabled", "true", true},
      {"lab.enabled", "1", false},
      {"log.format", "xml", false},
      {"process.drain", "0s", true},
      {"process.drain", "1h30m", false},
      {"chat.retention", "off", true},
      {"chat.retention", "30d", true},
      {"http.allowed_origins", "https://a, https://b", true},
      {"storage.postgres.url", "", true},
  };
  for (const auto& one : cases) {
    CAPTURE(one.name);
    CAPTURE(one.value);
    auto from = source();
    from.flags.emplace_back(one.name, one.value);
    CHECK(Config::load(from).has_value() == one.good);
    from.flags.clear();
    from.environment[variable_of(one.name)] = one.value;
    CHECK(Config::load(from).has_value() == one.good);
  }
  auto from = source();
  from.flags.emplace_back("http.allowed_origins", "https://a, https://b");
  CHECK(Config::load(from).value().list("http.allowed_origins") == Lines{"https://a", "https://b"});
}

TEST_CASE("durations have one unit and stay in bounds") {
  const std::pair<const char*, std::int64_t> good[] = {{"250ms", 250},    {"10s", 10000},    {"5m", 300000},
                                                       {"24h", 86400000}, {"7d", 604800000}, {"0ms", 0}};
  for (const auto& [text, count] : good) CHECK(parse_duration(text).value() == milliseconds(count));
  for (const char* text : {"", "10", "s", "-1s", "1.5s", "10 s", "10S", "1w", "9223372036854775807d", "99999999999999999999s"})
    CHECK_FALSE(parse_duration(text));
}

TEST_CASE("the variable of a key is its name in capitals") {
  CHECK(variable_of("a.b.c") == "LOGGIA_A_B_C");
  CHECK(variable_of("auth.access_token_lifetime") == "LOGGIA_AUTH_ACCESS_TOKEN_LIFETIME");
}

TEST_CASE("the nearest word is named only where it can be meant") {
  const std::vector<std::string> words{"open", "invite", "closed"};
  CHECK(nearest("opne", words) == "open");
  CHECK(nearest("close", words) == "closed");
  CHECK_FALSE(nearest("registration", words));
  CHECK_FALSE(nearest("open", std::vector<std::string>()));
}

TEST_CASE("mistakes of the program are thrown: unknown keys, wrong kinds, clashing names") {
  const auto config = Config::load(source()).value();
  CHECK_THROWS_AS(config.text("no.such"), std::logic_error);
  CHECK_THROWS_AS(config.integer("log.level"), std::logic_error);
  for (const char* name : {"log.level", "log_level", "x.y_file", "x.port", "x.service_host"}) {
    auto from = source();
    from.keys.push_back(key(name, Kind::text, ""));
    CHECK_THROWS_AS(static_cast<void>(Config::load(from)), std::logic_error);
  }
  auto from = source();
  from.keys.push_back(key("x.level", Kind::text, "none", "some|all"));
  CHECK_THROWS_AS(static_cast<void>(Config::load(from)), std::logic_error);
}
