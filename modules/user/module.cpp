#include "loggia/user/module.hpp"
#include "loggia/kernel/log.hpp"
#include "service.hpp"
#include "wire.hpp"

namespace loggia::user {

std::vector<Migration> migrations();

namespace {

constexpr milliseconds look_every{5000};

class UserModule final : public Module {
 public:
  explicit UserModule(Kernel& kernel) : kernel_{kernel}, parts_{std::make_shared<Parts>()} {
    parts_->database = kernel.open("user", migrations());
    parts_->log = kernel.bus->open_log("user", parts_->database, topics());
    parts_->clock = kernel.clock;
    parts_->presence = std::make_shared<Presence>();
    parts_->zones = TimeZones::of_host();
    kernel.ports.offer<Users>(std::make_shared<UsersHere>(parts_));
    kernel.ports.offer<Directory>(std::make_shared<DirectoryHere>(parts_));
    kernel.bus->follow("user-status-updates", [presence = parts_->presence, clock = kernel.clock](const EventPtr& event) {
      if (event->type != realtime::PresenceChanged::type || !event->data) return;
      const auto lease = presence_of(*event->data);
      if (lease) presence->apply(*lease, clock->now());
    });
  }

  Result<bool> start() override {
    tasks_.spawn(kernel_.shards->executor(0), "user.last_seen", keep_last_seen(parts_, kernel_.random));
    return true;
  }

  void stop() override {
    tasks_.cancel();
    tasks_.wait(milliseconds(2000));
  }

 private:
  static boost::asio::awaitable<void> keep_last_seen(std::shared_ptr<Parts> parts, std::shared_ptr<Random> random) {
    for (;;) {
      auto waited = co_await sleep_for(look_every);
      if (!waited) co_return;
      Context context(new_trace(*random));
      auto stored = co_await store_last_seen(parts, std::move(context));
      if (!stored) log::warn("user.last_seen_not_stored", Field("why", stored.error().detail));
    }
  }

  Kernel& kernel_;
  std::shared_ptr<Parts> parts_;
  Tasks tasks_;  // last: it uses the others
};

}  // namespace

ModuleDescriptor module() {
  ModuleDescriptor out;
  out.name = "user";
  out.hears = {"user-status-updates"};
  out.topics = topics();
  out.migrations = migrations();
  out.make = [](Kernel& kernel) -> std::unique_ptr<Module> { return std::make_unique<UserModule>(kernel); };
  out.mount = mount;
  out.connect = connect;
  return out;
}

}  // namespace loggia::user
