#pragma once
// The serialised side of this module's contracts, a file each because they are slow to compile; and its topics.
#include "loggia/kernel/module.hpp"

namespace loggia::chat {

void mount_rooms(Router& router, const Ports& ports);
void mount_messages(Router& router, const Ports& ports);
void mount_reading(Router& router, const Ports& ports);  // Reading and Audiences
void mount_live(Router& router, const Ports& ports);
void connect_rooms(Transport& transport, Ports& ports);
void connect_messages(Transport& transport, Ports& ports);
void connect_reading(Transport& transport, Ports& ports);
void connect_live(Transport& transport, Ports& ports);

std::vector<Topic> topics();

}  // namespace loggia::chat
