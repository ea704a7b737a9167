#include "lifecycle/control.hpp"
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include <boost/asio/buffer.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include "loggia/kernel/json.hpp"
#include "loggia/kernel/json_value.hpp"
#include "loggia/kernel/log.hpp"

namespace loggia {
namespace {

namespace asio = boost::asio;
using Local = asio::local::stream_protocol;
constexpr std::size_t line_max = 64 << 10;
constexpr std::size_t conversations_max = 16;

json error_json(const Error& error) {
  json out = json::object();
  out["error"]["code"] = std::string(fault(error.code).code);
  out["error"]["detail"] = error.detail;
  return out;
}

class Control final : public ControlSocket {
 public:
  Control(Kernel& kernel, std::filesystem::path path) : kernel_{kernel}, path_{std::move(path)}, acceptor_{kernel.shards->executor(0)} {}
  ~Control() override { stop(); }

  Result<bool> listen() {
    if (path_.native().size() >= sizeof(sockaddr_un::sun_path))
      return Error(Errc::invalid_request, "the path of " + path_.string() + " is too long for a socket (107 bytes). Use a shorter data directory.");
    ::unlink(path_.c_str());  // ours: the lock is held
    boost::system::error_code problem;
    acceptor_.open(Local(), problem);
    const auto mask = ::umask(0177);
    if (!problem) acceptor_.bind(Local::endpoint(path_.string()), problem);
    ::umask(mask);
    if (!problem) acceptor_.listen(16, problem);
    if (problem) return Error(Errc::internal, "cannot listen on " + path_.string() + ": " + problem.message());
    tasks_.spawn(kernel_.shards->executor(0), "control", accept_loop());
    return true;
  }

  void stop() override {
    if (std::exchange(stopped_, true)) return;
    tasks_.cancel();
    tasks_.wait(milliseconds(2000));
    ::unlink(path_.c_str());
  }

 private:
  asio::awaitable<void> accept_loop() {
    for (;;) {
      boost::system::error_code problem;
      auto socket = co_await acceptor_.async_accept(asio::redirect_error(asio::use_awaitable, problem));
      if (problem == asio::error::operation_aborted) co_return;
      if (problem || tasks_.size() > conversations_max) {
        auto waited = co_await sleep_for(milliseconds(100));
        if (!waited) co_return;
        continue;
      }
      tasks_.spawn(kernel_.shards->executor(0), "control.conversation", converse(std::move(socket)));
    }
  }

  asio::awaitable<void> converse(Local::socket socket) {
    std::string line;
    boost::system::error_code problem;
    auto buffer = asio::dynamic_buffer(line, line_max);
    co_await asio::async_read_until(socket, buffer, '\n', asio::redirect_error(asio::use_awaitable, problem));
    if (problem) co_return;
    auto answer = co_await answer_to(std::move(line));
    answer += '\n';
    co_await asio::async_write(socket, asio::buffer(answer), asio::redirect_error(asio::use_awaitable, problem));
  }

  asio::awaitable<std::string> answer_to(std::string line) {
    auto parsed = parse_untrusted(line);
    if (!parsed) co_return error_json(parsed.error()).dump();
    std::string name;
    std::vector<std::string> arguments;
    try {
      name = parsed->at("command").get<std::string>();
      arguments = parsed->at("arguments").get<std::vector<std::string>>();
    } catch (const json::exception&) {
      co_return error_json(Error(Errc::malformed, "a request is {\"command\": NAME, \"arguments\": [TEXT, …]}")).dump();
    }
    const auto found = kernel_.commands.find(name);
    if (found == kernel_.commands.end()) {
      auto unknown = error_json(Error(Errc::not_found, "no such command: " + name));
      unknown["unknown"] = true;
      co_return unknown.dump();
    }
    Context context(new_trace(*kernel_.random), kernel_.clock->moment() + std::chrono::seconds(60));
    context = context.from("shell", "loggia " + name);
    auto done = co_await found->second(std::move(context), std::move(arguments));
    if (!done) co_return error_json(done.error()).dump();
    json out = json::object();
    out["ok"] = *done;
    co_return out.dump(-1, ' ', false, json::error_handler_t::replace);
  }

  Kernel& kernel_;
  std::filesystem::path path_;
  Local::acceptor acceptor_;
  bool stopped_ = false;
  Tasks tasks_;
};

}  // namespace

Result<std::unique_ptr<ControlSocket>> serve_control(Kernel& kernel, const std::filesystem::path& path) {
  auto control = std::make_unique<Control>(kernel, path);
  if (auto listening = control->listen(); !listening) return listening.error();
  return std::unique_ptr<ControlSocket>(std::move(control));
}

}  // namespace loggia
