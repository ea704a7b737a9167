#pragma once
// The gateway module for the composition root: main.cpp lists it.
#include "loggia/kernel/module.hpp"

namespace loggia::gateway {

ModuleDescriptor module();

}  // namespace loggia::gateway
