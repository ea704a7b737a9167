#pragma once
// The module's edges on the wire, for module.cpp: routes, proxies, what it announces, what it hears.
#include <string_view>
#include "loggia/kernel/module.hpp"
#include "loggia/realtime/events.hpp"

namespace loggia::user {

void mount(Router& router, Kernel& kernel);
void connect(Transport& transport, Ports& ports);
std::vector<Topic> topics();
Result<realtime::PresenceChanged> presence_of(std::string_view data);

}  // namespace loggia::user
