#include "wire.hpp"
#include "loggia/auth/contract.hpp"
#include "loggia/auth/events.hpp"
#include "loggia/kernel/wire.hpp"

namespace loggia::auth {
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
  mount_port(router, *kernel.ports.get<Accounts>());
  mount_port(router, *kernel.ports.get<Administration>());
  mount_port(router, *kernel.ports.get<Mailboxes>());
  mount_port(router, *kernel.ports.get<Trust>());
}

void connect(Transport& transport, Ports& ports) {
  ports.offer<Accounts>(connect_port(transport, std::type_identity<Accounts>()));
  ports.offer<Administration>(connect_port(transport, std::type_identity<Administration>()));
  ports.offer<Mailboxes>(connect_port(transport, std::type_identity<Mailboxes>()));
  ports.offer<Trust>(connect_port(transport, std::type_identity<Trust>()));
}

std::vector<Topic> topics() {
  Topic events;
  events.name = "user-events";
  events.summary = "What happened to people and their accounts, keyed by the user.";
  events.types.push_back(type_of<UserRegistered>("An account is ready: its profile is there."));
  events.types.push_back(type_of<UserDisabled>("An account was disabled; all of its sessions ended."));
  events.types.push_back(type_of<UserEnabled>("An account may sign in again."));
  events.types.push_back(type_of<UserDeleted>("An account ended; name and address are gone."));
  events.types.push_back(type_of<SessionRevoked>("A session ended: nothing may be sent to it or asked with it any more."));
  return {events};
}

}  // namespace loggia::auth
