#include "status.hpp"
#include "loggia/auth/contract.hpp"
#include "loggia/kernel/log.hpp"
#include "loggia/kernel/process.hpp"
#include "loggia/kernel/wire.hpp"

namespace loggia::gateway {
namespace {

std::string word_of(Check::State state) {
  switch (state) {
    case Check::State::ok:
      return "ok";
    case Check::State::degraded:
      return "degraded";
    case Check::State::down:
      return "down";
  }
  return "down";
}

class StatusHere final : public Port<GetStatus> {
 public:
  explicit StatusHere(Kernel& kernel) : kernel_{kernel} {
    if (!kernel.clock) return;  // described, not served
    started_at_ = kernel.clock->now();
    started_ = kernel.clock->moment();
  }

  Async<ServerStatus> on(Context context, GetStatus) override {
    const std::string action = "admin.status";
    const std::optional<std::string> nothing;
    const auto administration = kernel_.ports.get<auth::Administration>();
    auto written = co_await administration->ask<auth::RecordAudit>(context, action, nothing, nothing);
    if (!written) log::warn(context, "gateway.audit_failed", Field("why", written.error().detail));
    co_return now();
  }

 private:
  ServerStatus now() const {
    ServerStatus out;
    out.version = kernel_.version;
    out.commit = kernel_.commit;
    out.started_at = started_at_;
    out.uptime = std::chrono::duration_cast<std::chrono::seconds>(kernel_.clock->moment() - started_).count();
    out.modules = kernel_.here;
    auto worst = Check::State::ok;
    for (const auto& check : kernel_.readiness()) {
      worst = std::max(worst, check.state);
      PartStatus part;
      part.name = check.name;
      part.status = word_of(check.state);
      if (!check.detail.empty()) part.detail = check.detail;
      out.checks.push_back(std::move(part));
    }
    out.status = word_of(worst);
    for (auto& [name, version] : library_versions()) out.libraries.emplace(name, version);
    return out;
  }

  Kernel& kernel_;
  Time started_at_{};
  Moment started_{};
};

/// Described with the others; the gateway answers it itself (module.cpp), by a socket or by 426.
void mount_handshake(Router& router) {
  RouteInfo socket;
  socket.route = "GET /realtime";
  socket.access = Access::open;
  socket.status = 101;
  socket.summary = "The realtime protocol loggia.v1 over WebSocket; asyncapi.yaml has its frames.";
  router.on(socket, [](Context, Call) -> Async<Answer> { co_return Error(Errc::malformed, "this address speaks WebSocket"); });
}

}  // namespace

void mount(Router& router, Kernel& kernel) {
  mount_handshake(router);
  auto port = std::make_shared<StatusHere>(kernel);
  router.on(route_info<GetStatus>(), [port](Context context, Call call) { return serve<GetStatus>(*port, std::move(context), std::move(call)); });
}

}  // namespace loggia::gateway
