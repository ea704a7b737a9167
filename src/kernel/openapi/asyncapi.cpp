// AsyncAPI 3.0 (https://www.asyncapi.com/docs/reference/specification/v3.0.0) from the topics and protocols as the modules declare them.
#include "loggia/kernel/openapi.hpp"

namespace loggia {
namespace asyncapi {  // its helpers are named like those of openapi.cpp

using nlohmann::json;

json reference(const std::string& to) {
  json out = json::object();
  out["$ref"] = "#/" + to;
  return out;
}

json text_schema(std::string_view description) {
  json out = json::object();
  out["type"] = "string";
  out["description"] = description;
  return out;
}

json constant(std::string_view value) {
  json out = json::object();
  out["const"] = value;
  return out;
}

json parsed(const std::function<std::string()>& schema) {
  json out = schema ? json::parse(schema(), nullptr, false) : json::object();
  return out.is_discarded() ? json::object() : out;
}

json tag(std::string_view name, std::string_view description) {
  json out = json::object();
  out["name"] = name;
  if (!description.empty()) out["description"] = description;
  return out;
}

/// CloudEvents 1.0, structured mode; `data` is described by each message.
json envelope() {
  json out = json::object(), fields = json::object(), required = json::array();
  fields["specversion"]["const"] = "1.0";
  fields["id"] = text_schema("UUIDv7 of the event.");
  fields["source"] = text_schema("/loggia/MODULE/EPOCH");
  fields["type"] = text_schema("The kind of event.");
  fields["subject"] = text_schema("The key: the room or the user.");
  fields["time"] = text_schema("When it happened.");
  fields["time"]["format"] = "date-time";
  fields["datacontenttype"]["const"] = "application/json";
  fields["dataschema"] = text_schema("/schemas/TYPE/VERSION");
  fields["traceparent"] = text_schema("W3C Trace Context of the request that caused it.");
  fields["partitionkey"] = text_schema("The key again: events of one key stay in order.");
  fields["sequence"] = text_schema("The position in its partition of the producer's log: 20 digits, without holes.");
  fields["data"] = json::object();
  for (const auto* name : {"specversion", "id", "source", "type", "time", "data"}) required.push_back(name);
  out["type"] = "object";
  out["properties"] = std::move(fields);
  out["required"] = std::move(required);
  return out;
}

/// The document while it is made, and what is put into it.
class Document {
 public:
  explicit Document(std::string_view version) {
    out_["asyncapi"] = "3.0.0";
    auto& info = out_["info"];
    info["title"] = "Loggia: events and the realtime protocol";
    info["version"] = version;
    info["description"] =
        "What the modules of Loggia tell each other, and everybody who listens; and what clients and the server say over WebSocket. Delivery of "
        "events is at least once and in order within a key; a consumer drops what is at or before its stored `sequence` of the same `source`, topic "
        "and "
        "partition. In Kafka the names have the prefix bus.kafka.topic_prefix.";
    info["tags"].push_back(tag("events", "Topics: CloudEvents in the log of the module that produces them, and in Kafka."));
    out_["defaultContentType"] = "application/cloudevents+json";
    out_["channels"] = out_["operations"] = json::object();
    out_["components"]["messages"] = out_["components"]["schemas"] = json::object();
    out_["components"]["schemas"]["CloudEvent"] = envelope();
    auto& kafka = out_["servers"]["kafka"];
    kafka["host"] = "{brokers}";
    kafka["protocol"] = "kafka";
    kafka["description"] = "Where bus.transport is kafka. The embedded transport needs no server: `loggia topics` reads it.";
    kafka["variables"]["brokers"]["default"] = "127.0.0.1:9092";
    kafka["variables"]["brokers"]["description"] = "bus.kafka.brokers";
  }

  void add(const Topic& topic, bool frames);
  void add(const SocketProtocol& protocol, const std::vector<Topic>& topics);
  json take() { return std::move(out_); }

