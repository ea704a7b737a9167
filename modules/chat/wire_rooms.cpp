#include "loggia/chat/contract.hpp"
#include "loggia/kernel/wire.hpp"
#include "wire.hpp"

namespace loggia::chat {

void mount_rooms(Router& router, const Ports& ports) { mount_port(router, *ports.get<Rooms>()); }
void connect_rooms(Transport& transport, Ports& ports) { ports.offer<Rooms>(connect_port(transport, std::type_identity<Rooms>())); }

}  // namespace loggia::chat
