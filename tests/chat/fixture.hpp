#pragma once
// The chat module on a kernel of fakes, with a directory of people that a test fills. One thread, no socket, no file.
#include "support/print.hpp"
// After print.hpp, which must come first.
#include <map>
#include "loggia/chat/contract.hpp"
#include "loggia/chat/events.hpp"
#include "loggia/chat/module.hpp"
#include "loggia/kernel/json.hpp"
#include "loggia/user/contract.hpp"
#include "support/fakes.hpp"

namespace loggia::chat::test {

using loggia::test::FakeBus;
using loggia::test::FakeKernel;

class FakeDirectory final : public user::Directory {
 public:
  using user::Directory::on;
  Async<Nothing> on(Context, user::CreateProfile) override { co_return Nothing(); }
  Async<user::People> on(Context, user::GetPeople request) override {
    user::People out;
    for (const auto& id : request.ids)
      if (const auto found = people.find(id); found != people.end()) out.items.push_back(found->second);
    co_return out;
  }
  Async<user::People> on(Context, user::FindPeople request) override {
    user::People out;
    for (const auto& [id, person] : people)
      for (const auto& name : request.usernames)
        if (name == person.username) out.items.push_back(person);
    co_return out;
  }
  Async<user::BlockedWith> on(Context, user::GetBlocked request) override {
    user::BlockedWith out;
    for (const auto& [one, other] : blocks) {
      if (one == request.user) out.ids.push_back(other);
      if (other == request.user) out.ids.push_back(one);
    }
    co_return out;
  }

  std::map<UserId, user::Person> people;
  std::vector<std::pair<UserId, UserId>> blocks;
};

/// The code of what went wrong; none where nothing did.
template <class T> std::string code_of(const Result<T>& result) { return result ? "" : std::string(fault(result.error().code).code); }

struct House {
  FakeKernel fake;
  std::shared_ptr<FakeDirectory> directory = std::make_shared<FakeDirectory>();
  std::unique_ptr<Module> made;
  UserId ada = person("ada"), bob = person("bob"), cid = person("cid"), dan = person("dan");

  House() {
    made = module().make(fake.kernel);
    fake.kernel.ports.offer<user::Directory>(directory);
    made->start().value();
    settle();
    settle();
  }
  ~House() { stop(); }
  void stop() {
    if (!made) return;
    // The task that erases leftovers waits for the store: let it end before the module waits for it.
    settle();
    made->stop();
    made.reset();
  }

  UserId person(const std::string& name) {
    user::Person out;
    out.id = fake.kernel.ids->make<UserId>();
    out.username = name;
    out.display_name = "The " + name;
    return directory->people.emplace(out.id, out).first->first;
  }
  Context as(const UserId& user, std::vector<std::string> roles = {"member"}) const {
    Caller caller;
    caller.subject = Uuid(user);
    if (const auto found = directory->people.find(user); found != directory->people.end()) caller.username = found->second.username;
    caller.roles = std::move(roles);
    return Context().as(std::move(caller));
  }

  /// Asks the module as somebody.
  template <class P, class R> Result<typename R::Reply> ask(const Context& context, R request) {
    fake.clock->advance(milliseconds(1));
    auto port = fake.kernel.ports.get<P>();
    return fake.wait(static_cast<Slot<R>&>(*port).on(context, std::move(request)));
  }
  template <class R> auto rooms(const Context& context, R request) { return ask<Rooms>(context, std::move(request)); }
  template <class R> auto messages(const Context& context, R request) { return ask<Messages>(context, std::move(request)); }
  template <class R> auto reading(const Context& context, R request) { return ask<Reading>(context, std::move(request)); }
  template <class R> auto live(const Context& context, R request) { return ask<Live>(context, std::move(request)); }

  RoomId room(const UserId& owner, std::vector<UserId> members = std::vector<UserId>(), const std::string& visibility = "private",
              const std::string& name = "plans") {
    CreateRoom make;
    make.name = name;
    make.visibility = visibility;
    make.members = std::move(members);
    return rooms(as(owner), make).value().id;
  }
  Result<Outcome<Message>> post(const UserId& author, const RoomId& room, const std::string& text,
                                std::optional<std::string> client_id = std::nullopt, std::optional<std::int64_t> reply_to = std::nullopt) {
    PostMessage post;
    post.room = room;
    post.text = text;
    post.client_id = std::move(client_id);
    post.reply_to = reply_to;
    return messages(as(author), post);
  }
  std::int64_t say(const UserId& author, const RoomId& room, const std::string& text) { return post(author, room, text).value().value.seq; }
  Result<Nothing> put(const UserId& by, const RoomId& room, const UserId& target, std::optional<std::string> role = std::nullopt) {
    return rooms(as(by), PutMember{room, target.text(), std::move(role)});
  }
  Result<Nothing> remove(const UserId& by, const RoomId& room, const std::string& target) { return rooms(as(by), RemoveMember{room, target}); }

  /// The whole time line, whoever may see it.
  std::vector<TimelineFrame> frames(const RoomId& room) {
    std::vector<TimelineFrame> out;
    for (std::int64_t after = 0;;) {
      const auto page = live(Context(), ReadTimeline{room, after, 200}).value();
      for (const auto& item : page.items) {
        out.push_back(decode_text<TimelineFrame>(item.text, Manner::lenient).value());
        // As it is stored: decoding orders the fields anew.
        const auto data = item.text.find("\"data\":") + 7;
        out.back().data.text = item.text.substr(data, item.text.size() - data - 1);
      }
      if (!page.more) return out;
      after = out.back().seq;
    }
  }
  std::vector<std::string> kinds(const RoomId& room) {
    std::vector<std::string> out;
    for (const auto& frame : frames(room)) out.push_back(frame.ev);
    return out;
  }
  Room mine(const UserId& user, const RoomId& room) {
    const auto all = rooms(as(user), ListRooms()).value();
    for (const auto& one : all.items)
      if (one.id == room) return one;
    return Room();
  }
  /// Hands an event of `user-events` to the module's group, as the bus would.
  void hear(const std::string& type, const std::string& data, const UserId& key) {
    auto& subscription = fake.bus->subscriptions.at(0);
    auto apply = fake.wait(subscription.handle(Context(), FakeBus::event("user-events", type, key.text(), data))).value();
    fake.wait(subscription.store->write(Context(), std::move(apply))).value();
  }
  void settle() { (void)live(Context(), GetCursor()); }
};

}  // namespace loggia::chat::test
