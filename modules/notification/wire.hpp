#pragma once
// The module's edges on the wire, for module.cpp: routes, proxies, what it announces.
#include "loggia/kernel/module.hpp"

namespace loggia::notification {

void mount(Router& router, Kernel& kernel);
void connect(Transport& transport, Ports& ports);
std::vector<Topic> topics();

}  // namespace loggia::notification
