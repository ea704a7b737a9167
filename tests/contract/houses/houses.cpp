#include "contract/houses/houses.hpp"
#include "contract/houses/library.hpp"
#include "loggia/auth/contract.hpp"
#include "loggia/auth/module.hpp"
#include "loggia/chat/contract.hpp"
#include "loggia/chat/events.hpp"
#include "loggia/chat/module.hpp"
#include "loggia/gateway/module.hpp"
#include "loggia/kernel/json.hpp"
#include "loggia/notification/module.hpp"
#include "loggia/realtime/module.hpp"
#include "loggia/user/contract.hpp"
#include "loggia/user/module.hpp"
#include "support/unanswered.hpp"

namespace loggia::contract {
namespace {

template <class T> T fixed_id(std::uint8_t kind, int number) {
  Bytes16 bytes{};
  bytes[6] = 0x70;
  bytes[8] = 0x80;
  bytes[14] = kind;
  bytes[15] = static_cast<std::uint8_t>(number);
  return T(bytes);
}

/// Knows Ada, Bob, Cid and Dan. Takes every new profile but the one of somebody who wants to be called "nobody".
class People final : public user::Directory {
 public:
  Async<Nothing> on(Context, user::CreateProfile request) override {
    if (request.display_name == "nobody") co_return wrong_field("/display_name", "is a name");
    co_return Nothing();
  }
  Async<user::People> on(Context, user::GetPeople request) override {
    user::People out;
    for (const auto& id : request.ids)
      for (int number = 1; number <= 4; ++number)
        if (id == person(number)) out.items.push_back(described(number));
    co_return out;
  }
  Async<user::People> on(Context, user::FindPeople request) override {
    user::People out;
    for (const auto& name : request.usernames)
      for (int number = 1; number <= 4; ++number)
        if (name == name_of(number)) out.items.push_back(described(number));
    co_return out;
  }
  /// Dan and Ada have a block.
  Async<user::BlockedWith> on(Context, user::GetBlocked request) override {
    user::BlockedWith out;
    if (request.user == person(1)) out.ids.push_back(person(4));
    if (request.user == person(4)) out.ids.push_back(person(1));
    co_return out;
  }

 private:
  static user::Person described(int number) {
    user::Person out;
    out.id = person(number);
    out.username = name_of(number);
    out.display_name = "The " + out.username;
    out.time_zone = "UTC";
    return out;
  }
};

chat::Message note(std::int64_t seq) {
  chat::Message out;
  out.room = noted_room();
  out.seq = seq;
  out.author = person(1);
  out.text = "a text";
  out.created_at = *parse_rfc3339("2026-01-31T12:00:00.000Z");
  if (seq == 1) out.mentions.push_back(person(2));
  return out;
}

class NotedAudiences final : public chat::Audiences {
 public:
  Async<chat::Recipients> on(Context, chat::GetRecipients request) override {
    chat::Recipients out;
    out.kind = "private";
    out.author = person(1);
    for (int number = 2; number <= 3; ++number) {
      auto& one = out.items.emplace_back();
      one.user_id = person(number);
      one.mentioned = number == 2 && request.seq == 1;
    }
    co_return out;
  }
  Async<chat::Attention> on(Context, chat::GetAttention request) override {
    const bool there = request.room == noted_room() && (request.seq == 1 || request.seq == 2);
    if (!there || request.user == person(4)) co_return Error(Errc::not_found, "there is no such room for you");
    chat::Attention out;
    out.kind = "private";
    out.author = person(1);
    out.created_at = *parse_rfc3339("2026-01-31T12:00:00.000Z");
    out.mentioned = request.seq == 1 && request.user == person(2);
    co_return out;
  }
};

class FakeHouse final : public House {
 public:
  explicit FakeHouse(ModuleDescriptor module) : module_{std::move(module)}, fake_{module_.keys} {
    auto& ports = fake_.kernel.ports;
    if (module_.name != "user") ports.offer<user::Directory>(std::make_shared<People>());
    if (module_.name == "notification") {
      ports.offer<chat::Audiences>(std::make_shared<NotedAudiences>());
    }
    made_ = module_.make(fake_.kernel);
    made_->start().value();
    if (module_.name == "notification") {
      tell(1);
      tell(2);
    }
  }
  ~FakeHouse() override {
    // What a module waits for at its end is done by the loop, which goes on meanwhile.
    test::blocking(*fake_.shards, [this] { made_->stop(); });
    fake_.shards->run();
    made_.reset();
  }

  Kernel& kernel() override { return fake_.kernel; }
  std::shared_ptr<test::InlineShards> shards() override { return fake_.shards; }
  const ModuleDescriptor& module() const override { return module_; }
  void step() override { fake_.clock->advance(milliseconds(1)); }

 private:
  /// The group hears of a message, as the bus would tell it.
  void tell(std::int64_t seq) {
    step();
    chat::TimelineFrame frame;
    frame.ev = "message.created";
    frame.room = noted_room();
    frame.seq = seq;
    frame.at = fake_.clock->now();
    frame.data = RawJson(encode(note(seq)));
    auto& group = fake_.bus->subscriptions.at(0);
    auto apply = fake_.wait(group.handle(Context(), test::FakeBus::event("new-messages", frame.ev, frame.room.text(), encode(frame), seq))).value();
    if (apply) fake_.wait(group.store->write(Context(), std::move(apply))).value();
  }

  const ModuleDescriptor module_;
  test::FakeKernel fake_;
  std::unique_ptr<Module> made_;
};

class Stepping final : public Router {
 public:
  Stepping(House& house, Router& router) : house_{house}, router_{router} {}
  void on(RouteInfo info, RouteHandler handler) override {
    router_.on(std::move(info), [&house = house_, handler = std::move(handler)](Context context, Call call) {
      house.step();
      return handler(std::move(context), std::move(call));
    });
  }

 private:
  House& house_;
  Router& router_;
};

const std::vector<ModuleDescriptor>& with_ports() {
  static const std::vector<ModuleDescriptor> all{auth::module(), user::module(), chat::module(), notification::module(), library::module()};
  return all;
}

}  // namespace

UserId person(int number) { return fixed_id<UserId>(1, number); }
std::string name_of(int number) {
  static const std::vector<std::string> names{"nobody", "ada", "bob", "cid", "dan"};
  return names.at(static_cast<std::size_t>(number));
}
RoomId noted_room() { return fixed_id<RoomId>(2, 1); }

std::vector<std::string> house_names() {
  std::vector<std::string> out;
  for (const auto& module : with_ports()) out.push_back(module.name);
  return out;
}
std::vector<ModuleDescriptor> modules_without_ports() { return std::vector<ModuleDescriptor>(1, realtime::module()); }

std::vector<ModuleDescriptor> all_modules() {
  auto out = with_ports();
  out.push_back(realtime::module());
  out.push_back(gateway::module());
  out.back().needs.emplace_back("library");  // as of every module that people reach
  return out;
}

ModuleDescriptor module_of(const std::string& name) {
  for (const auto& module : with_ports())
    if (module.name == name) return module;
  throw std::invalid_argument("no house for the module " + name);
}
std::unique_ptr<House> open_house(const std::string& name) { return std::make_unique<FakeHouse>(module_of(name)); }

void mount_house(House& house, Router& router) {
  Stepping stepping(house, router);
  house.module().mount(stepping, house.kernel());
}

}  // namespace loggia::contract
