// AsyncAPI 3.0 (https://www.asyncapi.com/docs/reference/specification/v3.0.0) from the topics as the modules declare them.
#include "loggia/kernel/openapi.hpp"

namespace loggia {
namespace {

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

json message(const EventType& type, bool logged) {
  json out = json::object(), own = json::object(), all = json::array();
  out["name"] = type.type;
  out["title"] = type.type;
  out["summary"] = type.summary;
  if (!logged) out["description"] = "A signal: not logged, at most once.";
  out["contentType"] = "application/cloudevents+json";
  own["type"] = "object";
  own["properties"]["type"]["const"] = type.type;
  json data = json::object();
  if (type.schema) data = json::parse(type.schema(), nullptr, false);
  own["properties"]["data"] = data.is_discarded() ? json::object() : std::move(data);
  all.push_back(reference("components/schemas/CloudEvent"));
  all.push_back(std::move(own));
  out["payload"]["allOf"] = std::move(all);
  return out;
}

}  // namespace

json asyncapi_document(const std::vector<Topic>& topics, std::string_view version) {
  json out = json::object(), channels = json::object(), operations = json::object(), messages = json::object();
  out["asyncapi"] = "3.0.0";
  out["info"]["title"] = "Loggia events";
  out["info"]["version"] = version;
  out["info"]["description"] =
      "What the modules of Loggia tell each other, and everybody who listens. Delivery is at least once and in order within a key; a consumer drops "
      "what "
      "is at or before its stored `sequence` of the same `source`, topic and partition. In Kafka the names have the prefix bus.kafka.topic_prefix.";
  out["defaultContentType"] = "application/cloudevents+json";
  for (const auto& topic : topics) {
    const std::string name(topic.name);
    auto& channel = channels[name];
    channel["address"] = name;
    if (!channel.contains("description")) channel["description"] = topic.summary;
    auto& operation = operations["publish." + name];
    operation["action"] = "send";
    operation["summary"] = "Loggia publishes here.";
    operation["channel"] = reference("channels/" + name);
    for (const auto& type : topic.types) {
      const std::string key(type.type);
      if (!channel["messages"].contains(key)) operation["messages"].push_back(reference("channels/" + name + "/messages/" + key));
      channel["messages"][key] = reference("components/messages/" + key);
      messages[key] = message(type, topic.logged);
    }
  }
  out["channels"] = std::move(channels);
  out["operations"] = std::move(operations);
  out["components"]["messages"] = std::move(messages);
  out["components"]["schemas"]["CloudEvent"] = envelope();
  return out;
}

}  // namespace loggia