 private:
  /// A message of a channel; gives the reference by which operations name it.
  json put(const std::string& channel, const std::string& key, json message);
  json event(const Topic& topic, const EventType& type, bool frame);
  void add(const std::string& channel, const SocketProtocol::Request& request, const json& error);
  json out_ = json::object();
};

json Document::put(const std::string& channel, const std::string& key, json message) {
  out_["components"]["messages"][key] = std::move(message);
  out_["channels"][channel]["messages"][key] = reference("components/messages/" + key);
  return reference("channels/" + channel + "/messages/" + key);
}

std::string frame_name(std::string_view type) { return "frame." + std::string(type); }

/// `frame`: what the event carries is pushed as it is, so its schema has a name of its own.
json Document::event(const Topic& topic, const EventType& type, bool frame) {
  json message = json::object(), own = json::object(), all = json::array();
  message["name"] = type.type;
  message["title"] = type.type;
  message["summary"] = type.summary;
  if (!topic.logged) message["description"] = "A signal: not logged, at most once.";
  message["contentType"] = "application/cloudevents+json";
  own["type"] = "object";
  own["properties"]["type"] = constant(type.type);
  auto data = parsed(type.schema);
  if (frame) {
    data["properties"]["ev"] = constant(type.type);
    out_["components"]["schemas"][frame_name(type.type)] = std::move(data);
    data = reference("components/schemas/" + frame_name(type.type));
  }
  own["properties"]["data"] = std::move(data);
  all.push_back(reference("components/schemas/CloudEvent"));
  all.push_back(std::move(own));
  message["payload"]["allOf"] = std::move(all);
  return message;
}

void Document::add(const Topic& topic, bool frames) {
  const std::string name(topic.name);
  auto& channel = out_["channels"][name];
  channel["address"] = name;
  if (!channel.contains("description")) {
    channel["description"] = topic.summary;
    channel["servers"].push_back(reference("servers/kafka"));
  }
  auto& operation = out_["operations"]["publish." + name];
  operation["action"] = "send";
  operation["summary"] = "Loggia publishes here.";
  operation["description"] = channel["description"];
  operation["channel"] = reference("channels/" + name);
  operation["tags"] = json::array({tag("events", "")});
  for (const auto& type : topic.types) {
    const std::string key(type.type);
    const bool known = channel["messages"].contains(key);
    auto message = put(name, key, event(topic, type, frames));
    if (!known) operation["messages"].push_back(std::move(message));
  }
}

// ---- the protocol of the socket ----

json frame_message(std::string_view name, std::string_view summary) {
  json out = json::object();
  out["name"] = out["title"] = name;
  out["summary"] = summary;
  out["contentType"] = "application/json";
  return out;
}

/// The public edge refuses fields that it does not know.
json request_payload(const SocketProtocol::Request& request) {
  auto out = parsed(request.in);
  out["additionalProperties"] = false;
  auto& fields = out["properties"];
  fields["op"] = constant(request.op);
  fields["id"]["type"] = "integer";
  fields["id"]["description"] = "The client's choice; comes back as `re`.";
  out["required"].push_back("id");
  out["required"].push_back("op");
  return out;
}

/// `{"re", NAME: schema}`
json answer_payload(const std::string& name, json schema) {
  json out = json::object();
  out["type"] = "object";
  out["properties"]["re"]["type"] = "integer";
  out["properties"]["re"]["description"] = "The `id` of the request.";
  out["properties"][name] = std::move(schema);
  out["required"] = json::array({"re", name});
  return out;
}

json push_payload(const SocketProtocol::Push& push) {
  json out = json::object();
  out["type"] = "object";
  auto& fields = out["properties"];
  fields["ev"] = constant(push.ev);
  if (push.room) {
    fields["room"] = text_schema("The room that it is about.");
    fields["room"]["format"] = "uuid";
  }
  fields["at"] = text_schema("When it happened.");
  fields["at"]["format"] = "date-time";
  fields["data"] = parsed(push.data);
  out["required"] = json::array({"ev", "at", "data"});
  if (push.room) out["required"].push_back("room");
  return out;
}

json correlation(std::string_view field) {
  json out = json::object();
  out["location"] = "$message.payload#/" + std::string(field);
  return out;
}

std::string channel_description(const SocketProtocol& protocol) {
  std::string out(protocol.summary);
  out += "\n\nClose codes:\n";
  for (const auto& close : protocol.closes) (((out += "\n- ") += std::to_string(close.code)) += ": ") += close.why;
  return out;
}

void Document::add(const std::string& channel, const SocketProtocol::Request& request, const json& error) {
  const std::string op(request.op);
  auto asks = frame_message(op, request.summary);
  asks["payload"] = request_payload(request);
  asks["correlationId"] = correlation("id");
  auto answers = frame_message(op + ", answered", "The answer to `" + op + "`.");
  answers["payload"] = answer_payload("ok", parsed(request.ok));
  answers["correlationId"] = correlation("re");
  json operation = json::object();
  operation["action"] = "receive";
  operation["summary"] = operation["description"] = request.summary;
  operation["channel"] = operation["reply"]["channel"] = reference("channels/" + channel);
  operation["messages"].push_back(put(channel, "op." + op, std::move(asks)));
  operation["reply"]["messages"].push_back(put(channel, "ok." + op, std::move(answers)));
  operation["reply"]["messages"].push_back(error);
  operation["tags"] = json::array({tag("realtime", "")});
  out_["operations"][op] = std::move(operation);
}

void Document::add(const SocketProtocol& protocol, const std::vector<Topic>& topics) {
  const std::string name(protocol.name);
  out_["info"]["tags"].push_back(tag("realtime", "The WebSocket protocol of clients."));
  auto& server = out_["servers"]["public"];
  server["host"] = "{host}";
  server["protocol"] = "ws";
  server["description"] = "The public listener; wss where it has TLS.";
  server["variables"]["host"]["default"] = "127.0.0.1:8080";
  server["variables"]["host"]["description"] = "http.listen, or the host of http.public_url";
  auto& channel = out_["channels"][name];
  channel["address"] = protocol.address;
  channel["title"] = name;
  channel["description"] = channel_description(protocol);
  channel["servers"].push_back(reference("servers/public"));
  auto& handshake = channel["bindings"]["ws"];
  handshake["method"] = "GET";
  handshake["headers"]["type"] = "object";
  handshake["headers"]["properties"]["Sec-WebSocket-Protocol"] = constant(name);
  handshake["headers"]["required"].push_back("Sec-WebSocket-Protocol");

  auto failure = frame_message("error", "It did nothing, or (`outcome_unknown`) may have; `retry` says whether the same request may succeed later.");
  failure["payload"] = answer_payload("error", parsed(protocol.error));
  failure["correlationId"] = correlation("re");
  const auto error = put(name, "error", std::move(failure));
  for (const auto& request : protocol.requests) add(name, request, error);

  json operation = json::object();
  operation["action"] = "send";
  operation["summary"] = "What happens in the user's rooms, and to the user.";
  operation["description"] = "Frames that the server sends without being asked. Those of the time line are as they are stored.";
  operation["channel"] = reference("channels/" + name);
  operation["tags"] = json::array({tag("realtime", "")});
  for (const auto& topic : topics) {
    if (topic.name != protocol.timeline) continue;
    for (const auto& type : topic.types) {
      auto frame = frame_message(type.type, type.summary);
      frame["payload"] = reference("components/schemas/" + frame_name(type.type));
      operation["messages"].push_back(put(name, "ev." + std::string(type.type), std::move(frame)));
    }
  }
  for (const auto& push : protocol.pushes) {
    auto frame = frame_message(push.ev, push.summary);
    frame["payload"] = push_payload(push);
    operation["messages"].push_back(put(name, "ev." + std::string(push.ev), std::move(frame)));
  }
  out_["operations"]["push"] = std::move(operation);
}

}  // namespace asyncapi

nlohmann::json asyncapi_document(const std::vector<Topic>& topics, const std::vector<SocketProtocol>& protocols, std::string_view version) {
  asyncapi::Document document(version);
  for (const auto& topic : topics) {
    bool frames = false;
    for (const auto& protocol : protocols) frames = frames || protocol.timeline == topic.name;
    document.add(topic, frames);
  }
  for (const auto& protocol : protocols) document.add(protocol, topics);
  return document.take();
}

}  // namespace loggia
