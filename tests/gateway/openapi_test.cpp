// The descriptions that are made of the modules' own declarations: of a little contract here, and of every contract there is.
#include "loggia/kernel/openapi.hpp"
#include <doctest/doctest.h>
#include <functional>
#include <set>
#include "loggia/auth/contract.hpp"
#include "loggia/chat/contract.hpp"
#include "loggia/kernel/json_value.hpp"
#include "loggia/kernel/wire.hpp"
#include "loggia/notification/contract.hpp"
#include "loggia/user/contract.hpp"

using namespace loggia;

namespace {

class Collector final : public Router {
 public:
  void on(RouteInfo info, RouteHandler) override { routes.push_back(std::move(info)); }
  std::vector<RouteInfo> routes;
  template <class... Rs> void take(std::type_identity<Port<Rs...>>) { (on(route_info<Rs>(), RouteHandler()), ...); }
};

const json& document() {
  static const json made = [] {
    Collector all;
    all.take(std::type_identity<auth::Accounts>());
    all.take(std::type_identity<auth::Administration>());
    all.take(std::type_identity<user::Users>());
    all.take(std::type_identity<user::Directory>());
    all.take(std::type_identity<chat::Rooms>());
    all.take(std::type_identity<chat::Messages>());
    all.take(std::type_identity<chat::Reading>());
    all.take(std::type_identity<notification::Notifications>());
    return openapi_document(all.routes, "1.2.3");
  }();
  return made;
}

/// Calls `look` with every {"$ref": …} below.
void each_reference(const json& node, const std::function<void(const std::string&)>& look) {
  if (node.is_object() && node.contains("$ref")) look(node["$ref"].get<std::string>());
  if (node.is_structured())
    for (const auto& item : node) each_reference(item, look);
}
template <class F> void each_operation(F look) {
  for (const auto& [path, methods] : document()["paths"].items())
    for (const auto& [method, operation] : methods.items()) look(path, method, operation);
}

}  // namespace

TEST_CASE("every public route is described and no inner one") {
  const auto& paths = document()["paths"];
  CHECK(document()["openapi"] == "3.1.0");
  CHECK(paths["/rooms/{room}/messages"].contains("get"));
  CHECK(paths["/rooms/{room}/messages"].contains("post"));
  CHECK(paths["/users/me"].contains("patch"));
  for (const auto& [path, methods] : paths.items()) CHECK_FALSE(path.starts_with("/internal"));
}

TEST_CASE("operations have ids of their own, a summary, and a tag that is declared") {
  std::set<std::string> ids, tags;
  for (const auto& tag : document()["tags"]) tags.insert(tag["name"].get<std::string>());
  each_operation([&](const std::string& path, const std::string&, const json& operation) {
    CHECK_MESSAGE(ids.insert(operation["operationId"].get<std::string>()).second, path);
    CHECK_FALSE(operation["summary"].get<std::string>().empty());
    REQUIRE(operation["tags"].size() == 1);
    CHECK(tags.contains(operation["tags"][0].get<std::string>()));
  });
  CHECK(document()["paths"]["/rooms/{room}/messages"]["get"]["operationId"] == "getRoomsByRoomMessages");
}

TEST_CASE("every parameter of a path is declared, and the body holds none of them") {
  each_operation([](const std::string& path, const std::string&, const json& operation) {
    std::set<std::string> declared;
    for (const auto& parameter : operation.value("parameters", json::array()))
      if (parameter.value("in", "") == "path") {
        CHECK(parameter["required"] == true);
        declared.insert(parameter["name"].get<std::string>());
      }
    for (auto open = path.find('{'); open != path.npos; open = path.find('{', open + 1))
      CHECK(declared.erase(path.substr(open + 1, path.find('}', open) - open - 1)) == 1);
    CHECK(declared.empty());
  });
}

TEST_CASE("errors are problems, and every reference leads somewhere") {
  each_operation([](const std::string&, const std::string&, const json& operation) {
    CHECK(operation["responses"]["422"]["$ref"] == "#/components/responses/Invalid");
    CHECK(operation["responses"].contains("500"));
  });
  each_reference(document(), [](const std::string& to) { CHECK_MESSAGE(document().contains(json::json_pointer(to.substr(1))), to); });
  CHECK(document()["components"]["responses"]["NotFound"]["content"]["application/problem+json"]["schema"]["$ref"] == "#/components/schemas/Problem");
}

