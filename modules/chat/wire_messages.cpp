#include "loggia/chat/contract.hpp"
#include "loggia/kernel/wire.hpp"
#include "wire.hpp"

namespace loggia::chat {

void mount_messages(Router& router, const Ports& ports) { mount_port(router, *ports.get<Messages>()); }
void connect_messages(Transport& transport, Ports& ports) { ports.offer<Messages>(connect_port(transport, std::type_identity<Messages>())); }

}  // namespace loggia::chat
