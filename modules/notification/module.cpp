#include "loggia/notification/module.hpp"
#include "elsewhere.hpp"
#include "listener.hpp"
#include "loggia/auth/events.hpp"
#include "loggia/chat/events.hpp"
#include "loggia/kernel/json.hpp"
#include "loggia/kernel/log.hpp"
#include "mailing.hpp"
#include "service.hpp"
#include "store.hpp"
#include "wire.hpp"

namespace loggia::notification {

std::vector<Migration> migrations();

namespace {

constexpr std::string_view settings_topic = "notifications", settings_changed = "settings.changed";
constexpr milliseconds settings_read_every(30000);
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
    if (parts_->database->shared()) share_settings();
    kernel.ports.offer<Notifications>(std::make_shared<NotificationsHere>(parts_));
    subscribe(std::string(chat::TimelineFrame::topic), &on_timeline, {"message.created", "message.deleted", "member.left", "room.deleted"});
    subscribe(std::string(auth::UserDeleted::topic), &on_user, {std::string(auth::UserDeleted::type)});
    kernel.bus->follow(std::string(realtime::PresenceChanged::topic), [parts = parts_](const EventPtr& event) {
      if (event->type != realtime::PresenceChanged::type || !event->data) return;
      const auto lease = decode_text<realtime::PresenceChanged>(*event->data, Manner::lenient);
      if (lease) parts->presence.apply(*lease, parts->clock->now());
    });
    prepare_mail();
  }

  Result<bool> start() override {
    tasks_.spawn(kernel_.shards->executor(0), "notification.sweep", sweep(parts_));
    if (parts_->tell_others) tasks_.spawn(kernel_.shards->executor(0), "notification.settings", read_settings_often(parts_));
    if (mails_) mails_->start();
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

  void drain() override {
    if (mails_) mails_->drain();
  }
  bool drained() const override { return !mails_ || mails_->drained(); }

  void stop() override {
    if (mails_) mails_->stop();
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

  void prepare_mail() {
    parts_->mail = mail_is_configured(kernel_.config);
    parts_->mail_after = kernel_.config.duration("notification.mail_after");
    parts_->mails_from = kernel_.clock->now() + std::min(parts_->mail_after, Presence::known_after);
    parts_->link_base = [&kernel = kernel_] { return loggia::link_base(kernel); };
    mails_ = mail_runner(kernel_, "notification", std::make_shared<Digests>(parts_), *parts_->database);
    if (mails_) parts_->wake_mail = mails_->waker();
  }

  void load_settings() {
    auto all = parts_->database->read_now([](Query& query) -> Result<store::SettingsOf> { return store::all_settings(query); });
    for (auto& [user, chosen] : all.value()) parts_->choices.put(user, std::move(chosen));
  }

  /// Of several processes on one store each has all settings in memory. Who changes one says so, as a signal; since those may be lost, all
  /// are read again now and then.
  void share_settings() {
    parts_->tell_others = [&bus = *kernel_.bus](const UserId& user) {
      bus.signal("notification", settings_topic, settings_changed, user.text(), "{}", std::string());
    };
    kernel_.bus->follow(std::string(settings_topic), [this](const EventPtr& event) {
      const auto user = UserId::parse(event->key);
      if (event->type != settings_changed || !user) return;
      tasks_.spawn(kernel_.shards->executor(0), "notification.settings", read_settings(parts_, *user));
    });
  }

  static boost::asio::awaitable<void> read_settings(std::shared_ptr<Parts> parts, UserId user) {
    auto done = co_await read_again(parts, Context(), user);
    if (!done) log::warn("notification.settings_not_read", Field("why", done.error().detail));
  }

  static boost::asio::awaitable<void> read_settings_often(std::shared_ptr<Parts> parts) {
    for (;;) {
      auto waited = co_await sleep_for(settings_read_every);
      if (!waited) co_return;
      auto done = co_await read_all_again(parts, Context());
      if (!done) log::warn("notification.settings_not_read", Field("why", done.error().detail));
    }
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
  std::shared_ptr<MailRunner> mails_;  // null: no mail is sent here
  Tasks tasks_;                        // last: it uses the others
};

}  // namespace

ModuleDescriptor module() {
  ModuleDescriptor out;
  out.name = "notification";
  out.hears = {"new-messages", "user-events", "user-status-updates", "notifications"};
  out.needs = {"auth", "chat", "user"};
  ConfigKey networks;
  networks.name = "notification.allow_networks";
  networks.kind = ConfigKey::Kind::list;
  networks.help = "networks that webhooks, web push and link previews may reach though not public";
  out.keys.push_back(networks);
  ConfigKey after;
  after.name = "notification.mail_after";
  after.kind = ConfigKey::Kind::duration;
  after.standard = "5m";
  after.help = "how long a message stays unread before a mail tells of it; between two mails lies six times as much";
  after.min = 100;
  after.max = milliseconds(std::chrono::hours(24)).count();
  out.keys.push_back(after);
  out.topics = topics();
  out.migrations = migrations();
  out.make = [](Kernel& kernel) -> std::unique_ptr<Module> { return std::make_unique<NotificationModule>(kernel); };
  out.mount = mount;
  out.connect = connect;
  return out;
}

}  // namespace loggia::notification
