#include "loggia/notification/module.hpp"
#include "listener.hpp"
#include "loggia/auth/events.hpp"
#include "loggia/chat/events.hpp"
#include "loggia/kernel/log.hpp"
#include "service.hpp"
#include "store.hpp"
#include "wire.hpp"

namespace loggia::notification {

std::vector<Migration> migrations();

namespace {

constexpr std::chrono::hours sweep_every(1);
constexpr std::chrono::hours notifications_kept(24 * 90), decisions_kept(24 * 30);

class NotificationModule final : public Module {
 public:
  explicit NotificationModule(Kernel& kernel) : kernel_{kernel}, parts_{std::make_shared<Parts>(kernel.ports)} {
    parts_->database = kernel.open("notification", migrations());
    parts_->log = kernel.bus->open_log("notification", parts_->database, topics());
    parts_->clock = kernel.clock;
    parts_->ids = kernel.ids;
    load_settings();
    kernel.ports.offer<Notifications>(std::make_shared<NotificationsHere>(parts_));
    subscribe(std::string(chat::TimelineFrame::topic), &on_timeline, {"message.created", "message.deleted", "member.left", "room.deleted"});
    subscribe(std::string(auth::UserDeleted::topic), &on_user, {std::string(auth::UserDeleted::type)});
  }

  Result<bool> start() override {
    tasks_.spawn(kernel_.shards->executor(0), "notification.sweep", sweep(parts_));
    return true;
  }

  Check ready() const override {
    Check check;
    if (!parts_->database->writable()) {
      check.state = Check::State::degraded;
      check.detail = "nobody is notified while the disk is full; it is made up for afterwards";
    }
    return check;
  }

  void stop() override {
    tasks_.cancel();
    if (!tasks_.wait(milliseconds(2000))) log::warn("notification.tasks_left");
  }

 private:
  using Handler = Async<Apply> (*)(std::shared_ptr<Parts>, Context, EventPtr);

  void subscribe(std::string topic, Handler handler, std::vector<std::string> types) {
    Subscription subscription;
    subscription.topic = std::move(topic);
    subscription.group = "notification";
    subscription.store = parts_->database;
    subscription.types = std::move(types);
    subscription.handle = [parts = parts_, handler](const Context& context, EventPtr event) {
      Caller self;
      self.module = "notification";
      return handler(parts, context.as(std::move(self)), std::move(event));
    };
    kernel_.bus->subscribe(std::move(subscription));
  }

  void load_settings() {
    using Rows = std::vector<std::pair<UserId, std::shared_ptr<Chosen>>>;
    auto all = parts_->database->read_now([](Query& query) -> Result<Rows> { return store::all_settings(query); });
    for (auto& [user, chosen] : all.value()) parts_->choices.put(user, std::move(chosen));
  }

  static boost::asio::awaitable<void> sweep(std::shared_ptr<Parts> parts) {
    for (;;) {
      auto waited = co_await sleep_for(sweep_every);
      if (!waited) co_return;
      const auto now = parts->clock->now();
      const Context context;
      auto work = [now](Transaction& transaction) -> Result<bool> {
        store::forget_old(transaction, now - notifications_kept, now - decisions_kept);
        return true;
      };
      auto done = co_await parts->database->write(context, std::move(work));
      if (!done) log::warn("notification.sweep_failed", Field("why", done.error().detail));
    }
  }

  Kernel& kernel_;
  std::shared_ptr<Parts> parts_;
  Tasks tasks_;  // last: it uses the others
};

}  // namespace

ModuleDescriptor module() {
  ModuleDescriptor out;
  out.name = "notification";
  out.needs = {"chat", "user"};
  ConfigKey networks;
  networks.name = "notification.allow_networks";
  networks.kind = ConfigKey::Kind::list;
  networks.help = "networks that webhooks, web push and link previews may reach though not public";
  out.keys.push_back(networks);
  out.topics = topics();
  out.migrations = migrations();
  out.make = [](Kernel& kernel) -> std::unique_ptr<Module> { return std::make_unique<NotificationModule>(kernel); };
  out.mount = mount;
  out.connect = connect;
  return out;
}

}  // namespace loggia::notification
