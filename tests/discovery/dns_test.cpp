// Names, looked up at a server that says what a test wants.
#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>
#include <algorithm>
#include <atomic>
#include <mutex>
#include <thread>
#include "discovery/waiting.hpp"
#include "loggia/kernel/discovery.hpp"
#include "support/print.hpp"

using namespace loggia;
using test::in_time;
using Addresses = std::vector<std::string>;

namespace {

constexpr int a_record = 1, aaaa_record = 28, srv_record = 33;

std::string two(int number) { return {static_cast<char>(number >> 8), static_cast<char>(number)}; }
std::string in_labels(std::string_view name) {
  std::string out;
  while (!name.empty()) {
    const auto label = name.substr(0, name.find('.'));
    out += static_cast<char>(label.size());
    out += label;
    name.remove_prefix(std::min(label.size() + 1, name.size()));
  }
  return out + '\0';
}
std::string address(const char* text) {
  unsigned char bytes[16];
  const bool six = std::string_view(text).find(':') != std::string_view::npos;
  ::inet_pton(six ? AF_INET6 : AF_INET, text, bytes);
  return {reinterpret_cast<const char*>(bytes), six ? 16u : 4u};
}
std::string service(int priority, int port, const char* target) { return two(priority) + two(1) + two(port) + in_labels(target); }

/// RFC 1035, as far as a test needs it: the records of a name and type, or NXDOMAIN where the name is not known.
class NameServer {
 public:
  NameServer() : socket_{::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)} {
    sockaddr_in place{};
    place.sin_family = AF_INET;
    place.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof place;
    ::bind(socket_, reinterpret_cast<sockaddr*>(&place), size);
    ::getsockname(socket_, reinterpret_cast<sockaddr*>(&place), &size);
    address_ = "127.0.0.1:" + std::to_string(ntohs(place.sin_port));
    thread_ = std::thread([this] { serve(); });
  }
  ~NameServer() {
    stopping_ = true;
    thread_.join();
    ::close(socket_);
  }
  const std::string& address() const { return address_; }
  void set(const std::string& name, int type, std::vector<std::string> records) {
    const std::lock_guard lock(mutex_);
    records_[name][type] = std::move(records);
  }
  void remove(const std::string& name) {
    const std::lock_guard lock(mutex_);
    records_.erase(name);
  }
  /// Says nothing, as one that is away.
  std::atomic<bool> silent{false};

 private:
  void serve() {
    while (!stopping_) {
      pollfd wait{socket_, POLLIN, 0};
      if (::poll(&wait, 1, 20) != 1) continue;
      char bytes[1500];
      sockaddr_in from{};
      socklen_t size = sizeof from;
      const auto got = ::recvfrom(socket_, bytes, sizeof bytes, 0, reinterpret_cast<sockaddr*>(&from), &size);
      if (got < 17 || silent) continue;
      const auto answer = answered(std::string(bytes, static_cast<std::size_t>(got)));
      ::sendto(socket_, answer.data(), answer.size(), 0, reinterpret_cast<sockaddr*>(&from), size);
    }
  }
  std::string answered(const std::string& question) {
    std::string name;
    std::size_t at = 12;
    while (question.at(at) != 0) {
      const auto size = static_cast<std::size_t>(question[at]);
      name += (name.empty() ? "" : ".") + question.substr(at + 1, size);
      at += size + 1;
    }
    const int type = static_cast<unsigned char>(question.at(at + 1)) * 256 + static_cast<unsigned char>(question.at(at + 2));
    const std::lock_guard lock(mutex_);
    const bool known = records_.contains(name);
    const auto records = known ? records_[name][type] : std::vector<std::string>();
    std::string out = question.substr(0, 2) + two(known ? 0x8580 : 0x8583) + two(1) + two(static_cast<int>(records.size())) + two(0) + two(0);
    out += question.substr(12, at + 5 - 12);
    for (const auto& record : records) out += two(0xc00c) + two(type) + two(1) + two(0) + two(1) + two(static_cast<int>(record.size())) + record;
    return out;
  }

