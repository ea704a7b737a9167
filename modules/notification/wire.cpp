#include "wire.hpp"
#include "loggia/kernel/wire.hpp"
#include "loggia/notification/contract.hpp"
#include "loggia/notification/events.hpp"

namespace loggia::notification {

void mount(Router& router, Kernel& kernel) { mount_port(router, *kernel.ports.get<Notifications>()); }

void connect(Transport& transport, Ports& ports) { ports.offer<Notifications>(connect_port(transport, std::type_identity<Notifications>())); }

std::vector<Topic> topics() {
  EventType created;
  created.type = NotificationCreated::type;
  created.summary = "Somebody is told of a message: which one, not what it says.";
  created.schema = &schema_text<NotificationCreated>;
  Topic topic;
  topic.name = NotificationCreated::topic;
  topic.summary = "Notifications of people, keyed by the user.";
  topic.types.push_back(std::move(created));
  return {topic};
}

}  // namespace loggia::notification
