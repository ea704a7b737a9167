// discovery.*: what may be written there, and what is made of it.
#include <doctest/doctest.h>
#include "discovery/directory.hpp"
#include "loggia/kernel/process.hpp"
#include "support/print.hpp"

using namespace loggia;

namespace {

Config config_of(std::vector<std::pair<std::string, std::string>> flags) {
  Config::Source source;
  source.keys = process_keys();
  source.flags = std::move(flags);
  return Config::load(source).value();
}
std::vector<FieldError> mistakes_of(std::vector<std::pair<std::string, std::string>> flags,
                                    const std::vector<std::string>& elsewhere = std::vector<std::string>()) {
  std::map<std::string, std::vector<std::string>> needed;
  for (const auto& module : elsewhere) needed[module] = {"realtime"};
  return discovery_mistakes(config_of(std::move(flags)), {"auth", "chat", "user"}, needed);
}
using Addresses = std::vector<std::string>;

}  // namespace

TEST_CASE("static peers are the addresses that are written, by commas or as a list") {
  const auto config = config_of({{"discovery.peers.chat", "127.0.0.1:7002, 127.0.0.1:7001,127.0.0.1:7001"}, {"discovery.peers.user", "[::1]:7003"}});
  CHECK(discovery_mistakes(config, {"chat", "user"}, {{"chat", {"auth"}}, {"user", {"auth"}}}).empty());
  const auto discovery = configured_discovery(config, system_clock());
  REQUIRE(discovery->start({}));
  CHECK(discovery->instances("chat") == Addresses{"127.0.0.1:7001", "127.0.0.1:7002"});
  CHECK(discovery->instances("user") == Addresses{"[::1]:7003"});
  CHECK(discovery->instances("auth").empty());
  CHECK(discovery->trouble().empty());
  discovery->stop();
}

TEST_CASE("a module that there is not, and an address that is none, are told with what to write") {
  auto wrong = mistakes_of({{"discovery.peers.chta", "127.0.0.1:1"}});
  REQUIRE(wrong.size() == 1);
  CHECK(wrong[0].pointer == "discovery.peers.chta");
  CHECK(wrong[0].detail == "there is no module \"chta\"; did you mean \"chat\"? The modules are auth, chat, user.");
  for (const char* address : {"127.0.0.1", "127.0.0.1:0", "127.0.0.1:70000", ":7001", "[::1:7001", "chat"}) {
    wrong = mistakes_of({{"discovery.peers.chat", std::string("127.0.0.1:7001,") + address}});
    REQUIRE_MESSAGE(wrong.size() == 1, address);
    CHECK(wrong[0].pointer == "discovery.peers.chat");
    CHECK(wrong[0].detail.find(address) != std::string::npos);
    CHECK(wrong[0].detail.find("ADDRESS:PORT") != std::string::npos);
  }
  wrong = mistakes_of({{"discovery.peers.chat", "chat.internal:7001"}});
  REQUIRE(wrong.size() == 1);
  CHECK(wrong[0].detail.find("discovery.kind = \"dns\"") != std::string::npos);
}

TEST_CASE("with dns the peers are names, with a port or without one") {
  CHECK(mistakes_of({{"discovery.kind", "dns"}, {"discovery.peers.chat", "chat:7001,_rpc._tcp.chat.local,[::1]:7001"}}).empty());
  for (const char* name : {"chat:0", "chat:x", "a b:1", "http://chat:7001"})
    CHECK_MESSAGE(mistakes_of({{"discovery.kind", "dns"}, {"discovery.peers.chat", name}}).size() == 1, name);
}

TEST_CASE("a module that is called elsewhere has peers, except where etcd knows them") {
  auto wrong = mistakes_of({}, {"chat"});
  REQUIRE(wrong.size() == 1);
  CHECK(wrong[0].pointer == "discovery.peers.chat");
  CHECK(wrong[0].detail.find("127.0.0.1:7001") != std::string::npos);
  CHECK(wrong[0].detail.find("needed by realtime") != std::string::npos);
  CHECK(mistakes_of({{"discovery.kind", "dns"}}, {"chat"}).size() == 1);
  CHECK(mistakes_of({{"discovery.peers.chat", "127.0.0.1:7001"}}, {"chat"}).empty());
}

TEST_CASE("etcd has endpoints, which are URLs") {
  CHECK(mistakes_of({{"discovery.kind", "etcd"}, {"discovery.etcd.endpoints", "http://127.0.0.1:2379,https://etcd.internal:2379,http://[::1]:2379"}},
                    {"chat"})
            .empty());
  auto wrong = mistakes_of({{"discovery.kind", "etcd"}});
  REQUIRE(wrong.size() == 1);
  CHECK(wrong[0].detail.find("http://127.0.0.1:2379") != std::string::npos);
  for (const char* endpoint : {"127.0.0.1:2379", "etcd", "http://", "http://u:p@etcd:2379", "http://etcd:2379/v3"})
    CHECK_MESSAGE(mistakes_of({{"discovery.kind", "etcd"}, {"discovery.etcd.endpoints", endpoint}}).size() == 1, endpoint);
  for (const char* prefix : {"loggia/", "/loggia", "/"})
    CHECK_MESSAGE(
        mistakes_of({{"discovery.kind", "etcd"}, {"discovery.etcd.endpoints", "http://127.0.0.1:2379"}, {"discovery.etcd.prefix", prefix}}).size() ==
            1,
        prefix);
}

TEST_CASE("watchers hear of the modules whose list is another, until they drop their handle") {
  discovery::Directory directory;
  std::vector<std::string> heard;
  auto watch = directory.watch([&](const std::string& module) { heard.push_back(module); });
  directory.replace({{"chat", {"b", "a"}}, {"user", {}}});
  CHECK(heard == Addresses{"chat"});
  directory.replace({{"chat", {"a", "b"}}});
  CHECK(heard.size() == 1);
  directory.replace("user", {"c"});
  CHECK(heard == Addresses{"chat", "user"});
  directory.replace(Peers());
  CHECK(heard == Addresses{"chat", "user", "chat", "user"});
  watch.reset();
  directory.replace("chat", {"d"});
  CHECK(heard.size() == 4);
}
