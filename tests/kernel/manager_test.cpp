#include "lifecycle/manager.hpp"
#include <doctest/doctest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <array>
#include <cstddef>
#include <filesystem>
#include "support/fakes.hpp"

using namespace loggia;
using namespace loggia::test;

namespace {

/// The other end, as systemd has it. A datagram to a socket is there when it is sent, so that nothing is waited for.
class Listener {
 public:
  explicit Listener(const std::string& name) : name_{name} {
    sockaddr_un place{};
    place.sun_family = AF_UNIX;
    name.copy(place.sun_path, sizeof place.sun_path - 1);
    if (name.front() == '@') place.sun_path[0] = '\0';
    file_ = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    REQUIRE(::bind(file_, reinterpret_cast<const sockaddr*>(&place), static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size())) == 0);
  }
  ~Listener() {
    ::close(file_);
    if (name_.front() == '/') std::filesystem::remove(name_);
  }
  /// What came since the last time.
  std::vector<std::string> heard() const {
    std::vector<std::string> out;
    std::array<char, 512> bytes;
    for (;;) {
      const auto size = ::recv(file_, bytes.data(), bytes.size(), 0);
      if (size < 0) return out;
      out.emplace_back(bytes.data(), static_cast<std::size_t>(size));
    }
  }
  const std::string& name() const { return name_; }

 private:
  std::string name_;
  int file_ = -1;
};

std::string unused() { return "loggia-manager-" + std::to_string(::getpid()); }

/// Three, and one of them does nothing from hang() on.
class Hanging final : public Shards {
 public:
  std::size_t size() const override { return others_.size(); }
  Executor executor(std::size_t shard) override { return others_.executor(shard); }
  std::size_t current() const override { return others_.current(); }
  Timer after(std::size_t shard, milliseconds delay, std::function<void()> work) override { return others_.after(shard, delay, std::move(work)); }
  void post(std::size_t shard, std::function<void()> work) override {
    if (shard == hung_) left_.push_back(std::move(work));
    else others_.post(shard, std::move(work));
  }
  void run() { others_.run(); }
  void advance(milliseconds by) { others_.advance(by); }
  void hang(std::size_t shard) { hung_ = shard; }
  void go_on() {
    const auto shard = std::exchange(hung_, nobody);
    for (auto& work : left_) others_.post(shard, std::move(work));
    left_.clear();
    run();
  }

 private:
  static constexpr auto nobody = ~std::size_t{0};
  InlineShards others_{std::make_shared<FakeClock>(), 3};
  std::size_t hung_ = nobody;
  std::vector<std::function<void()>> left_;
};

using Heard = std::vector<std::string>;
const Heard sign{"WATCHDOG=1"}, nothing;

struct Watched {
  explicit Watched(std::string usec = "10000000", std::string pid = std::to_string(::getpid()))
      : manager{std::make_unique<ServiceManager>(ServiceManager::Asked{listener.name(), std::move(usec), std::move(pid)}, shards)} {
    manager->ready("well");
    shards->run();
    CHECK(listener.heard() == Heard{"READY=1\nSTATUS=well"});
  }
  Listener listener{"@" + unused()};
  std::shared_ptr<Hanging> shards = std::make_shared<Hanging>();
  std::unique_ptr<ServiceManager> manager;
};

}  // namespace

TEST_CASE("the service manager hears when the process is ready, reloads and stops") {
  for (const auto& name : {"/tmp/" + unused(), "@" + unused()}) {
    CAPTURE(name);
    const Listener listener(name);
    ServiceManager manager({name, "", ""}, std::make_shared<InlineShards>(std::make_shared<FakeClock>()));
    manager.ready("loggia ready http=x");
    manager.reloading(Moment(std::chrono::milliseconds(1234)));
    manager.ready("again");
    manager.stopping();
    CHECK(listener.heard() ==
          Heard{"READY=1\nSTATUS=loggia ready http=x", "RELOADING=1\nMONOTONIC_USEC=1234000", "READY=1\nSTATUS=again", "STOPPING=1"});
  }
}

TEST_CASE("a sign of life at half of the watchdog's time") {
  Watched process;
  process.shards->advance(milliseconds(4999));
  CHECK(process.listener.heard() == nothing);
  process.shards->advance(milliseconds(1));
  CHECK(process.listener.heard() == sign);
  process.shards->advance(milliseconds(5000));
  CHECK(process.listener.heard() == sign);
}

TEST_CASE("no sign of life while any event loop hangs") {
  for (std::size_t shard : {0u, 1u, 2u}) {
    CAPTURE(shard);
    Watched process;
    process.shards->hang(shard);
    process.shards->advance(milliseconds(60'000));
    CHECK(process.listener.heard() == nothing);
    process.shards->go_on();
    process.shards->advance(milliseconds(5000));
    CHECK(!process.listener.heard().empty());
  }
}

TEST_CASE("ready again after a reload begins no second watchdog") {
  Watched process;
  process.manager->ready("well");
  process.listener.heard();
  process.shards->advance(milliseconds(5000));
  CHECK(process.listener.heard() == sign);
}

TEST_CASE("who asks for no sign of life, or asks another process, gets none") {
  for (const auto& [usec, pid] : {std::pair<std::string, std::string>("", ""), {"10000000", "1"}, {"ten", ""}, {"-5", ""}}) {
    CAPTURE(usec);
    Watched process(usec, pid);
    process.shards->advance(milliseconds(60'000));
    CHECK(process.listener.heard() == nothing);
  }
}

TEST_CASE("a watchdog ends with what it belongs to") {
  Watched process;
  process.manager.reset();
  process.shards->advance(milliseconds(60'000));
  CHECK(process.listener.heard() == nothing);
}

TEST_CASE("where nobody asked or nobody listens, nothing happens") {
  const auto shards = std::make_shared<InlineShards>(std::make_shared<FakeClock>());
  for (const auto& name : {std::string(), std::string("/tmp/loggia-nobody-listens"), std::string("no-path"), "@" + std::string(200, 'x')}) {
    ServiceManager manager({name, "10000000", ""}, shards);
    manager.ready("well");
    manager.stopping();
    shards->advance(milliseconds(20'000));
  }
}
