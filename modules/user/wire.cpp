#include "wire.hpp"
#include "loggia/kernel/wire.hpp"
#include "loggia/user/contract.hpp"
#include "loggia/user/events.hpp"

namespace loggia::user {
namespace {

template <class T> EventType type_of(std::string_view summary) {
  EventType out;
  out.type = T::type;
  out.summary = summary;
  out.schema = &schema_text<T>;
  return out;
}

}  // namespace

void mount(Router& router, Kernel& kernel) {
  mount_port(router, *kernel.ports.get<Users>());
  mount_port(router, *kernel.ports.get<Directory>());
}

void connect(Transport& transport, Ports& ports) {
  ports.offer<Users>(connect_port(transport, std::type_identity<Users>()));
  ports.offer<Directory>(connect_port(transport, std::type_identity<Directory>()));
}

std::vector<Topic> topics() {
  Topic events;
  events.name = "user-events";
  events.summary = "What happened to people and their accounts, keyed by the user.";
  events.types.push_back(type_of<UserChanged>("A profile or setting changed: the user and the fields that are new."));
  Topic status;
  status.name = "user-status-updates";
  status.summary = "Who is here and what they are at, keyed by the user.";
  status.types.push_back(type_of<StatusChanged>("A status text changed; empty: removed."));
  return {events, status};
}

Result<realtime::PresenceChanged> presence_of(std::string_view data) { return decode_text<realtime::PresenceChanged>(data, Manner::lenient); }

}  // namespace loggia::user