TEST_CASE("who may call is said: nobody needed, anybody known, administrators") {
  const auto& paths = document()["paths"];
  CHECK(paths["/auth/login"]["post"]["security"] == json::parse(R"([{},{"bearer":[]}])"));
  CHECK(paths["/rooms"]["get"]["security"] == json::parse(R"([{"bearer":[]}])"));
  CHECK(paths["/admin/users"]["get"]["security"] == json::parse(R"([{"bearer":["admin"]}])"));
}

TEST_CASE("answers have the status that the route declares") {
  const auto& paths = document()["paths"];
  CHECK(paths["/rooms"]["post"]["responses"].contains("201"));
  CHECK(paths["/rooms/direct"]["post"]["responses"].contains("200"));
  CHECK(paths["/rooms/direct"]["post"]["responses"].contains("201"));
  const auto& removed = paths["/rooms/{room}"]["delete"]["responses"]["204"];
  CHECK_FALSE(removed.contains("content"));
}

TEST_CASE("what the gateway fills in is no part of the description") {
  CHECK_FALSE(document()["paths"]["/auth/logout"]["post"].contains("requestBody"));
  CHECK(document()["paths"]["/auth/refresh"]["post"]["requestBody"]["required"] == false);
}

TEST_CASE("a handshake is a route: it switches protocols, or asks to") {
  RouteInfo socket;
  socket.route = "GET /realtime";
  socket.access = Access::open;
  socket.status = 101;
  const auto described = openapi_document({socket}, "1");
  const auto& responses = described["paths"]["/realtime"]["get"]["responses"];
  CHECK(responses.contains("101"));
  CHECK(responses["426"]["$ref"] == "#/components/responses/UpgradeRequired");
  CHECK_FALSE(document()["paths"]["/rooms"]["get"]["responses"].contains("426"));
}

TEST_CASE("a body is closed to fields that are not known, and requires those without which it is none") {
  const auto& body = document()["paths"]["/rooms"]["post"]["requestBody"];
  const auto& schema = body["content"]["application/json"]["schema"];
  CHECK(body["required"] == true);
  CHECK(schema["additionalProperties"] == false);
  CHECK(schema["required"] == json::parse(R"(["name","visibility"])"));
  CHECK(schema["properties"]["visibility"]["enum"] == json::parse(R"(["public","private"])"));
}

TEST_CASE("a null is an optional field that is left out, in a body and nowhere else") {
  const auto& paths = document()["paths"];
  const auto& made = paths["/rooms"]["post"]["requestBody"]["content"]["application/json"]["schema"]["properties"];
  CHECK(made["topic"]["type"] == json::parse(R"(["string","null"])"));
  CHECK(made["name"]["type"] == "string");
  const auto& changed = paths["/rooms/{room}"]["patch"]["requestBody"]["content"]["application/json"]["schema"]["properties"];
  CHECK(changed["visibility"]["enum"] == json::parse(R"(["public","private",null])"));
  for (const auto& one : paths["/rooms"]["get"]["parameters"])
    if (one.contains("schema")) CHECK(one["schema"]["type"].is_string());
}

TEST_CASE("an Idempotency-Key is offered where it is honoured") {
  const auto has_key = [](const json& operation) {
    for (const auto& parameter : operation.value("parameters", json::array()))
      if (parameter.value("$ref", "") == "#/components/parameters/IdempotencyKey") return true;
    return false;
  };
  CHECK(has_key(document()["paths"]["/rooms"]["post"]));
  CHECK(has_key(document()["paths"]["/auth/refresh"]["post"]));
  CHECK_FALSE(has_key(document()["paths"]["/auth/login"]["post"]));
}

TEST_CASE("topics are channels, their types messages in the envelope; a topic of two producers is one channel") {
  EventType made, gone;
  made.type = "thing.made";
  made.summary = "A thing was made.";
  made.schema = [] { return std::string(R"({"type":"object"})"); };
  gone.type = "thing.gone";
  gone.summary = "A thing is gone.";
  Topic one, two;
  one.name = two.name = "things";
  one.summary = "Things.";
  one.types = {made};
  two.types = {gone};
  two.logged = false;
  const auto out = asyncapi_document({one, two}, {}, "1.2.3");
  CHECK(out["asyncapi"] == "3.0.0");
  CHECK(out["channels"].size() == 1);
  CHECK(out["channels"]["things"]["messages"].size() == 2);
  CHECK(out["operations"]["publish.things"]["messages"].size() == 2);
  CHECK(out["components"]["messages"]["thing.made"]["payload"]["allOf"][1]["properties"]["data"] == json::parse(R"({"type":"object"})"));
  CHECK(out["components"]["messages"]["thing.gone"]["description"].get<std::string>().find("not logged") != std::string::npos);
  each_reference(out, [&](const std::string& to) { CHECK_MESSAGE(out.contains(json::json_pointer(to.substr(1))), to); });
}

