// The module's face to the rest: its routes, its topics, the check of the migrations.
#include "fixture.hpp"
#include "loggia/kernel/json_value.hpp"
#include "loggia/kernel/openapi.hpp"

using namespace loggia;
using namespace loggia::chat;
using namespace loggia::chat::test;

namespace {

struct FakeRouter final : Router {
  void on(RouteInfo info, RouteHandler handler) override {
    infos.push_back(info);
    handlers[std::string(info.route)] = std::move(handler);
  }
  std::vector<RouteInfo> infos;
  std::map<std::string, RouteHandler> handlers;
};
/// Every call in its serialised form.
struct Loopback final : Transport {
  explicit Loopback(FakeRouter& here) : router{here} {}
  Async<Answer> send(Context context, Call call) override { return router.handlers.at(call.route)(std::move(context), std::move(call)); }
  FakeRouter& router;
};

}  // namespace

TEST_CASE("the module mounts its routes, of which those for other modules are internal") {
  House house;
  FakeRouter router;
  module().mount(router, house.fake.kernel);
  std::size_t internal = 0;
  for (const auto& info : router.infos) internal += info.access == Access::internal ? 1 : 0;
  CHECK(router.infos.size() == 39);
  CHECK(internal == 13);
  for (const auto& info : router.infos) CHECK((info.access == Access::internal) == (info.route.find(" /internal/") != info.route.npos));
}

TEST_CASE("a call has the same results in its serialised form") {
  House house;
  FakeRouter router;
  module().mount(router, house.fake.kernel);
  Loopback loopback(router);
  Ports remote;
  module().connect(loopback, remote);
  const auto ask = [&]<class P, class R>(std::type_identity<P>, const UserId& who, R request) {
    auto port = remote.get<P>();
    return house.fake.wait(static_cast<Slot<R>&>(*port).on(house.as(who), std::move(request)));
  };
  CreateRoom make;
  make.name = "far";
  make.visibility = "private";
  make.members = {house.bob};
  const auto room = ask(std::type_identity<Rooms>(), house.ada, make).value();
  PostMessage post;
  post.room = room.id;
  post.text = "@bob \"hi\"";
  post.client_id = "c";
  const auto one = ask(std::type_identity<Messages>(), house.ada, post).value(), two = ask(std::type_identity<Messages>(), house.ada, post).value();
  CHECK(one.created);
  CHECK_FALSE(two.created);
  CHECK(encode(one.value) == encode(two.value));
  ask(std::type_identity<Messages>(), house.bob, AddReaction{room.id, one.value.seq, "❤️"}).value();
  const auto near = house.live(Context(), GetHello{house.bob, std::nullopt, std::nullopt}).value();
  const auto far = ask(std::type_identity<Live>(), house.bob, GetHello{house.bob, std::nullopt, std::nullopt}).value();
  CHECK(encode(near) == encode(far));
  const auto events = ask(std::type_identity<Reading>(), house.bob, GetEvents{room.id, 0, std::nullopt}).value();
  CHECK(json::parse(events.items.at(3).text).at("data").at("emoji") == "❤️");
  CHECK(code_of(ask(std::type_identity<Rooms>(), house.cid, GetRoom{room.id})) == "not_found");
}

TEST_CASE("every kind of event on the time line is described with a schema") {
  const auto topics = module().topics;
  REQUIRE(topics.size() == 2);
  CHECK(topics[0].name == "new-messages");
  CHECK(topics[0].types.size() == 12);
  for (const auto& type : topics[0].types) {
    const auto schema = json::parse(type.schema());
    CHECK(schema.at("properties").contains("seq"));
    CHECK(schema.at("properties").at("data").at("type") == "object");
  }
  CHECK(topics[1].name == "read-receipts");
}

TEST_CASE("the key chat.retention is known, and off by default") {
  const auto keys = module().keys;
  REQUIRE(keys.size() == 1);
  CHECK(keys[0].name == "chat.retention");
  CHECK(keys[0].standard.empty());
}
