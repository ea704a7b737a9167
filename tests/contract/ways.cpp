#include "contract/ways.hpp"
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>
#include "contract/houses/houses.hpp"
#include "loggia/kernel/rpc.hpp"
#include "support/certificates.hpp"

namespace loggia::contract {
namespace {

class Here final : public Way {
 public:
  explicit Here(const std::string& module) : house_{open_house(module)} {}
  const Ports& ports() const override { return house_->kernel().ports; }
  test::InlineShards& shards() override { return *house_->shards(); }
  void step() override { house_->step(); }

 private:
  std::unique_ptr<House> house_;
};

class Loopback final : public Router, public Transport {
 public:
  void on(RouteInfo info, RouteHandler handler) override {
    const std::string route(info.route);
    if (!handlers_.emplace(route, std::move(handler)).second) throw std::logic_error("twice: " + route);
  }
  Async<Answer> send(Context context, Call call) override {
    const auto& handler = handlers_.at(call.route);
    return handler(std::move(context), std::move(call));
  }
  std::vector<std::string> routes() const {
    std::vector<std::string> out;
    for (const auto& [route, handler] : handlers_) out.push_back(route);
    return out;
  }

 private:
  std::map<std::string, RouteHandler> handlers_;
};

class Serialised final : public Way {
 public:
  explicit Serialised(const std::string& module) : house_{open_house(module)} {
    mount_house(*house_, loopback_);
    house_->module().connect(loopback_, ports_);
  }
  const Ports& ports() const override { return ports_; }
  test::InlineShards& shards() override { return *house_->shards(); }

 private:
  std::unique_ptr<House> house_;
  Loopback loopback_;
  Ports ports_;
};

/// contract_server as a child: its address by the first line, its end by closing its input.
class Server {
 public:
  Server(const std::string& module, const std::string& certificates) {
    int in[2], out[2];
    if (::pipe2(in, O_CLOEXEC) != 0 || ::pipe2(out, O_CLOEXEC) != 0) throw std::runtime_error("no pipe");
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, in[0], STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions, out[1], STDOUT_FILENO);
    std::string program = LOGGIA_CONTRACT_SERVER, first = module, second = certificates;
    char* arguments[] = {program.data(), first.data(), second.data(), nullptr};
    const int failed = ::posix_spawn(&child_, program.c_str(), &actions, nullptr, arguments, environ);
    posix_spawn_file_actions_destroy(&actions);
    ::close(in[0]);
    ::close(out[1]);
    input_ = in[1];
    output_ = out[0];
    if (failed != 0) throw std::runtime_error("cannot run " + program);
    address_ = line();
  }
  Server(const Server&) = delete;
  ~Server() {
    ::close(input_);
    if (!address_.empty()) line();  // its end, or 20 s
    ::close(output_);
    if (::waitpid(child_, nullptr, WNOHANG) != 0) return;
    pollfd never{-1, 0, 0};
    for (int tries = 0; tries < 2000; ++tries) {  // its output ends a moment before it does
      if (::waitpid(child_, nullptr, WNOHANG) != 0) return;
      ::poll(&never, 1, 1);
    }
    ::kill(child_, SIGKILL);
    ::waitpid(child_, nullptr, 0);
  }
  const std::string& address() const { return address_; }

 private:
  /// To the end of the line or of the stream.
  std::string line() {
    std::string out;
    for (char byte = 0;;) {
      pollfd wait{output_, POLLIN, 0};
      if (::poll(&wait, 1, 20000) != 1 || ::read(output_, &byte, 1) != 1 || byte == '\n') return out;
      out += byte;
    }
  }

  pid_t child_ = -1;
  int input_ = -1, output_ = -1;
  std::string address_;
};

/// Who calls is who shows its certificate: a module on its own behalf by its own, all others through the gateway.
class ByCaller final : public Transport {
 public:
  using Transports = std::map<std::string, std::shared_ptr<Transport>>;
  explicit ByCaller(Transports all) : all_{std::move(all)} {}
  Async<Answer> send(Context context, Call call) override {
    const auto& module = context.caller().module;
    return all_.at(module.empty() ? "gateway" : module)->send(context, std::move(call));
  }

 private:
  const Transports all_;
};

class OverMtls final : public Remote {
 public:
  explicit OverMtls(const std::string& module) : module_{module}, server_{module, prepared(certificates_)} {
    ByCaller::Transports all;
    for (const auto& caller : all_modules()) all.emplace(caller.name, transport(caller.name, caller.speaks_for_people));
    by_caller_ = std::make_unique<ByCaller>(std::move(all));
    // The descriptor alone: nothing of the module is made in this process.
    module_of(module).connect(*by_caller_, ports_);
  }
  const Ports& ports() const override { return ports_; }
  test::InlineShards& shards() override { return *shards_; }
  Result<Answer> ask_as(const std::string& caller, const std::string& route) override {
    Call call;
    call.route = route;
    return test::wait(*shards_, transport(caller, true)->send(Context(), std::move(call)));
  }

 private:
  static std::string prepared(test::Certificates& certificates) {
    for (const auto& module : all_modules()) certificates.of(module.name);
    return certificates.path.string();
  }
  std::shared_ptr<Transport> transport(const std::string& caller, bool carries_people) {
    RpcTransportOptions options;
    options.address = server_.address();
    options.module = module_;
    options.carries_people = carries_people;
    if (!caller.empty()) options.tls = MutualTls::load(certificates_.files(caller)).value();
    return kept_.emplace_back(rpc_transport(std::move(options), shards_, clock_).value());
  }

  const std::string module_;
  test::Certificates certificates_;
  Server server_;
  std::shared_ptr<test::FakeClock> clock_ = std::make_shared<test::FakeClock>();
  std::shared_ptr<test::InlineShards> shards_ = std::make_shared<test::InlineShards>(clock_);
  std::vector<std::shared_ptr<Transport>> kept_;
  std::unique_ptr<ByCaller> by_caller_;
  Ports ports_;
};

}  // namespace

std::unique_ptr<Way> here(const std::string& module) { return std::make_unique<Here>(module); }
std::unique_ptr<Way> serialised(const std::string& module) { return std::make_unique<Serialised>(module); }
std::unique_ptr<Remote> remote(const std::string& module) { return std::make_unique<OverMtls>(module); }
std::unique_ptr<Way> over_mtls(const std::string& module) { return remote(module); }

std::vector<std::string> mounted_routes(const std::string& module) {
  const auto house = open_house(module);
  Loopback loopback;
  house->module().mount(loopback, house->kernel());
  return loopback.routes();
}

}  // namespace loggia::contract
