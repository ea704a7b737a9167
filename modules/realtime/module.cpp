#include "loggia/realtime/module.hpp"
#include <algorithm>
#include "description.hpp"
#include "doors.hpp"
#include "ears.hpp"
#include "loggia/kernel/json.hpp"
#include "loggia/kernel/json_value.hpp"
#include "loggia/kernel/log.hpp"
#include "loggia/realtime/contract.hpp"
#include "loggia/realtime/events.hpp"
#include "node.hpp"

namespace loggia::realtime {
namespace {

template <class T> EventType event_type(std::string_view summary) {
  EventType out;
  out.type = T::type;
  out.summary = summary;
  out.schema = &schema_text<T>;
  return out;
}

std::vector<Topic> topics() {
  Topic presence, signals;
  presence.name = "user-status-updates";
  presence.summary = "Who is here, and what they say of it.";
  presence.logged = false;
  presence.types.push_back(event_type<PresenceChanged>("A lease on a user's presence; a user has the best state of those that are not over."));
  signals.name = "room-signals";
  signals.summary = "What passes in a room and is not kept.";
  signals.logged = false;
  signals.types.push_back(event_type<TypingStarted>("A member types; lasts 5 s."));
  return {presence, signals};
}

std::vector<ConfigKey> keys() {
  using Kind = ConfigKey::Kind;
  const auto key = [](std::string_view name, Kind kind, std::string_view standard, std::string_view help, std::int64_t min) {
    ConfigKey out;
    out.name = name;
    out.kind = kind;
    out.standard = standard;
    out.help = help;
    out.min = min;
    return out;
  };
  return {
      key("realtime.resume_limit", Kind::integer, "1000", "missed events of a room that a resume brings; beyond that room.reset", 0),
      key("realtime.resume_total", Kind::integer, "10000", "missed events that a resume brings in all", 0),
      key("realtime.queue_bytes", Kind::integer, "1048576", "what may wait for a connection; beyond that it is fed from the log", 4096),
      key("realtime.compression", Kind::flag, "false", "negotiate permessage-deflate, without context takeover; costs time for each message", 0),
  };
}

/// Both ends of a gateway's tunnel.
ModuleSockets sockets() {
  ModuleSockets out;
  out.path = "/realtime";
  out.take = [](Kernel& kernel) -> UpgradeHandler {
    return [doors = kernel.ports.get<Doors>()](std::shared_ptr<Upgrade> upgrade, const Context& context) {
      return doors->enter(std::move(upgrade), context.address(), context.trace());
    };
  };
  out.connect = [](std::shared_ptr<Tunnels> tunnels, Ports& ports) { ports.offer<Doors>(std::make_shared<TunnelDoors>(std::move(tunnels))); };
  return out;
}

class RealtimeModule : public Module {
 public:
  explicit RealtimeModule(Kernel& kernel) : kernel_{kernel}, hub_{std::make_shared<Hub>(*kernel.metrics)} {
    hub_->clock = kernel.clock;
    hub_->random = kernel.random;
    hub_->shards = kernel.shards;
    hub_->bus = kernel.bus.get();
    hub_->options.resume_limit = kernel.config.integer("realtime.resume_limit");
    hub_->options.resume_total = kernel.config.integer("realtime.resume_total");
    hub_->options.queue_bytes = static_cast<std::size_t>(kernel.config.integer("realtime.queue_bytes"));
    hub_->options.compression = kernel.config.flag("realtime.compression");
    hub_->options.chat_here = std::find(kernel.here.begin(), kernel.here.end(), "chat") != kernel.here.end();
    hub_->options.server = "loggia " + kernel.version;
    hub_->instance = kernel.ids->make<Uuid>().text();
    hub_->limited = limited(kernel.config);
    hub_->make_nodes();
    listen(hub_, *kernel.bus);
    kernel.ports.offer<Doors>(std::make_shared<SocketDoors>(hub_));
  }

  Result<bool> start() override {
    hub_->live = kernel_.ports.get<chat::Live>();
    hub_->reading = kernel_.ports.get<chat::Reading>();
    hub_->rooms = kernel_.ports.get<chat::Rooms>();
    hub_->directory = kernel_.ports.get<user::Directory>();
    hub_->verifier = kernel_.ports.get<auth::Verifier>();
    revoked_ = watch_revocations(hub_);
    hub_->running = true;
    for (const auto& node : hub_->nodes) node->mail([](Node& here) { here.begin(); });
    return true;
  }

  Check ready() const override {
    Check check;
    if (!hub_->running) check.state = Check::State::down;
    else if (!hub_->verifier->in_contact()) {
      check.state = Check::State::degraded;
      check.detail = "no contact to auth: pushes are held back";
    }
    return check;
  }

  void drain() override {
    hub_->draining = true;
    for (const auto& node : hub_->nodes) node->mail([](Node& here) { here.drain(); });
  }
  bool drained() const override { return hub_->connections_open == 0; }
  void reload(const Config& config) override { hub_->limited = limited(config); }

  void stop() override {
    hub_->draining = true;
    revoked_.reset();
    hub_->tasks.cancel();
    if (!hub_->tasks.wait(milliseconds(5000))) log::warn("realtime.tasks_left");
    if (!hub_->running.exchange(false)) return;
    // The connections end on their shards, before their sockets' owner does.
    Latch ended(hub_->nodes.size());
    for (const auto& node : hub_->nodes)
      node->mail([ended](Node& here) mutable {
        here.end();
        ended.count_down();
      });
    if (!ended.wait(milliseconds(5000))) log::warn("realtime.shards_busy");
  }

 private:
  /// The key is the gateway's: where that is not part of the build, there are limits.
  static bool limited(const Config& config) { return !config.declares("gateway.rate_limit") || config.flag("gateway.rate_limit"); }

  Kernel& kernel_;
  std::shared_ptr<Hub> hub_;
  auth::Verifier::Watch revoked_;
};

}  // namespace

ModuleDescriptor module() {
  ModuleDescriptor out;
  out.name = "realtime";
  out.hears = {"new-messages", "read-receipts", "room-signals", "user-status-updates", "user-events", "notifications"};
  out.needs = {"auth", "chat", "user"};
  out.speaks_for_people = true;
  out.keys = keys();
  out.topics = topics();
  out.protocols = {description()};
  out.make = [](Kernel& kernel) -> std::unique_ptr<Module> { return std::make_unique<RealtimeModule>(kernel); };
  out.sockets = sockets();
  return out;
}

}  // namespace loggia::realtime
