// On real ones of etcd: what is found, and what goes on while they are away.
#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cstdlib>
#include <filesystem>
#include <thread>
#include "discovery/etcd/form.hpp"
#include "discovery/etcd/gateway.hpp"
#include "discovery/report.hpp"
#include "discovery/waiting.hpp"
#include "loggia/kernel/module.hpp"
#include "loggia/kernel/process.hpp"
#include "support/print.hpp"

using namespace loggia;
using namespace loggia::discovery;
using Addresses = std::vector<std::string>;
using std::chrono::seconds;
using test::now;
using test::within;

namespace {

bool can_bind(int port) {
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  const bool out = ::bind(socket, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
  ::close(socket);
  return out;
}
int free_base() {
  static const auto random = system_random();
  for (;;) {
    const int base = 20000 + static_cast<int>(random->below(10000));
    bool free = true;
    for (const int port : {base, base + 1, base + 2, base + 100, base + 101, base + 102}) free = free && can_bind(port);
    if (free) return base;
  }
}

/// A cluster of this case alone.
class Etcd {
 public:
  explicit Etcd(int nodes) : nodes_{nodes} {
    char name[] = "/tmp/loggia-etcd-XXXXXX";
    home_ = ::mkdtemp(name);
  }
  ~Etcd() {
    for (int node = 1; node <= nodes_; ++node) run("thaw --node " + std::to_string(node));
    run("stop");
    std::filesystem::remove_all(home_);
  }
  void start() { REQUIRE(run("start")); }
  bool run(const std::string& words) const {
    const auto command = std::string(LOGGIA_ROOT "/tests/infra/etcd-node ") + words + " --nodes " + std::to_string(nodes_) + " --dir " + home_ +
                         " --port " + std::to_string(base_) + " >/dev/null 2>&1";
    return std::system(command.c_str()) == 0;
  }
  void forget() const {
    for (int node = 1; node <= nodes_; ++node) std::filesystem::remove_all(home_ + "/n" + std::to_string(node));
  }
  std::vector<std::string> endpoints() const {
    std::vector<std::string> out;
    for (int node = 0; node < nodes_; ++node) out.push_back("http://127.0.0.1:" + std::to_string(base_ + node));
    return out;
  }
  std::string ask(const std::string& path, const std::string& body) const {
    return etcd::make_gateway()->post(endpoints().back(), path, body, milliseconds(5000)).value();
  }

 private:
  const int nodes_, base_ = free_base();
  std::string home_;
};

Instance instance(std::string module, int port) {
  Instance out;
  out.module = std::move(module);
  out.address = "127.0.0.1:" + std::to_string(port);
  return out;
}
std::shared_ptr<Discovery> process(const std::vector<std::string>& endpoints, std::vector<Instance> own) {
  EtcdOptions options;
  options.endpoints = endpoints;
  auto out = etcd_discovery(std::move(options), system_clock());
  const auto started = out->start(std::move(own));
  REQUIRE_MESSAGE(started, started.error().detail);
  return out;
}

}  // namespace

TEST_SUITE_BEGIN("etcd");

TEST_CASE("who registers is found, also by who came before, and who stops is gone at once") {
  Etcd etcd(1);
  etcd.start();
  const auto gateway = process(etcd.endpoints(), {});
  CHECK(gateway->instances("chat").empty());
  std::atomic<int> told{0};
  const auto watch = gateway->on_change([&](const std::string& module) { told += module == "chat" ? 1 : 0; });
  const auto first = process(etcd.endpoints(), {instance("chat", 7001), instance("user", 7001)});
  CHECK(within(seconds(5), [&] { return gateway->instances("chat") == Addresses{"127.0.0.1:7001"}; }));
  CHECK(within(seconds(5), [&] { return gateway->instances("user").size() == 1; }));
  CHECK(told == 1);
  const auto second = process(etcd.endpoints(), {instance("chat", 7002)});
  CHECK(second->instances("chat").at(0) == "127.0.0.1:7001");  // at its start already
  CHECK(within(seconds(5), [&] { return gateway->instances("chat").size() == 2; }));
  first->stop();
  CHECK(within(seconds(5), [&] { return gateway->instances("chat") == Addresses{"127.0.0.1:7002"}; }));
  CHECK(gateway->trouble().empty());
}

TEST_CASE("a process that hangs is gone within three seconds") {
  Etcd etcd(1);
  etcd.start();
  const auto gateway = process(etcd.endpoints(), {});
  // As its last sign of life leaves it: a lease of 2 s, and nobody who keeps it.
  const auto lease = etcd::lease_of(etcd.ask("/v3/lease/grant", etcd::grant(seconds(2)))).value();
  const auto from = now();
  etcd.ask("/v3/kv/put", etcd::put(EtcdOptions().prefix, instance("chat", 7001), lease.id));
  CHECK(within(seconds(5), [&] { return gateway->instances("chat").size() == 1; }));
  CHECK(within(seconds(5), [&] { return gateway->instances("chat").empty(); }));
  const auto took = std::chrono::duration_cast<milliseconds>(now() - from);
  CHECK(took < milliseconds(3000));
}

TEST_CASE("an instance stays for longer than its lease, and registers again where lease or key are taken away") {
  Etcd etcd(1);
  etcd.start();
  const auto chat = process(etcd.endpoints(), {instance("chat", 7001)});
  REQUIRE(within(seconds(5), [&] { return chat->instances("chat").size() == 1; }));
  CHECK_FALSE(within(seconds(5), [&] { return chat->instances("chat").empty(); }));
  const auto present = [&] { return etcd::listing_of(etcd.ask("/v3/kv/range", etcd::list_all(EtcdOptions().prefix))).value().keys.size() == 1; };
  const std::string key = R"({"key":"L2xvZ2dpYS9pbnN0YW5jZXMvY2hhdC8xMjcuMC4wLjE6NzAwMQ=="})";
  CHECK(present());
  etcd.ask("/v3/kv/deleterange", key);
  CHECK(within(seconds(5), present));
  const auto leases = etcd.ask("/v3/lease/leases", "{}");
  const auto at = leases.find("\"ID\":\"") + 6;
  etcd.ask("/v3/lease/revoke", etcd::about_lease(leases.substr(at, leases.find('"', at) - at)));
  CHECK(within(seconds(5), present));
  CHECK(within(seconds(5), [&] { return chat->instances("chat").size() == 1; }));
}

TEST_CASE("without etcd the last known list is used on, and all is as before when it is back") {
  Etcd etcd(1);
  etcd.start();
  const auto gateway = process(etcd.endpoints(), {});
  const auto chat = process(etcd.endpoints(), {instance("chat", 7001)});
  REQUIRE(within(seconds(5), [&] { return gateway->instances("chat").size() == 1; }));
  std::atomic<bool> lost{false};
  const auto watch = gateway->on_change([&](const std::string&) { lost = lost || gateway->instances("chat").empty(); });
  REQUIRE(etcd.run("kill --node 1"));
  CHECK(within(seconds(3), [&] { return !gateway->trouble().empty() && !chat->trouble().empty(); }));
  CHECK(gateway->trouble().find("discovery.etcd.endpoints") != std::string::npos);
  CHECK_FALSE(within(seconds(4), [&] { return gateway->instances("chat").empty(); }));
  etcd.start();
  CHECK(within(seconds(10), [&] { return gateway->trouble().empty() && chat->trouble().empty(); }));
  CHECK_FALSE(within(seconds(6), [&] { return gateway->instances("chat").empty(); }));
  CHECK_FALSE(lost);
  const auto second = process(etcd.endpoints(), {instance("chat", 7002)});
  CHECK(within(seconds(5), [&] { return gateway->instances("chat").size() == 2; }));
}

TEST_CASE("an etcd that comes back with nothing is filled again, and nobody is lost meanwhile; who did not come back is gone in the end") {
  Etcd etcd(1);
  etcd.start();
  const auto gateway = process(etcd.endpoints(), {});
  const auto chat = process(etcd.endpoints(), {instance("chat", 7001)});
  auto other = process(etcd.endpoints(), {instance("chat", 7002)});
  REQUIRE(within(seconds(5), [&] { return gateway->instances("chat").size() == 2; }));
  std::atomic<bool> lost{false};
  const auto watch = gateway->on_change([&](const std::string&) { lost = lost || gateway->instances("chat").empty(); });
  REQUIRE(etcd.run("kill --node 1"));
  other->stop();  // while nobody can be told
  REQUIRE(within(seconds(3), [&] { return !gateway->trouble().empty(); }));
  REQUIRE(etcd.run("stop"));
  etcd.forget();
  etcd.start();
  CHECK(within(seconds(8), [&] { return gateway->instances("chat") == Addresses{"127.0.0.1:7001"}; }));
  CHECK_FALSE(within(seconds(3), [&] { return gateway->instances("chat") != Addresses{"127.0.0.1:7001"}; }));
  CHECK_FALSE(lost);
}

TEST_CASE("an etcd that is away at the start is no error, and is found when it comes") {
  Etcd etcd(1);
  const auto before = now();
  const auto chat = process(etcd.endpoints(), {instance("chat", 7001)});
  CHECK(now() - before < seconds(3));
  CHECK(chat->instances("chat").empty());
  CHECK_FALSE(chat->trouble().empty());
  etcd.start();
  CHECK(within(seconds(3), [&] { return chat->instances("chat").size() == 1 && chat->trouble().empty(); }));
}

TEST_CASE("of three nodes one that hangs holds up nobody, nor does one that is killed") {
  Etcd etcd(3);
  etcd.start();
  const auto chat = process(etcd.endpoints(), {instance("chat", 7001)});
  auto others = etcd.endpoints();
  others.erase(others.begin());
  const auto observer = process(others, {});  // never asks the first
  REQUIRE(within(seconds(5), [&] { return observer->instances("chat").size() == 1; }));
  std::atomic<int> changes{0};
  const auto watch = observer->on_change([&](const std::string& module) { changes += module == "chat" ? 1 : 0; });
  REQUIRE(etcd.run("freeze --node 1"));
  CHECK_FALSE(within(seconds(5), [&] { return observer->instances("chat").empty(); }));
  const auto user = process(others, {instance("user", 7002)});
  CHECK(within(seconds(3), [&] { return chat->instances("user").size() == 1; }));
  REQUIRE(etcd.run("thaw --node 1"));
  REQUIRE(etcd.run("kill --node 2"));
  CHECK_FALSE(within(seconds(5), [&] { return observer->instances("chat").empty(); }));
  CHECK(within(seconds(3), [&] { return chat->trouble().empty() && observer->trouble().empty(); }));
  CHECK(changes == 0);
}

TEST_CASE("an endpoint that is no etcd is told as that at the start") {
  // An etcd's port for its peers speaks HTTP too.
  Etcd etcd(1);
  etcd.start();
  const auto client = etcd.endpoints().front();
  EtcdOptions options;
  options.endpoints = {client.substr(0, client.rfind(':') + 1) + std::to_string(std::stoi(client.substr(client.rfind(':') + 1)) + 100)};
  const auto started = etcd_discovery(options, system_clock())->start({});
  REQUIRE_FALSE(started);
  CHECK(started.error().detail.find("discovery.etcd.endpoints") != std::string::npos);
}

TEST_CASE("a shell beside no process reads the registry, and asks whom it may") {
  Etcd etcd(1);
  const auto ask = [&etcd] {
    Config::Source source;
    source.keys = process_keys();
    source.flags = {{"discovery.kind", "etcd"}, {"discovery.etcd.endpoints", etcd.endpoints().front()}, {"storage.dir", "/nowhere"}};
    std::vector<ModuleDescriptor> modules(3);
    modules[0].name = "user";
    modules[1].name = "chat";
    modules[2].name = "gateway";
    return registered_instances(Config::load(source).value(), modules);
  };
  const auto nobody = ask();
  REQUIRE(!nobody);
  CHECK(nobody.error().code == Errc::unavailable);
  CHECK(nobody.error().detail.find("nobody listens there. Is it running, and is discovery.etcd.endpoints right?") != std::string::npos);
  etcd.start();
  struct Answering {
    static Async<Answer> well() {
      Answer out;
      out.body = R"({"serving":true,"down":[],"in_flight":2,"left_out":[]})";
      co_return out;
    }
  };
  const auto shards = thread_shards(1);
  const std::shared_ptr<Clock> clock = system_clock();
  const auto listener = rpc_listener(RpcListenerOptions(), shards, clock, std::make_shared<Metrics>());
  RouteInfo info;
  info.route = report_route;
  listener->on(info, [](const Context&, const Call&) { return Answering::well(); });
  REQUIRE(listener->start());
  auto elsewhere = instance("chat", 1);
  elsewhere.address = "192.0.2.1:7001";
  auto here = instance("user", 1);
  here.address = listener->address();
  const auto registered = process(etcd.endpoints(), {here, elsewhere});
  std::string table;
  CHECK(within(seconds(5), [&] { return (table = ask().value()).find("not known") == table.rfind("not known"); }));
  std::string line = table.substr(table.find("user "));
  CHECK(line.substr(0, line.find('\n')).find(here.address) != std::string::npos);
  CHECK(line.substr(0, line.find('\n')).find(" ready        etcd            2") != std::string::npos);
  line = table.substr(table.find("chat "));
  CHECK(line.substr(0, line.find('\n')).find(" registered   etcd            -  how it is would be asked with a certificate") != std::string::npos);
  registered->stop();
  listener->stop();
  stop_shards(*shards);
}

TEST_SUITE_END();
