#include "wire.hpp"
#include "loggia/kernel/wire.hpp"
#include "loggia/notification/contract.hpp"
#include "loggia/notification/events.hpp"

namespace loggia::notification {

void mount(Router& router, Kernel& kernel) { mount_port(router, *kernel.ports.get<Notifications>()); }

void connect(Transport& transport, Ports& ports) { ports.offer<Notifications>(connect_port(transport, std::type_identity<Notifications>())); }

namespace {

template <class T> EventType type_of(std::string_view summary) {
  EventType out;
  out.type = T::type;
  out.summary = summary;
  out.schema = &schema_text<T>;
  return out;
}

}  // namespace

std::vector<Topic> topics() {
  Topic topic;
  topic.name = NotificationCreated::topic;
  topic.summary = "Notifications of people, keyed by the user.";
  topic.types.push_back(type_of<NotificationCreated>("Somebody is told of a message: which one, not what it says."));
  topic.types.push_back(type_of<NotificationDelivered>("A mail that tells of it was taken over by the mail server."));
  topic.types.push_back(type_of<NotificationFailed>("No mail can tell of it, and why."));
  return {topic};
}

}  // namespace loggia::notification
