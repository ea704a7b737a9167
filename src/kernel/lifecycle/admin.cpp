#include "lifecycle/admin.hpp"
#include <unistd.h>
#include <fstream>
#include "loggia/kernel/json.hpp"
#include "loggia/kernel/json_value.hpp"

namespace loggia {
namespace {

HttpResponse text(std::string body, std::string type) {
  HttpResponse response;
  response.body = std::move(body);
  response.headers.emplace_back("Content-Type", std::move(type));
  response.headers.emplace_back("X-Content-Type-Options", "nosniff");
  return response;
}

boost::asio::awaitable<HttpResponse> answer(Kernel& kernel, HttpRequest request) {
  if (request.method != "GET" && request.method != "HEAD") {
    auto refused = problem(Error(Errc::method_not_allowed, "only GET and HEAD here"), new_trace(*kernel.random));
    refused.headers.emplace_back("Allow", "GET, HEAD");
    co_return refused;
  }
  if (request.path == "/healthz") co_return text("{\"status\":\"ok\"}", "application/json");
  if (request.path == "/readyz") co_return readiness_response(kernel.readiness());
  if (request.path == "/metrics") co_return text(kernel.metrics->text(), "text/plain; version=0.0.4; charset=utf-8");
  co_return problem(Error(Errc::not_found, "there is /healthz, /readyz and /metrics here"), new_trace(*kernel.random));
}

double resident_bytes() {
  std::ifstream statm("/proc/self/statm");
  double size = 0, resident = 0;
  statm >> size >> resident;
  return resident * static_cast<double>(::sysconf(_SC_PAGESIZE));
}

}  // namespace

HttpResponse readiness_response(const std::vector<Check>& checks) {
  const auto word = [](Check::State state) {
    switch (state) {
      case Check::State::ok:
        return "ok";
      case Check::State::degraded:
        return "degraded";
      case Check::State::down:
        return "down";
    }
    return "down";
  };
  auto worst = Check::State::ok;
  json list = json::array();
  for (const auto& check : checks) {
    worst = std::max(worst, check.state);
    json entry = json::object();
    entry["name"] = check.name;
    entry["status"] = word(check.state);
    if (!check.detail.empty()) entry["detail"] = check.detail;
    list.push_back(std::move(entry));
  }
  json body = json::object();
  body["status"] = word(worst);
  body["checks"] = std::move(list);
  auto response = text(body.dump(), "application/json");
  if (worst == Check::State::down) {
    response.status = 503;
    response.headers.emplace_back("Retry-After", "1");
  }
  return response;
}

std::shared_ptr<HttpServer> admin_server(Kernel& kernel) {
  kernel.metrics->observed("process_resident_memory_bytes", "Resident memory of the process.", Labels(), &resident_bytes);
  const auto build = Labels{{"version", kernel.version}, {"commit", kernel.commit}};
  kernel.metrics->gauge("loggia_build_info", "The build that runs.", build).set(1);
  HttpServerOptions options;
  options.listen = kernel.config.text("admin.listen");
  options.name = "admin";
  options.body_max = 0;
  HttpHandlers handlers;
  handlers.request = [&kernel](HttpRequest request) { return answer(kernel, std::move(request)); };
  return http_server(std::move(options), kernel.shards, kernel.clock, *kernel.metrics, std::move(handlers));
}

}  // namespace loggia
