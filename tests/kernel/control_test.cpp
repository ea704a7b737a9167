#include "lifecycle/control.hpp"
#include <doctest/doctest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include <chrono>
#include <filesystem>
#include <vector>
#include "kernel/fixtures.hpp"
#include "lifecycle/joining.hpp"
#include "loggia/kernel/process.hpp"

using namespace loggia;

namespace {

Command says(std::string text) {
  struct Run {
    static Async<std::string> on(std::string text) { co_return text; }
  };
  return [text](const Context&, const std::vector<std::string>&) { return Run::on(text); };
}
Command fails(Errc code, std::string why) {
  struct Run {
    static Async<std::string> on(Errc code, std::string why) { co_return Error(code, std::move(why)); }
  };
  return [code, why](const Context&, const std::vector<std::string>&) { return Run::on(code, why); };
}

/// A process as the shell meets it.
struct Running {
  Running(const std::filesystem::path& path, std::map<std::string, Command> commands) {
    kernel.clock = system_clock();
    kernel.random = system_random();
    kernel.shards = thread_shards(1);
    kernel.commands = std::move(commands);
    control = serve_control(kernel, path).value();
  }
  ~Running() {
    control->stop();
    stop_shards(*kernel.shards);
  }
  Kernel kernel;
  std::unique_ptr<ControlSocket> control;
};

/// A process that is stopped: it takes no connection, and there is place for some that wait, or for none.
struct StoppedProcess {
  explicit StoppedProcess(const std::filesystem::path& path, bool full = false) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.native().copy(address.sun_path, sizeof address.sun_path - 1);
    sockets.push_back(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const auto* to = reinterpret_cast<const sockaddr*>(&address);
    REQUIRE(::bind(sockets[0], to, sizeof address) == 0);
    REQUIRE(::listen(sockets[0], full ? 0 : 16) == 0);
    for (bool waits = full; waits;) {
      sockets.push_back(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
      waits = ::connect(sockets.back(), to, sizeof address) == 0;
    }
  }
  StoppedProcess(const StoppedProcess&) = delete;
  ~StoppedProcess() {
    for (const int one : sockets) ::close(one);
  }
  std::vector<int> sockets;
};

struct ControlPlace {
  ControlPlace() {
    char name[] = "/tmp/loggia-control-XXXXXX";
    path = ::mkdtemp(name);
  }
  ~ControlPlace() { std::filesystem::remove_all(path); }
  std::optional<Result<std::string>> ask(const std::string& command) const { return ask_running_server(path, command, {}); }
  std::filesystem::path path;
};

}  // namespace

TEST_CASE("a command goes to the process that has it") {
  ControlPlace directory;
  Running auth(directory.path / "control.auth.sock", {{"user.add", says("made")}, {"user.list", fails(Errc::not_found, "nobody")}});
  Running user(directory.path / "control.user.sock", {{"topics.list", says("HEAD A\nx user 1\n")}});
  struct stat made{};
  REQUIRE(::stat((directory.path / "control.auth.sock").c_str(), &made) == 0);
  CHECK((made.st_mode & 0777) == 0600);
  CHECK(directory.ask("user.add")->value() == "made");
  CHECK(directory.ask("user.list")->error().detail == "nobody");
}

TEST_CASE("a command of a module that is not there is not answered as if nothing ran") {
  ControlPlace directory;
  CHECK(!directory.ask("user.add"));
  {
    Running chat(directory.path / "control.chat.sock", {});
    const auto refused = directory.ask("user.add");
    REQUIRE(refused);
    CHECK(refused->error().code == Errc::unavailable);
  }
  CHECK(!directory.ask("user.add"));
}

TEST_CASE("what a process that was killed left behind is passed over") {
  ControlPlace directory;
  const auto left = directory.path / "control.auth.sock";
  {
    Running dead(directory.path / "control.sock", {});
    std::filesystem::create_hard_link(directory.path / "control.sock", left);
  }
  REQUIRE(std::filesystem::exists(left));
  CHECK(!directory.ask("user.add"));
  Running user(directory.path / "control.user.sock", {{"topics.list", says("there")}});
  CHECK(directory.ask("topics.list")->value() == "there");
}

TEST_CASE("topics are asked of all, replaying of the one that has the group") {
  ControlPlace directory;
  Running auth(directory.path / "control.auth.sock",
               {{"topics.list", says("TOPIC PRODUCER\nuser-events auth\n")}, {"topics.replay", fails(Errc::not_found, "no such group")}});
  Running chat(directory.path / "control.chat.sock",
               {{"topics.list", says("TOPIC PRODUCER\nnew-messages chat\nuser-events auth\n")}, {"topics.replay", says("7 events")}});
  Running user(directory.path / "control.user.sock", {{"topics.replay", fails(Errc::internal, "is asked once too often")}});
  CHECK(directory.ask("topics.list")->value() == "TOPIC PRODUCER\nuser-events auth\nnew-messages chat\n");
  CHECK(directory.ask("topics.replay")->value() == "7 events");
}

TEST_CASE("answers of several processes become one") {
  using Answers = std::vector<Result<std::string>>;
  const auto joined = [](const std::string& command, std::vector<std::string> arguments, Answers answers) {
    return join_answers(command, arguments, std::move(answers));
  };
  const Error nobody(Errc::not_found, "there is no topic"), wrong(Errc::invalid_request, "takes a number");
  CHECK(joined("topics.tail", {"t"}, {nobody, nobody}).error().detail == "there is no topic");
  CHECK(joined("topics.tail", {"t"}, {nobody, wrong}).error().detail == "takes a number");
  CHECK(joined("topics.tail", {"t"}, {nobody, std::string("x\n")}).value() == "x\n");
  // A head that moves while it is asked for twice is one head.
  CHECK(joined("topics.lag", {}, {std::string("T G P\nt g 0 5\n"), std::string("T G P\nt g 0 6\nt g 1 2\n")}).value() == "T G P\nt g 0 5\nt g 1 2\n");
  const std::string one = R"({"id":"1","time":"a"})", two = R"({"id":"2","time":"b"})", three = R"({"id":"3","time":"c"})";
  const std::string early = one + '\n' + three + '\n', late = two + '\n' + three + '\n';
  CHECK(joined("topics.tail", {"t", "--count", "2"}, {early, late}).value() == late);
  CHECK(joined("topics.tail", {"t", "--count", "2", "--from", "1"}, {early, late}).value() == one + '\n' + late);
}

TEST_CASE("instances are asked of the first process that knows all, and else of the others too") {
  ControlPlace directory;
  const std::string head = "MODULE ADDRESS HEALTH\n";
  Running auth(directory.path / "control.auth.sock", {{"instances", says(head + "user :1 ready\nauth :2 ready\nchat -  not known \n")}});
  Running chat(directory.path / "control.chat.sock",
               {{"instances", says(head + "user :1 ready\nuser :4 ready\nauth - not known \nchat :3 ready\n")}});
  CHECK(directory.ask("instances")->value() == head + "user :1 ready\nuser :4 ready\nauth :2 ready\nchat :3 ready\n");
  Running all(directory.path / "control.a.sock", {{"instances", says(head + "user :1 ready\n")}});
  CHECK(directory.ask("instances")->value() == head + "user :1 ready\n");
  // What all of them know nothing of is said once.
  CHECK(join_answers("instances", {}, {head + "chat - not known \n", head + "chat - not known \n"}).value() == head + "chat - not known \n");
}

TEST_CASE("what a line says of an instance is not taken for its health") {
  const std::string head = "MODULE ADDRESS HEALTH FROM DETAIL\n", about = "user :1  not ready  static  the key is not known here\n";
  CHECK_FALSE(lacks_instances(head + about));
  CHECK(lacks_instances(head + about + "chat -  not known  static  -\n"));
  CHECK(join_answers("instances", {}, {head + about, head + "user :2 ready\n"}).value() == head + about + "user :2 ready\n");
}

TEST_CASE("processes that hang are waited for together, and no longer than the others take") {
  ControlPlace directory;
  const StoppedProcess auth(directory.path / "control.auth.sock", true), chat(directory.path / "control.chat.sock"),
      notification(directory.path / "control.notification.sock");
  Running user(directory.path / "control.user.sock", {{"instances", says("user :1 ready\n")}});
  const auto began = std::chrono::steady_clock::now();
  CHECK(directory.ask("instances")->value() == "user :1 ready\n");
  CHECK(std::chrono::steady_clock::now() - began < std::chrono::seconds(5));  // two, but for a machine that is busy
}
