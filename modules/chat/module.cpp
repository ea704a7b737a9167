#include "loggia/chat/module.hpp"
#include "live_service.hpp"
#include "loggia/auth/events.hpp"
#include "loggia/chat/events.hpp"
#include "loggia/kernel/log.hpp"
#include "message_service.hpp"
#include "names.hpp"
#include "reading_service.hpp"
#include "room_commands.hpp"
#include "room_service.hpp"
#include "wire.hpp"

namespace loggia::chat {

std::vector<Migration> migrations();

namespace {

constexpr milliseconds patience{10000}, names_retry{1000};
constexpr std::int64_t names_at_once = 500;

class ChatModule final : public Module {
 public:
  explicit ChatModule(Kernel& kernel)
      : kernel_{kernel}, store_{kernel.open("chat", migrations())}, chat_{store_, open_log(kernel), kernel.clock, kernel.ids} {
    kernel.ports.offer<Rooms>(std::make_shared<RoomService>(chat_));
    kernel.ports.offer<Messages>(std::make_shared<MessageService>(chat_));
    kernel.ports.offer<Reading>(std::make_shared<ReadingService>(chat_));
    kernel.ports.offer<Audiences>(std::make_shared<AudienceService>(chat_));
    kernel.ports.offer<Live>(std::make_shared<LiveService>(chat_));
    Subscription people;
    people.topic = auth::UserDeleted::topic;
    people.group = "chat";
    people.store = store_;
    people.types.emplace_back(auth::UserDeleted::type);
    people.handle = [this](Context context, EventPtr event) { return forget(std::move(context), std::move(event)); };
    kernel.bus->subscribe(std::move(people));
  }

  Result<bool> start() override {
    chat_.people.connect(kernel_.ports.get<user::Directory>());
    auto some = store_->read_now([](Query& query) -> Result<bool> { return !nameless(query, 1).empty(); });
    if (!some) return some.error();
    chat_.names_known = !*some;
    if (*some) tasks_.spawn(kernel_.shards->executor(0), "chat.names", collect_names());
    tasks_.spawn(kernel_.shards->executor(0), "chat.erase", erase_leftovers());
    return true;
  }
  Check ready() const override {
    Check out;
    if (store_->writable()) return out;
    out.state = Check::State::down;
    out.detail = "the storage takes no writes: make room on the disk";
    return out;
  }
  void stop() override {
    tasks_.cancel();
    tasks_.wait(patience);
    store_->close();
  }

 private:
  std::shared_ptr<Log> open_log(Kernel& kernel) {
    auto log = kernel.bus->open_log("chat", store_, topics());
    log->resolve(TimelineFrame::topic, &frame_at);
    return log;
  }

  Async<Apply> forget(Context context, EventPtr event) {
    const auto gone = decode_text<auth::UserDeleted>(*event->data, Manner::lenient);
    if (!gone) co_return Error(Errc::invalid_request, gone.error().detail);
    const auto traceparent = context.trace().id.empty() ? std::string() : context.trace().parent();
    Apply apply = [this, person = gone->user_id, traceparent](Transaction& transaction) -> Result<bool> {
      forget_person(transaction, chat_.desk(), person, chat_.clock->now(), traceparent);
      return true;
    };
    co_return std::move(apply);
  }

  /// Of members from before chat kept names, once after an upgrade. The user module may not be there yet.
  boost::asio::awaitable<void> collect_names() {
    for (;;) {
      const auto left = co_await collect_some();
      if (left && !*left) break;
      if (left) continue;
      log::warn("chat.names_unknown", Field("detail", left.error().detail));
      const auto slept = co_await sleep_for(names_retry);
      if (!slept) co_return;
    }
    chat_.names_known = true;
  }
  /// True while there are more.
  Async<bool> collect_some() {
    const Context context;
    auto look = [](Query& query) -> Result<std::vector<UserId>> { return nameless(query, names_at_once); };
    auto users = co_await store_->read(context, std::move(look));
    if (!users) co_return users.error();
    if (users->empty()) co_return false;
    auto people = co_await chat_.people.get(context, *users);
    if (!people) co_return people.error();
    auto keep = [users = std::move(*users), people = std::move(*people)](Transaction& transaction) -> Result<bool> {
      for (const auto& [id, person] : people)
        if (!person.deleted) keep_name(transaction, id, person.username);
      no_longer_nameless(transaction, users);
      return true;
    };
    co_return co_await store_->write(context, std::move(keep));
  }

  /// What a deletion had not finished erasing when the process ended.
  boost::asio::awaitable<void> erase_leftovers() {
    const Context context;
    auto work = [](Query& query) -> Result<std::vector<RoomId>> { return rooms_to_erase(query); };
    auto rooms = co_await store_->read(context, std::move(work));
    if (!rooms) co_return;
    for (const auto& room : *rooms) {
      const auto done = co_await erase_rest(&chat_, context, room);
      if (!done) log::warn("chat.erase_failed", Field("room", room), Field("detail", done.error().detail));
    }
  }

  Kernel& kernel_;
  std::shared_ptr<Database> store_;
  Chat chat_;
  Tasks tasks_;
};

}  // namespace

ModuleDescriptor module() {
  ModuleDescriptor out;
  out.name = "chat";
  out.hears = {"user-events"};
  out.needs = {"user"};
  ConfigKey retention{};
  retention.name = "chat.retention";
  retention.kind = ConfigKey::Kind::duration;
  retention.help = "age at which messages are deleted, as a user would; a room may set its own";
  out.keys.push_back(retention);
  out.topics = topics();
  out.migrations = migrations();
  out.make = [](Kernel& kernel) -> std::unique_ptr<Module> { return std::make_unique<ChatModule>(kernel); };
  out.mount = [](Router& router, Kernel& kernel) {
    mount_rooms(router, kernel.ports);
    mount_messages(router, kernel.ports);
    mount_reading(router, kernel.ports);
    mount_live(router, kernel.ports);
  };
  out.connect = [](Transport& transport, Ports& ports) {
    connect_rooms(transport, ports);
    connect_messages(transport, ports);
    connect_reading(transport, ports);
    connect_live(transport, ports);
  };
  return out;
}

}  // namespace loggia::chat
