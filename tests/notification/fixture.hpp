#pragma once
// The module's parts with an in-memory store, and chat and user as a test says they are.
#include <doctest/doctest.h>
#include "listener.hpp"
#include "loggia/auth/contract.hpp"
#include "loggia/chat/events.hpp"
#include "loggia/kernel/json.hpp"
#include "service.hpp"
#include "store.hpp"
#include "support/fakes.hpp"
#include "support/print.hpp"
#include "support/unanswered.hpp"

namespace loggia::notification {

std::vector<Migration> migrations();

namespace testing {

struct FakeAudiences final : chat::Audiences {
  Async<chat::Recipients> on(Context, chat::GetRecipients) override {
    ++asked;
    co_return recipients;
  }
  /// What the list says of one of them, or of who wrote it.
  Async<chat::Attention> on(Context, chat::GetAttention request) override {
    if (!recipients) co_return recipients.error();
    chat::Attention out;
    out.kind = recipients->kind;
    out.author = recipients->author;
    if (clock) out.created_at = clock->now();
    if (out.kind != "direct") out.name = room_name;
    if (request.user == out.author) co_return out;
    for (const auto& one : recipients->items)
      if (one.user_id == request.user) {
        out.read_seq = one.read_seq;
        out.mentioned = one.mentioned;
        co_return out;
      }
    co_return Error(Errc::not_found, "you are not in the room any more");
  }
  Result<chat::Recipients> recipients = Error(Errc::not_found, "no such message");
  std::string room_name = "Events";
  std::shared_ptr<Clock> clock;
  int asked = 0;
};
struct FakeMailboxes final : auth::Mailboxes {
  Async<auth::Mailbox> on(Context, auth::GetMailbox request) override {
    if (meanwhile) std::exchange(meanwhile, nullptr)();
    if (away) co_return Error(Errc::unavailable, "auth is away");
    const auto found = all.find(request.user);
    if (found == all.end()) co_return Error(Errc::not_found, "there is no such account");
    co_return found->second;
  }
  std::map<UserId, auth::Mailbox> all;
  bool away = false;
  std::function<void()> meanwhile;  // happens while it is asked, once
};
struct FakeDirectory final : test::UnansweredPort<user::Directory> {
  using test::UnansweredPort<user::Directory>::on;
  Async<user::BlockedWith> on(Context, user::GetBlocked) override { co_return blocked; }
  Async<user::People> on(Context, user::GetPeople) override { co_return people; }
  Result<user::BlockedWith> blocked = user::BlockedWith();
  user::People people;
};

template <class T> T id(int number) {
  Bytes16 bytes{};
  bytes[6] = 0x70;
  bytes[15] = static_cast<std::uint8_t>(number);
  return T(bytes);
}

/// A room with an author (1) and readers (2, 3).
struct World {
  loggia::test::FakeKernel kernel;
  std::shared_ptr<FakeAudiences> audiences = std::make_shared<FakeAudiences>();
  std::shared_ptr<FakeDirectory> directory = std::make_shared<FakeDirectory>();
  std::shared_ptr<FakeMailboxes> mailboxes = std::make_shared<FakeMailboxes>();
  std::shared_ptr<Parts> parts;
  const UserId author = id<UserId>(1), reader = id<UserId>(2), other = id<UserId>(3);
  const RoomId room = id<RoomId>(9);
  chat::Recipients everybody;  // as at the beginning

  /// `database`: one that another world has too; none: its own.
  explicit World(std::shared_ptr<Database> database = nullptr) {
    kernel.kernel.ports.offer<chat::Audiences>(audiences);
    kernel.kernel.ports.offer<user::Directory>(directory);
    kernel.kernel.ports.offer<auth::Mailboxes>(mailboxes);
    parts = std::make_shared<Parts>(kernel.kernel.ports);
    parts->database = database ? std::move(database) : kernel.kernel.open("notification", migrations());
    parts->log = kernel.bus->open_log("notification", parts->database, {});
    parts->clock = kernel.clock;
    parts->ids = kernel.kernel.ids;
    audiences->clock = kernel.clock;
    chat::Recipients all;
    all.kind = "private";
    all.author = author;
    for (const auto& who : {reader, other}) all.items.emplace_back().user_id = who;
    audiences->recipients = everybody = std::move(all);
  }

  chat::Recipient& recipient(std::size_t at) { return audiences->recipients->items[at]; }

  template <class T> EventPtr event(std::string type, std::int64_t seq, const T& data) {
    chat::TimelineFrame frame;
    frame.ev = type;
    frame.room = room;
    frame.seq = seq;
    frame.at = kernel.clock->now();
    frame.data = RawJson(encode(data));
    return loggia::test::FakeBus::event("new-messages", std::move(type), room.text(), encode(frame), seq);
  }
  chat::Message message(std::int64_t seq, std::vector<UserId> mentions = {}) const {
    chat::Message out;
    out.room = room;
    out.seq = seq;
    out.author = author;
    out.text = "a secret text";
    out.mentions = std::move(mentions);
    out.created_at = kernel.clock->now();
    return out;
  }

  /// As the group does it: handles, and applies in a transaction.
  Result<bool> hear(const EventPtr& heard) {
    auto apply = kernel.wait(on_timeline(parts, Context(), heard));
    if (!apply) return apply.error();
    return applied(*apply);
  }
  Result<bool> applied(const Apply& apply) {
    if (!apply) return true;
    return parts->database->write_now([&](Transaction& transaction) -> Result<bool> { return apply(transaction); });
  }
  void post(std::int64_t seq, std::vector<UserId> mentions = {}) { CHECK(hear(event("message.created", seq, message(seq, std::move(mentions))))); }

  template <class R> Result<typename R::Reply> ask(const UserId& who, R request) {
    NotificationsHere service(parts);
    return kernel.wait(service.on(kernel.as(Uuid(who)), std::move(request)));
  }
  std::vector<Notification> of(const UserId& who) { return ask(who, ListNotifications()).value().items; }
  Result<Settings> choose(const UserId& who, std::string standard, std::map<std::string, std::string> rooms = {},
                          std::optional<QuietHours> quiet = std::nullopt) {
    PutSettings request;
    request.default_ = std::move(standard);
    request.rooms = std::move(rooms);
    request.quiet_hours = std::move(quiet);
    return ask(who, std::move(request));
  }
  Result<Explanation> explain(const UserId& who, std::int64_t seq) {
    Explain request;
    request.room = room;
    request.seq = seq;
    return ask(who, request);
  }
};

}  // namespace testing
}  // namespace loggia::notification
