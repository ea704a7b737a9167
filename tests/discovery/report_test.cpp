// How every instance is, as `loggia instances` says it.
#include "discovery/report.hpp"
#include <doctest/doctest.h>
#include "discovery/world.hpp"
#include "loggia/kernel/json.hpp"
#include "support/print.hpp"

using namespace loggia;
using namespace loggia::discovery;
using test::FakeInstance;

namespace {

using Words = std::vector<std::string>;

/// Instances of a few modules, by address.
struct World {
  std::shared_ptr<test::FakeClock> clock = std::make_shared<test::FakeClock>();
  std::shared_ptr<test::InlineShards> shards = std::make_shared<test::InlineShards>(clock);
  std::shared_ptr<test::FakeDiscovery> discovery = std::make_shared<test::FakeDiscovery>();
  std::map<std::string, std::shared_ptr<FakeInstance>> instances;
  Asking asking;
  Tasks tasks;

  explicit World(Words modules) {
    asking.modules = std::move(modules);
    asking.discovery = discovery;
    asking.kind = "static";
    asking.connect = [this](const std::string&, const std::string& address) -> Result<std::shared_ptr<InstanceTransport>> {
      std::shared_ptr<InstanceTransport> out = instances.at(address);
      return out;
    };
  }
  ~World() { shards->run(); }  // the questions' last turns
  FakeInstance& add(const std::string& module, const std::string& address, const Report& report) {
    auto all = discovery->directory.instances(module);
    all.push_back(address);
    discovery->directory.replace(module, all);
    auto& made = instances[address] = std::make_shared<FakeInstance>();
    made->clock = clock;
    Answer answer;
    answer.body = encode(report);
    made->answer = answer;
    return *made;
  }
  /// Without the first line, and with one space where there are more.
  Words lines() {
    const auto table = test::wait(*shards, ask_instances(asking, clock, tasks)).value();
    Words out;
    for (const char c : table) {
      if (out.empty()) out.emplace_back();
      if (c == '\n') out.emplace_back();
      else if (c != ' ' || !out.back().ends_with(' ')) out.back() += c;
    }
    REQUIRE(out.size() > 1);
    CHECK(out.front() == "MODULE ADDRESS HEALTH FROM IN FLIGHT DETAIL");
    CHECK(out.back().empty());
    return Words(out.begin() + 1, out.end() - 1);
  }
};

Report well(std::int64_t in_flight = 0) {
  Report out;
  out.serving = true;
  out.in_flight = in_flight;
  return out;
}
Report with_down(const std::string& name, const std::string& detail) {
  auto out = well();
  out.down.push_back({name, detail});
  return out;
}

}  // namespace

TEST_CASE("each instance says itself how it is, and who says nothing is not there") {
  World world({"user", "chat", "gateway"});
  world.add("user", "10.0.0.1:7", well(3));
  world.add("user", "10.0.0.2:7", Report());
  world.add("chat", "10.0.0.3:7", well()).does = FakeInstance::Does::refuses;
  world.add("chat", "10.0.0.4:7", with_down("storage.chat", "the disk is full"));
  CHECK(world.lines() == Words{"user 10.0.0.1:7 ready static 3", "user 10.0.0.2:7 not ready static 0 is starting or stopping",
                               "chat 10.0.0.3:7 unreachable static - the module cannot be reached",
                               "chat 10.0.0.4:7 not ready static 0 storage.chat: the disk is full", "gateway - not known static -"});
}

TEST_CASE("what is down in a process of several modules counts for the one that it is named after, or for all") {
  World world({"user", "chat"});
  auto& together = world.add("user", "10.0.0.1:7", with_down("storage.chat", "the disk is full"));
  world.discovery->directory.replace("chat", Words{"10.0.0.1:7"});
  CHECK(world.lines() == Words{"user 10.0.0.1:7 ready static 0", "chat 10.0.0.1:7 not ready static 0 storage.chat: the disk is full"});
  Answer all;
  all.body = encode(with_down("process", "is stopping"));
  together.answer = all;
  CHECK(world.lines() == Words{"user 10.0.0.1:7 not ready static 0 process: is stopping", "chat 10.0.0.1:7 not ready static 0 process: is stopping"});
}

TEST_CASE("an instance that is well and that somebody's calls do not go to is ejected, and who leaves it out is named") {
  World world({"user", "chat", "gateway"});
  auto leaving = well();
  leaving.left_out = {{"user", "10.0.0.1:7"}, {"chat", "10.0.0.9:7"}};
  world.add("user", "10.0.0.1:7", well());
  world.add("user", "10.0.0.2:7", well());
  world.add("chat", "10.0.0.9:7", well()).does = FakeInstance::Does::loses;
  world.add("gateway", "10.0.0.3:7", leaving);
  world.asking.here = {"chat"};
  world.asking.address = "10.0.0.4:7";
  world.asking.own = leaving;
  CHECK(world.lines() == Words{"user 10.0.0.1:7 ejected static 0 left out for a while by chat, gateway", "user 10.0.0.2:7 ready static 0",
                               "chat 10.0.0.9:7 unreachable static - the module gave no answer", "chat 10.0.0.4:7 ready here 0",
                               "gateway 10.0.0.3:7 ready static 0"});
}

TEST_CASE("a process knows of itself without asking, and is one line where discovery knows it too") {
  World world({"user", "chat"});
  world.asking.here = {"user", "chat"};
  world.asking.own = well();
  CHECK(world.lines() == Words{"user - ready here 0", "chat - ready here 0"});
  world.asking.address = "10.0.0.1:7";
  world.discovery->directory.replace("user", Words{"10.0.0.1:7"});
  CHECK(world.lines() == Words{"user 10.0.0.1:7 ready static 0", "chat 10.0.0.1:7 ready here 0"});
}

TEST_CASE("who cannot be asked is said to be registered, not to be away") {
  World world({"user"});
  auto& one = world.add("user", "10.0.0.1:7", well());
  world.asking.kind = "etcd";
  world.asking.silence_tells = false;
  one.does = FakeInstance::Does::refuses;
  CHECK(world.lines() == Words{"user 10.0.0.1:7 registered etcd - it does not answer without a certificate (rpc.tls.*)"});
  world.asking.silence_tells = true;
  CHECK(world.lines() == Words{"user 10.0.0.1:7 unreachable etcd - the module cannot be reached"});
  one.does = FakeInstance::Does::answers;
  one.answer = Error(Errc::forbidden, "this module may not call that");
  CHECK(world.lines() == Words{"user 10.0.0.1:7 registered etcd - this module may not call that"});
  world.asking.connect = [](const std::string&, const std::string&) -> Result<std::shared_ptr<InstanceTransport>> {
    return Error(Errc::unavailable, "no certificate");
  };
  world.asking.kind = "dns";
  CHECK(world.lines() == Words{"user 10.0.0.1:7 not asked dns - no certificate"});
}

TEST_CASE("an answer of another release, and one that is none, say that somebody is there") {
  World world({"user"});
  auto& one = world.add("user", "10.0.0.1:7", well());
  Answer strange;
  strange.body = "[]";
  one.answer = strange;
  CHECK(world.lines() == Words{"user 10.0.0.1:7 not ready static - what it says of itself is not understood: is it of another release?"});
  one.answer = Error(Errc::internal, "this process does not answer that request");
  CHECK(world.lines() == Words{"user 10.0.0.1:7 not ready static - this process does not answer that request"});
}
