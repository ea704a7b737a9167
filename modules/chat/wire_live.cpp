#include "loggia/chat/contract.hpp"
#include "loggia/kernel/wire.hpp"
#include "wire.hpp"

namespace loggia::chat {

void mount_live(Router& router, const Ports& ports) { mount_port(router, *ports.get<Live>()); }
void connect_live(Transport& transport, Ports& ports) { ports.offer<Live>(connect_port(transport, std::type_identity<Live>())); }

}  // namespace loggia::chat