TEST_CASE("a protocol is a channel: a request is received and replied to, and frames of a topic are pushed as its events carry them") {
  EventType made;
  made.type = "thing.made";
  made.summary = "A thing was made.";
  made.schema = [] { return std::string(R"({"type":"object","properties":{"ev":{"type":"string"}}})"); };
  Topic topic;
  topic.name = "things";
  topic.types = {made};
  SocketProtocol::Request ask;
  ask.op = "ask";
  ask.summary = "Ask.";
  ask.in = [] { return std::string(R"({"type":"object","properties":{"what":{"type":"string"}},"required":["what"]})"); };
  ask.ok = [] { return std::string(R"({"type":"object"})"); };
  SocketProtocol::Push told;
  told.ev = "told";
  told.summary = "Told.";
  told.room = true;
  told.data = ask.ok;
  SocketProtocol protocol;
  protocol.name = "talk.v1";
  protocol.address = "/talk";
  protocol.summary = "Talk.";
  protocol.requests = {ask};
  protocol.error = ask.ok;
  protocol.timeline = "things";
  protocol.pushes = {told};
  protocol.closes.emplace_back();
  protocol.closes[0].code = 4000;
  protocol.closes[0].why = "nonsense was said";
  const auto out = asyncapi_document({topic}, {protocol}, "1.2.3");
  const auto& channel = out["channels"]["talk.v1"];
  CHECK(channel["address"] == "/talk");
  CHECK(channel["messages"].size() == 5);  // the request, its answer, the error, two pushes
  CHECK(channel["description"].get<std::string>().find("4000: nonsense was said") != std::string::npos);
  const auto& messages = out["components"]["messages"];
  CHECK(messages["op.ask"]["payload"]["required"] == json::parse(R"(["what","id","op"])"));
  CHECK(messages["op.ask"]["payload"]["additionalProperties"] == false);
  CHECK(messages["op.ask"]["payload"]["properties"]["op"]["const"] == "ask");
  CHECK(messages["ok.ask"]["payload"]["required"] == json::parse(R"(["re","ok"])"));
  CHECK(messages["ev.told"]["payload"]["required"] == json::parse(R"(["ev","at","data","room"])"));
  CHECK(messages["ev.thing.made"]["payload"] == messages["thing.made"]["payload"]["allOf"][1]["properties"]["data"]);
  CHECK(out["components"]["schemas"]["frame.thing.made"]["properties"]["ev"]["const"] == "thing.made");
  CHECK(out["operations"]["ask"]["action"] == "receive");
  CHECK(out["operations"]["ask"]["reply"]["messages"].size() == 2);
  CHECK(out["operations"]["push"]["messages"].size() == 2);
  CHECK(out["operations"]["publish.things"]["messages"].size() == 1);
  each_reference(out, [&](const std::string& to) { CHECK_MESSAGE(out.contains(json::json_pointer(to.substr(1))), to); });
}

TEST_CASE("YAML is in block style, and quotes what could be taken for something else") {
  const auto document =
      json::parse(R"({"a":{"list":[1,{"x":true,"y":[]},["in"]],"none":null},"200":"no","text":"plain one","odd":"a: b # c","line":"1\n2","on":{}})");
  CHECK(to_yaml(document) ==
        "\"200\": \"no\"\n"
        "a:\n"
        "  list:\n"
        "    - 1\n"
        "    - x: true\n"
        "      \"y\": []\n"
        "    -\n"
        "      - in\n"
        "  none: null\n"
        "line: \"1\\n2\"\n"
        "odd: \"a: b # c\"\n"
        "\"on\": {}\n"
        "text: plain one\n");
  CHECK(to_yaml(json("yes")) == "\"yes\"\n");
  CHECK(to_yaml(json::object()) == "{}\n");
}