  const int socket_;
  std::string address_;
  std::mutex mutex_;
  std::map<std::string, std::map<int, std::vector<std::string>>> records_;
  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

std::shared_ptr<Discovery> looking(const NameServer& server, std::vector<std::string> names) {
  DnsOptions options;
  options.names["chat"] = std::move(names);
  options.look_every = options.look_again = milliseconds(50);
  options.start_limit = milliseconds(10000);
  options.server = server.address();
  auto out = dns_discovery(std::move(options));
  REQUIRE(out->start({}));
  return out;
}
}  // namespace

TEST_CASE("a name with a port: its A and AAAA records, and what they become") {
  NameServer server;
  server.set("chat.test", a_record, {address("10.0.0.2"), address("10.0.0.1")});
  server.set("chat.test", aaaa_record, {address("fd00::1")});
  const auto discovery = looking(server, {"chat.test:7001"});
  CHECK(discovery->instances("chat") == Addresses{"10.0.0.1:7001", "10.0.0.2:7001", "[fd00::1]:7001"});
  CHECK(discovery->trouble().empty());
  std::atomic<int> told{0};
  const auto watch = discovery->on_change([&](const std::string&) { ++told; });
  server.set("chat.test", a_record, {address("10.0.0.3")});
  server.set("chat.test", aaaa_record, {});
  CHECK(in_time([&] { return discovery->instances("chat") == Addresses{"10.0.0.3:7001"}; }));
  CHECK(told >= 1);
}

TEST_CASE("a name without a port: the SRV records of the lowest priority, with their ports") {
  NameServer server;
  server.set("_rpc._tcp.chat.test", srv_record, {service(1, 7001, "a.test"), service(1, 7002, "b.test"), service(2, 7003, "spare.test")});
  server.set("a.test", a_record, {address("10.0.0.1")});
  server.set("b.test", a_record, {address("10.0.0.2")});
  server.set("spare.test", a_record, {address("10.0.0.3")});
  const auto discovery = looking(server, {"_rpc._tcp.chat.test"});
  CHECK(discovery->instances("chat") == Addresses{"10.0.0.1:7001", "10.0.0.2:7002"});
  server.set("_rpc._tcp.chat.test", srv_record, {service(2, 7003, "spare.test")});
  CHECK(in_time([&] { return discovery->instances("chat") == Addresses{"10.0.0.3:7003"}; }));
}

TEST_CASE("figures are no name, and names of this host count too") {
  NameServer server;
  const auto discovery = looking(server, {"127.0.0.1:7001", "localhost:7002"});
  const auto found = discovery->instances("chat");
  CHECK(std::count(found.begin(), found.end(), "127.0.0.1:7001") == 1);
  CHECK(std::any_of(found.begin(), found.end(), [](const auto& one) { return one.ends_with(":7002"); }));
}

TEST_CASE("while a name leads nowhere, what it led to stands, and others are found") {
  NameServer server;
  server.set("a.test", a_record, {address("10.0.0.1")});
  server.set("b.test", a_record, {address("10.0.0.2")});
  const auto discovery = looking(server, {"a.test:1", "b.test:2"});
  REQUIRE(discovery->instances("chat").size() == 2);
  server.remove("a.test");
  server.set("b.test", a_record, {address("10.0.0.3")});
  CHECK(in_time([&] { return discovery->instances("chat") == Addresses{"10.0.0.1:1", "10.0.0.3:2"}; }));
  CHECK(in_time([&] { return !discovery->trouble().empty(); }));
  CHECK(discovery->trouble().find("a.test") != std::string::npos);
  CHECK(discovery->trouble().find("discovery.peers") != std::string::npos);
  server.set("a.test", a_record, {address("10.0.0.1")});
  CHECK(in_time([&] { return discovery->trouble().empty(); }));
}

TEST_CASE("a server that is away empties no list and holds up no stop") {
  NameServer server;
  server.set("_rpc._tcp.chat.test", srv_record, {service(1, 7001, "a.test")});
  server.set("a.test", a_record, {address("10.0.0.1")});
  const auto discovery = looking(server, {"_rpc._tcp.chat.test"});
  REQUIRE(discovery->instances("chat").size() == 1);
  server.silent = true;
  CHECK(in_time([&] { return !discovery->trouble().empty(); }));
  CHECK(discovery->instances("chat") == Addresses{"10.0.0.1:7001"});
  const auto clock = system_clock();
  const auto before = clock->moment();
  discovery->stop();
  CHECK(clock->moment() - before < milliseconds(8000));
}
