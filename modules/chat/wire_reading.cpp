#include "loggia/chat/contract.hpp"
#include "loggia/kernel/wire.hpp"
#include "wire.hpp"

namespace loggia::chat {

void mount_reading(Router& router, const Ports& ports) {
  mount_port(router, *ports.get<Reading>());
  mount_port(router, *ports.get<Audiences>());
}
void connect_reading(Transport& transport, Ports& ports) {
  ports.offer<Reading>(connect_port(transport, std::type_identity<Reading>()));
  ports.offer<Audiences>(connect_port(transport, std::type_identity<Audiences>()));
}

}  // namespace loggia::chat
